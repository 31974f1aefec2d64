#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Rekeys a tunnel between LEFT and RIGHT under traffic, as an IKE daemon does.

    rekey.py LEFT RIGHT REKEYS PACKETS

The tunnel of lib.sh with SAs 0x1001 and 0x1002. For each rekey both ends get the new inbound SAs,
then the new outbound ones. The old ones are deleted last, the outbound first, so that packets in
flight still find their SA. Meanwhile PACKETS numbered datagrams cross in either direction. Prints
how many were sent, received, lost and duplicated; exit status 1 unless all came once.
"""
import os
import socket
import sys
import tempfile
import threading
import time

from netns import in_netns, run

CTL = os.environ.get("PVSVPNCTL", "pvsvpnctl")
ADDRESSES = ("10.1.0.1", "10.2.0.1")
PORT = 4000
BUFFER = 8 << 20
SO_RCVBUFFORCE = 33


def opened(netns, addr, peer):
    """A UDP socket of one end."""
    sock = in_netns(netns, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
    sock.bind((addr, PORT))
    sock.connect((peer, PORT))
    sock.settimeout(5)
    return sock


class Traffic(threading.Thread):
    """Datagrams of one direction, spread over the time of the rekeys."""

    def __init__(self, source, sink, packets):
        super().__init__()
        self.source, self.sink, self.packets = source, sink, packets
        self.sent, self.seen, self.duplicates = 0, set(), 0
        self.pause = 0.004
        self.reader = threading.Thread(target=self.read)

    def run(self):
        self.reader.start()
        while self.sent < self.packets:
            self.source.send(self.sent.to_bytes(4, "big") + bytes(200))
            self.sent += 1
            time.sleep(self.pause)
        self.reader.join()

    def last(self, seconds):
        """Spread the remaining datagrams over that time."""
        self.pause = max(0.0005, seconds / max(1, self.packets - self.sent))

    def read(self):
        """Receive until all are there, or no more come."""
        while len(self.seen) < self.packets:
            try:
                number = int.from_bytes(self.sink.recv(65536)[:4], "big")
            except socket.timeout:
                return
            self.duplicates += number in self.seen
            self.seen.add(number)


def rekey(ends, old, new, keys):
    """The new SAs to the right and to the left (SPI and SPI + 1) replace the old."""
    def add(direction, peer, spi):
        return (f"sa add pvs0 {peer} dir {direction} spi {spi} transform aes128gcm16 "
                f"key-file {keys}/{spi}\n")

    def delete(direction, peer, spi):
        return f"sa del pvs0 {peer} dir {direction} spi {spi}\n"

    for spi in (new, new + 1):
        with open(f"{keys}/{spi}", "x", encoding="ascii") as file:
            file.write(os.urandom(20).hex())
    left, right = ends
    steps = ((left, add("in", "right", new + 1)), (right, add("in", "left", new)),
             (left, add("out", "right", new)), (right, add("out", "left", new + 1)),
             (left, delete("out", "right", old)), (right, delete("out", "left", old + 1)))
    for netns, commands in steps:
        run(CTL, "-n", netns, "-b", "-", stdin=commands)
    # Packets sent by the old SAs may still be queued on the way
    time.sleep(0.02)
    run(CTL, "-n", left, "-b", "-", stdin=delete("in", "right", old + 1))
    run(CTL, "-n", right, "-b", "-", stdin=delete("in", "left", old))


def main(left, right, rekeys, packets):
    """Exit status."""
    os.umask(0o077)
    ends = [opened(netns, *pair) for netns, pair in
            ((left, ADDRESSES), (right, ADDRESSES[::-1]))]
    flows = [Traffic(*ends, packets), Traffic(*ends[::-1], packets)]
    for flow in flows:
        flow.start()
    under_traffic, spi = 0, 0x1001
    with tempfile.TemporaryDirectory() as keys:
        started = time.monotonic()
        for done in range(rekeys):
            under_traffic += all(flow.sent < packets for flow in flows)
            rekey((left, right), spi, spi + 2, keys)
            spi += 2
            left_over = (time.monotonic() - started) / (done + 1) * (rekeys - done - 1)
            for flow in flows:
                flow.last(left_over)
    for flow in flows:
        flow.join()
    sent = sum(flow.sent for flow in flows)
    received = sum(len(flow.seen) for flow in flows)
    duplicates = sum(flow.duplicates for flow in flows)
    print(f"{rekeys} rekeys, {under_traffic} of them under traffic both ways")
    print(f"sent {sent}, received {received}, lost {sent - received}, duplicated {duplicates}")
    return 0 if sent == received and not duplicates and under_traffic >= rekeys // 2 else 1


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: rekey.py LEFT RIGHT REKEYS PACKETS")
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
