#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sends ESP behind chains of IPv6 extension headers.

    esp_chains.py right|wrong SRC DST SPI KEY-FILE

right: every chain that RFC 8200 section 4.1 allows before ESP, and some more; prints how
many packets. wrong: chains that end too early, headers longer than the packet, ESP of less
than its header; prints how many.
"""
import socket
import struct
import sys

from esp_packet import Sa, inner4

HOP_BY_HOP, ROUTING, FRAGMENT, ESP, DESTINATION = 0, 43, 44, 50, 60


def options(length=8):
    """Body of an options header of this many bytes: all padding."""
    return bytes([length // 8 - 1, 1, length - 4]) + bytes(length - 4)


# The bytes after the next header field
BODY = {
    HOP_BY_HOP: options(),
    DESTINATION: options(),
    # No segment left, so that its type does not matter (RFC 8200 section 4.4)
    ROUTING: bytes([2, 0, 0]) + bytes(20),
    # The first and only fragment
    FRAGMENT: bytes([0]) + struct.pack("!HI", 0, 7),
}
RIGHT = (
    (), (HOP_BY_HOP,), (DESTINATION,), (HOP_BY_HOP, DESTINATION), (FRAGMENT,), (ROUTING,),
    (HOP_BY_HOP, DESTINATION, ROUTING, FRAGMENT, DESTINATION), (DESTINATION,) * 6,
)


def chain(kinds, last=ESP):
    """(first next header, bytes) of a chain before `last`."""
    packed = b""
    for kind in reversed(kinds):
        packed = bytes([last]) + BODY[kind] + packed
        last = kind
    return last, packed


def packet(src, dst, first, rest):
    """The whole IPv6 packet."""
    return (struct.pack("!IHBB", 6 << 28, len(rest), first, 64) +
            socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst) + rest)


def right(sa):
    """One packet after each chain."""
    for seq, kinds in enumerate(RIGHT, start=1):
        first, headers = chain(kinds)
        yield first, headers + sa.packet(seq, inner4())


def wrong(sa):
    """Sequence numbers that would be valid."""
    esp = sa.packet(1000, inner4())
    for kinds in RIGHT:
        first, headers = chain(kinds)
        for length in range(8):
            yield first, headers + esp[:length]
        for cut in range(1, len(headers)):
            yield first, headers[:cut]
    # The header claims to be longer than the rest of the packet
    yield DESTINATION, bytes([ESP, 255, 1, 4]) + bytes(4) + esp
    yield HOP_BY_HOP, bytes([ESP, 200, 1, 4]) + bytes(4) + esp


def main(what, src, dst, spi, key_file):
    """Send all packets."""
    with open(key_file, encoding="ascii") as file:
        sa = Sa("aes128gcm16", int(spi, 0), bytes.fromhex(file.read().strip()))
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        count = 0
        for first, rest in {"right": right, "wrong": wrong}[what](sa):
            sock.sendto(packet(src, dst, first, rest), (dst, 0))
            count += 1
    print(count)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
