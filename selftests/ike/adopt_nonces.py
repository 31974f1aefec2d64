#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sends by two devices in turn, and checks sequence numbers and IVs on the wire.

    adopt_nonces.py WIRE ADDRESS ADDRESS COUNT

UDP packets to the two addresses, COUNT in all, in batches that the kernel splits. On the wire
each is ESP of one SA with an IV of 8 bytes: the numbers must be consecutive from 1 on, and no IV
may occur twice.
"""
import os
import socket
import struct
import subprocess
import sys
import tempfile

SOL_UDP, UDP_SEGMENT, SEGMENT, BATCH = 17, 103, 16, 50
# Ethernet, IPv4, SPI, sequence number, IV
SNAPLEN = 14 + 20 + 4 + 4 + 8
# pcap: file header, packet header
FILE_HEADER, PACKET_HEADER = 24, 16


def sender(address):
    """A socket whose every send is a batch."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(SOL_UDP, UDP_SEGMENT, SEGMENT)
    sock.connect((address, 9))
    return sock


def send(addresses, count):
    """Alternate between them; send a single packet now and then."""
    sockets = [sender(address) for address in addresses]
    turn = 0
    while count:
        size = min(count, 1 if turn % 9 == 8 else BATCH)
        sockets[turn % 2].send(bytes(SEGMENT * size))
        count -= size
        turn += 1


def captured(path):
    """(sequence number, IV) of each packet."""
    with open(path, "rb") as file:
        data = memoryview(file.read())[FILE_HEADER:]
    size = PACKET_HEADER + SNAPLEN
    packet = struct.Struct(f"={size - 12}x4s8s")
    for seq, iv in packet.iter_unpack(data[:len(data) // size * size]):
        yield int.from_bytes(seq, "big"), iv


def capture(wire, path, count):
    """tcpdump, listening; it ends after writing COUNT packets."""
    dump = subprocess.Popen(["tcpdump", "-Z", "root", "-n", "-i", wire, "-w", path, "-s", str(SNAPLEN),
                             "-c", str(count), "-B", "262144", "--immediate-mode", "esp"],
                            stderr=subprocess.PIPE, text=True)
    while "listening" not in dump.stderr.readline():
        if dump.poll() is not None:
            sys.exit("no tcpdump")
    return dump


def main(wire, *arguments):
    """Send all packets, then check them."""
    *addresses, count = arguments
    count = int(count)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "pcap")
        dump = capture(wire, path, count)
        send(addresses, count)
        try:
            said = dump.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            dump.terminate()
            said = dump.communicate()[1]
        last, ivs = 0, set()
        for seq, iv in captured(path):
            if seq != last + 1:
                sys.exit(f"number {seq} behind {last}; tcpdump: {said}")
            last = seq
            ivs.add(iv)
    if last != count:
        sys.exit(f"{last} packets instead of {count}; tcpdump: {said}")
    if len(ivs) != count:
        sys.exit(f"{count - len(ivs)} of {count} IVs came twice")
    print(f"packets {last}, IVs that came twice 0")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
