#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Packets for a state in the moment when XFRM has it but has not announced it.

    adopt_early.py new GW STOCK TURNS          GW gets TURNS inbound states of if_id 42
    adopt_early.py new-in-udp GW STOCK TURNS   the same in UDP
    adopt_early.py moved-in GW STOCK TURNS     one inbound state of GW's moves TURNS times to another
                                               remote address (XFRM_MSG_MIGRATE)
    adopt_early.py moved-out GW STOCK TURNS    an outbound state does so, to another local address
    adopt_early.py two GW STOCK TURNS          two inbound states get packets in turns of 2 ms

A second process sends without a pause: ESP from STOCK with the next state's SPI, or packets to
10.2.0.1 in GW. The ESP is not authentic. The device and stock IPsec each count the packets that
they decrypt.
"""
import errno
import multiprocessing
import os
import socket
import struct
import sys
import time

from hostile_netlink import (IF_ID, MIGRATE, NEWPOLICY, POLICY_IN, POLICY_OUT, SO_RCVBUFFORCE,
                             SOL_NETLINK, Xfrm, migration, policy, selector, template, u32)
from hostile_victim import IN_UDP, Control
from netns import in_netns

GATEWAY, STOCK, OURS = "192.0.2.1", "192.0.2.2", 42
# Second addresses of both
GATEWAY_TOO, STOCK_TOO = "192.0.2.11", "192.0.2.12"
INNER = "10.2.0.1"
FIRST = 0x10000
# Older states are deleted
KEPT = 50
# Packets in all turns; under other load only a few come in each
ENOUGH = 2000
# XFRM tells its listeners one after another, the device last: many listeners extend the moment
LISTENERS = 50
NETLINK_ADD_MEMBERSHIP, XFRMNLGRP_SA, XFRMNLGRP_MIGRATE = 1, 3, 7


def listener():
    """A socket that receives an event for each state, and has room for all."""
    sock = Xfrm().sock
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    for group in (XFRMNLGRP_SA, XFRMNLGRP_MIGRATE):
        sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
    return sock


def raw_esp():
    """A socket for ESP to the gateway."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ESP)
    sock.connect((GATEWAY, 0))
    return sock


def udp_esp():
    """The same for ESP in UDP."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((STOCK, 4500))
    sock.connect((GATEWAY, 4500))
    return sock


def inner_udp():
    """A socket for inner packets to the other end."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((INNER, 4000))
    return sock


def send(sock, spi, sent):
    """Send endlessly."""
    while True:
        sent.value += 1
        try:
            sock.send(struct.pack(">II", spi.value, sent.value) + bytes(64))
        except OSError as error:
            # The receiver's queue is full
            if error.errno != errno.ENOBUFS:
                raise


def add(xfrm, src, dst, number, encap=b""):
    """A state."""
    error = xfrm.add(src, dst, number, OURS, bytes(20), encap)
    if error:
        raise OSError(error, f"state {number:#x}: {os.strerror(error)}")


def until_enough(turns, sent):
    """Count the turns. A slow sender needs more of them."""
    turn = 0
    while turn < turns or (sent.value < ENOUGH and turn < 20 * turns):
        yield turn
        turn += 1


def new(xfrm, spi, turns, sent, encap=b""):
    """The sender knows each SPI before the state exists."""
    begun = {}
    for number in (FIRST + turn for turn in until_enough(turns, sent)):
        spi.value = number
        # The sender may have been stopped while it sent a packet for the previous state
        begun[number - 1] = sent.value
        add(xfrm, STOCK, GATEWAY, number, encap)
        if number - FIRST >= KEPT:
            while sent.value <= begun[number - KEPT]:
                time.sleep(0.001)
            xfrm.delete(GATEWAY, number - KEPT)


def new_in_udp(xfrm, spi, turns, sent):
    """The same in UDP."""
    new(xfrm, spi, turns, sent, IN_UDP)


def move(xfrm, turns, sent, direction, ends):
    """A state and its policy move from one of the two ends to the other and back."""
    where = selector(dst="10.0.0.0", dst_len=8)
    add(xfrm, *ends[0], FIRST)
    xfrm.must(NEWPOLICY, policy(where, direction) + u32(IF_ID, OURS) + template(*ends[0]))
    for turn in until_enough(turns, sent):
        xfrm.must(MIGRATE, migration(where, OURS, *ends, direction))
        ends.reverse()
        # Every second time the device has handled the event
        time.sleep(0.005 * (turn % 2))


def moved_in(xfrm, _spi, turns, sent):
    """The SPI and the receiving address stay."""
    move(xfrm, turns, sent, POLICY_IN, [(STOCK, GATEWAY), (STOCK_TOO, GATEWAY)])


def moved_out(xfrm, _spi, turns, sent):
    """The same for packets that the gateway sends."""
    move(xfrm, turns, sent, POLICY_OUT, [(GATEWAY, STOCK), (GATEWAY_TOO, STOCK)])


def two(xfrm, spi, turns, sent):
    """No packet is for the same state as in the previous turn."""
    for number in (FIRST, FIRST + 1):
        add(xfrm, STOCK, GATEWAY, number)
    for turn in until_enough(turns, sent):
        spi.value = FIRST + turn % 2
        time.sleep(0.002)


def main(what, gateway, stock, turns):
    """As above. Both processes share a processor, so that one interrupts the other."""
    work = {"new": new, "new-in-udp": new_in_udp, "moved-in": moved_in, "moved-out": moved_out,
            "two": two}[what]
    os.sched_setaffinity(0, {0})
    xfrm = in_netns(gateway, Xfrm)
    listeners = [in_netns(gateway, listener) for _ in range(LISTENERS)]
    if work is moved_out:
        sock = in_netns(gateway, inner_udp)
    else:
        sock = in_netns(stock, udp_esp if work is new_in_udp else raw_esp)
    spi, sent = (multiprocessing.Value("L", value, lock=False) for value in (FIRST, 0))
    multiprocessing.Process(target=send, args=(sock, spi, sent), daemon=True).start()
    Control.wait(lambda: sent.value, "the first packet")
    work(xfrm, spi, turns, sent)
    print(f"sent {sent.value}")
    for sock in listeners:
        sock.close()


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]))
