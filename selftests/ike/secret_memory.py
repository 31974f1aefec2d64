#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Checks whether a secret is in the memory of a process.

    secret_memory.py PID SECRET
    secret_memory.py PID --number HEX      its bytes in either order

Prints "there", with the mapping that has it, or "not there".
"""
import re
import sys


def mappings(pid):
    """Writable memory of the process: first and last address, and name."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw\S* \S+ \S+ \S+ *(.*)", line)
            if match:
                yield int(match[1], 16), int(match[2], 16), match[3]


def find(pid, secrets):
    """Search all of them; the same search must find the secret in its own memory."""
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for begin, end, name in mappings(pid):
            memory.seek(begin)
            data = memory.read(end - begin)
            if any(secret in data for secret in secrets):
                return f"there: {name}"
    return "not there"


def main(pid, words):
    """The bytes to search for, and a check that the search finds them."""
    if words[0] == "--number":
        number = bytes.fromhex(words[1])
        secrets = [number, number[::-1]]
    else:
        secrets = [words[0].encode()]
    for secret in secrets:
        if find("self", [secret]) == "not there":
            sys.exit("it is not in our own memory")
    print(find(pid, secrets))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
