#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Prints XFRM's messages to daemons about changed NAT mappings (XFRM_MSG_MAPPING).

Prints "ready", then "spi SPI OLD PORT to NEW PORT" for each. IPv4 only.
"""
import socket
import struct

NETLINK_XFRM, XFRMNLGRP_MAPPING, XFRM_MSG_MAPPING = 6, 8, 0x26
# struct xfrm_usersa_id (daddr, spi, family, proto), reqid, old and new address and ports
MAPPING = struct.Struct("=16s4sHBxI16s16s2s2s")


def main():
    """Run until killed."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM)
    sock.bind((0, 1 << (XFRMNLGRP_MAPPING - 1)))
    print("ready", flush=True)
    while True:
        message = sock.recv(65536)
        if struct.unpack_from("=IH", message)[1] != XFRM_MSG_MAPPING:
            continue
        fields = MAPPING.unpack_from(message, 16)
        _, spi, _, _, _, old, new, old_port, new_port = fields
        print("spi 0x%s %s %d to %s %d" % (
            spi.hex(), socket.inet_ntoa(old[:4]), int.from_bytes(old_port, "big"),
            socket.inet_ntoa(new[:4]), int.from_bytes(new_port, "big")), flush=True)


if __name__ == "__main__":
    main()
