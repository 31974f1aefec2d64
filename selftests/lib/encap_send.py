#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Datagrams to a port.

    encap_send.py ADDRESS PORT HEX...            these
    encap_send.py ADDRESS PORT malformed SPI     of 0 to 64 bytes: all ones, and with an SPI
"""
import os
import socket
import sys


def malformed(spi):
    """Not ESP, except for the first bytes."""
    for length in range(65):
        yield b"\xff" * length
        yield (int(spi, 16).to_bytes(4, "big") + os.urandom(60))[:length]


def main(address, port, *texts):
    """Send them all."""
    if texts[0] == "malformed":
        packets = malformed(texts[1])
    else:
        packets = map(bytes.fromhex, texts)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for packet in packets:
            sock.sendto(packet, (address, int(port)))


main(*sys.argv[1:])
