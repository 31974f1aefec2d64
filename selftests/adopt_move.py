#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""An outbound state that moves, as a daemon moves it.

    adopt_move.py LOCAL FROM TO SPI KEY TURNS

In the network namespace that it runs in, the state of if_id 42, reqid 1 and hexadecimal KEY is
deleted at one of the two remote addresses and added at the other one, to and fro. The device
waits for a twentieth of a second for the second word. TURNS moves are quicker than that; a busy
host may leave a guest without a processor for longer. Prints how many slow ones there were
beside, and where the state is in the end.
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
        # The device has done what it was told
        time.sleep(PAUSE)
    print(slow if quick == turns else "all", here)


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4], 0), bytes.fromhex(sys.argv[5]), int(sys.argv[6]))
