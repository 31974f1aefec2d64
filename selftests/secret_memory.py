#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Is a secret in the memory of a process?

    secret_memory.py PID SECRET

Prints "there", with the mapping that has it, or "not there".
"""
import re
import sys


def mappings(pid):
    """Where the process may write: first and last address, and name."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw\S* \S+ \S+ \S+ *(.*)", line)
            if match:
                yield int(match[1], 16), int(match[2], 16), match[3]


def main(pid, secret):
    """Looks at all of them, and finds what it looks for in its own memory."""
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for begin, end, name in mappings(pid):
            memory.seek(begin)
            if secret.encode() in memory.read(end - begin):
                return f"there: {name}"
    return "not there"


if __name__ == "__main__":
    # Or else it would find nothing anywhere
    if main("self", sys.argv[2]) == "not there":
        sys.exit("it is not in our own memory")
    print(main(sys.argv[1], sys.argv[2]))
