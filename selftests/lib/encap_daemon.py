#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Like an IKE daemon, has a UDP port on which the kernel extracts ESP.

    encap_daemon.py PORT [4|6] [gro] [plain]

With "plain", the program does not enable ESP.

With "gro", XFRM may take the packets already in GRO, if the kernel supports it. Prints "ready",
then "received HEX" for each message that the kernel leaves to it.
"""
import socket
import sys

UDP_ENCAP, UDP_ENCAP_ESPINUDP, UDP_GRO = 100, 2, 104


def main(port, family, gro, plain):
    """Run until killed."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if not plain:
        sock.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)
    if gro:
        sock.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
    sock.bind(("", port))
    print("ready", flush=True)
    while True:
        print("received", sock.recv(65536).hex(), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), socket.AF_INET6 if "6" in sys.argv[2:] else socket.AF_INET,
         "gro" in sys.argv[2:], "plain" in sys.argv[2:])
