#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Creates a driver of seqiv(rfc4106(gcm(aes))) with another layout, as any user can (AF_ALG).

Prints the driver that the kernel uses for the algorithm from now on; on failure exit status 1 and
the reason.
"""
import socket
import sys

NAME = "seqiv(rfc4106(gcm(aes)))"


def bind(name):
    """Make the kernel create an instance by its name."""
    with socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET, 0) as sock:
        sock.bind(("aead", name))


def drivers():
    """(priority, driver) of each instance of the algorithm."""
    found, entry = [], {}
    with open("/proc/crypto", encoding="ascii") as file:
        for line in file:
            key, _, value = line.partition(":")
            entry[key.strip()] = value.strip()
            if not line.strip():
                if entry.get("name") == NAME:
                    found.append((int(entry["priority"]), entry["driver"]))
                entry = {}
    return sorted(found)


def main():
    """A driver around the best one gets a higher priority."""
    try:
        bind(NAME)
        bind(f"pcrypt({drivers()[-1][1]})")
    except OSError as error:
        print(f"no instance: {error.strerror}")
        return 1
    print(drivers()[-1][1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
