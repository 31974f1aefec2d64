#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Packets for a state in the moment in which XFRM has it and has not told of it.

    adopt_early.py GW STOCK TURNS

One process adds TURNS inbound states of if_id 42 to GW, one after the other. Another process
sends ESP from STOCK without a break, by the SPI of the state that comes next. The packets are not
authentic: whoever decrypts them, the device or stock IPsec, counts them as such.
"""
import errno
import mmap
import os
import signal
import socket
import struct
import sys
import time

from hostile_netlink import Xfrm
from netns import in_netns

GATEWAY, STOCK = "192.0.2.1", "192.0.2.2"
FIRST = 0x10000
# Older states go
KEPT = 50


class Spi:
    """The SPI that is sent by, and whether anything has been sent, for both processes."""

    def __init__(self):
        self.shared = mmap.mmap(-1, 5)

    def set(self, number):
        """From now on."""
        self.shared[:4] = struct.pack(">I", number)

    def send_by(self, stock):
        """ESP without end."""
        sock = in_netns(stock, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                                     socket.IPPROTO_ESP))
        sock.connect((GATEWAY, 0))
        number = 0
        while True:
            number += 1
            try:
                sock.send(self.shared[:4] + struct.pack(">I", number) + bytes(64))
            except OSError as error:
                # The receiver's queue is full
                if error.errno != errno.ENOBUFS:
                    raise
            self.shared[4] = 1

    def wait(self):
        """Until the first packet has been sent."""
        while not self.shared[4]:
            time.sleep(0.01)


def add_states(xfrm, spi, turns):
    """The sender knows each SPI before the state is there."""
    for number in range(FIRST, FIRST + turns):
        spi.set(number)
        error = xfrm.add(STOCK, GATEWAY, number, 42, bytes(20))
        if error:
            raise OSError(error, os.strerror(error))
        if number - FIRST >= KEPT:
            xfrm.delete(GATEWAY, number - KEPT)


def main(gateway, stock, turns):
    """As above. Each process has a processor of its own, if there are two."""
    spi = Spi()
    spi.set(FIRST)
    child = os.fork()
    if not child:
        os.sched_setaffinity(0, {os.cpu_count() - 1})
        spi.send_by(stock)
    try:
        os.sched_setaffinity(0, {0})
        xfrm = in_netns(gateway, Xfrm)
        spi.wait()
        add_states(xfrm, spi, int(turns))
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
