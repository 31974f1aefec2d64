#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""UDP with segmentation offload (UDP_SEGMENT), and a receiver that checks it.

    traffic_udp.py receive ADDRESS COUNT    prints "whole" once all have come
    traffic_udp.py send ADDRESS COUNT
"""
import socket
import sys

PORT = 7000
SIZE = 1200
UDP_SEGMENT = 103
SO_RCVBUFFORCE = 33


def datagram(number):
    return number.to_bytes(4, "big") * (SIZE // 4)


def receive(address, count):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # Room for all of them, however late this process runs; rmem_max does not apply
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    sock.bind((address, PORT))
    missing = set(range(count))
    while missing:
        data = sock.recv(65535)
        number = int.from_bytes(data[:4], "big")
        assert data == datagram(number), f"datagram {number} altered"
        missing.discard(number)
    print("whole", flush=True)


def send(address, count, per_call=40):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, SIZE)
    sock.connect((address, PORT))
    for first in range(0, count, per_call):
        numbers = range(first, min(first + per_call, count))
        sock.send(b"".join(datagram(n) for n in numbers))


if __name__ == "__main__":
    {"send": send, "receive": receive}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
