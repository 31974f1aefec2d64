#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sends one packet that no program sends by itself.

    settings_send.py syn SRC DST            TCP SYN with the MSS at an odd place
    settings_send.py error SRC DST PORT SPI SEQ MTU
                                            to SRC: "too big" about its ESP packet to DST,
                                            in UDP if PORT is not 0
    settings_send.py garbage SRC DST PORT   to SRC: errors that quote too little, or noise
"""
import os
import socket
import struct
import sys


def checksum(data):
    """Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def send(family, protocol, packet, to):
    """Send by a raw socket; the kernel computes the checksum of ICMPv6."""
    with socket.socket(family, socket.SOCK_RAW, protocol) as sock:
        sock.sendto(packet, (to, 0))


def syn(src, dst):
    """NOP, MSS, NOP, NOP, NOP."""
    options = b"\1" + struct.pack("!BBH", 2, 4, 1460) + b"\1\1\1"
    tcp = struct.pack("!HHIIBBHHH", 40000, 5201, 1, 0, 7 << 4, 2, 65535, 0, 0) + options
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!HH", 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    send(socket.AF_INET, socket.IPPROTO_TCP, tcp, dst)


def quoted(src, dst, port, esp):
    """The beginning of a packet from src to dst."""
    if port:
        esp = struct.pack("!HHHH", port, port, 8 + 100, 0) + esp
    protocol = socket.IPPROTO_UDP if port else socket.IPPROTO_ESP
    if ":" in src:
        return (struct.pack("!IHBB", 6 << 28, 1400, protocol, 64) +
                socket.inet_pton(socket.AF_INET6, src) +
                socket.inet_pton(socket.AF_INET6, dst) + esp)
    return (struct.pack("!BBHHHBBH", 0x45, 0, 1420, 0, 0x4000, 64, protocol, 0) +
            socket.inet_aton(src) + socket.inet_aton(dst) + esp)


def too_big(src, mtu, quote):
    """The error."""
    if ":" in src:
        send(socket.AF_INET6, socket.IPPROTO_ICMPV6, struct.pack("!BBHI", 2, 0, 0, mtu) + quote,
             src)
        return
    icmp = struct.pack("!BBHHH", 3, 4, 0, 0, mtu) + quote
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    send(socket.AF_INET, socket.IPPROTO_ICMP, icmp, src)


def error(src, dst, port, spi, seq, mtu):
    """An error about one packet."""
    esp = struct.pack("!II", int(spi, 0), int(seq) & 0xffffffff) + bytes(64)
    too_big(src, int(mtu), quoted(src, dst, int(port), esp))


def garbage(src, dst, port):
    """Errors that quote too little of a packet, and random bytes."""
    whole = quoted(src, dst, int(port), b"\0\0\x10\1" + bytes(60))
    for length in range(65):
        too_big(src, 1300, whole[:length])
        too_big(src, 1300, os.urandom(length))


if __name__ == "__main__":
    {"syn": syn, "error": error, "garbage": garbage}[sys.argv[1]](*sys.argv[2:])
