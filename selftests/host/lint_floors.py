#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Floors of the module: a file uses only files that stand before it in module/Kbuild.

lint_floors.py KBUILD DIRECTORY

DIRECTORY has the object files of a build. Each line of the list is a floor. Prints each function and
variable that a file takes from a file after it, and exits with status 1 if there is one. With -v,
prints the floors and how many arrows point up and down. Types, macros and inline functions are in
headers, which any file may include.
"""

import re
import subprocess
import sys


def floors_of(kbuild):
    """The lists of objects, in the order of the file."""
    floors = []
    with open(kbuild, encoding="utf-8") as file:
        for line in file:
            found = re.match(r"pvsvpn-y\s*[:+]?=\s*(.*)", line)
            if found:
                floors.append(found.group(1).split())
    return floors


def symbols_of(path):
    """The global symbols that an object file defines, and those that it needs."""
    defined, needed = set(), set()
    output = subprocess.run(["nm", "-g", path], check=True, text=True, stdout=subprocess.PIPE)
    for line in output.stdout.splitlines():
        kind, symbol = line.split()[-2:]
        (needed if kind in "Uwv" else defined).add(symbol)
    return defined, needed


def main(arguments):
    """Print arrows that point up."""
    verbose = "-v" in arguments
    kbuild, directory = [word for word in arguments if word != "-v"]
    floors = floors_of(kbuild)
    objects = [name for floor in floors for name in floor]
    place = {name: number for number, name in enumerate(objects)}
    owner, needs, up, down = {}, {}, [], set()
    for name in objects:
        defined, needs[name] = symbols_of(f"{directory}/{name}")
        up.extend(f"{name} and {owner[symbol]} both have {symbol}"
                  for symbol in sorted(defined & owner.keys()))
        owner.update((symbol, name) for symbol in defined)
    for name in objects:
        for symbol in sorted(needs[name]):
            other = owner.get(symbol, name)
            if symbol not in owner and "pvsvpn_" in symbol:
                up.append(f"{name} needs {symbol}, which no file in {kbuild} has")
            elif place[other] > place[name]:
                up.append(f"{name} needs {symbol} of {other}, which stands after it in {kbuild}")
            elif other != name:
                down.add((name, other))
    if verbose:
        for number, floor in enumerate(floors, 1):
            print(f"floor {number}: {' '.join(floor)}")
        print(f"{len(objects)} files, {len(down)} arrows down, {len(up)} arrows up")
    print("".join(f"{line}\n" for line in up), end="")
    return 1 if up else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
