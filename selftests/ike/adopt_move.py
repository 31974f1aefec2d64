#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""An outbound state that moves, as a daemon moves it.

    adopt_move.py LOCAL FROM TO SPI KEY TURNS

In its network namespace, the state of if_id 42, reqid 1 and hexadecimal KEY is deleted at one of
the two remote addresses and added at the other, back and forth. The device waits a twentieth of a
second for the addition. TURNS moves must be faster than that; a busy host may stop a guest for
longer. Prints the number of slow moves besides these, and the state's last address.
"""
import sys
import time

from hostile_netlink import Xfrm

OURS, LIMIT, PAUSE = 42, 0.04, 0.3


def main(local, here, there, spi, key, turns):
    """A state that cannot be added is an error."""
    xfrm, quick, slow = Xfrm(), 0, 0
    while quick < turns and slow < 10 * turns:
        start = time.monotonic()
        error = xfrm.delete(here, spi) or xfrm.add(local, there, spi, OURS, key, reqid=1)
        took = time.monotonic() - start
        quick += took <= LIMIT
        slow += took > LIMIT
        if error:
            raise OSError(error, "no move")
        here, there = there, here
        # The device has handled the event
        time.sleep(PAUSE)
    print(slow if quick == turns else "all", here)


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4], 0), bytes.fromhex(sys.argv[5]), int(sys.argv[6]))
