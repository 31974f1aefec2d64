#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""News of XFRM's without end.

    adopt_churn.py LOCAL FIRST

In the network namespace that it runs in, it adds states of if_id 42 from LOCAL to 192.0.2.200, and
takes each of them away again 20 states later. FIRST is the first SPI. Prints "ready" when the
first ones are gone.
"""
import sys

from hostile_netlink import Xfrm

REMOTE, OURS, KEPT = "192.0.2.200", 42, 20


def main(local, first):
    """Until it is killed."""
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
