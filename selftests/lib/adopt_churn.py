#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Endless XFRM events.

    adopt_churn.py LOCAL FIRST

In its network namespace it adds states of if_id 42 from LOCAL to 192.0.2.200, and deletes each of
them 20 states later. FIRST is the first SPI. Prints "ready" after the first deletions.
"""
import sys

from hostile_netlink import Xfrm

REMOTE, OURS, KEPT = "192.0.2.200", 42, 20


def main(local, first):
    """Run until killed."""
    xfrm, number = Xfrm(), 0
    while True:
        xfrm.add(local, REMOTE, first + number % 1000, OURS, bytes(20))
        if number >= KEPT:
            xfrm.delete(REMOTE, first + (number - KEPT) % 1000)
        number += 1
        if number == 2 * KEPT:
            print("ready", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2], 0))
