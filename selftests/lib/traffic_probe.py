#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sends through a tunnel from namespace LEFT to namespace RIGHT, and compares.

    traffic_probe.py sizes LEFT RIGHT MTU      every inner length up to MTU
    traffic_probe.py datagrams LEFT RIGHT      UDP of up to 64 KiB, one packet a send()
    traffic_probe.py segments LEFT RIGHT       UDP in segments (UDP_SEGMENT)
    traffic_probe.py fragments LEFT RIGHT      the same, too big for the path and without DF
    traffic_probe.py wire LEFT RIGHT           is the wire itself: reads from TUN
                                               device outer0 in LEFT, looks at the
                                               outer header, changes its ECN field,
                                               writes to outer0 in RIGHT

One process in two namespaces, since starting Python takes long in an emulated
machine. Prints what is wrong, one line each; exit status 1 if there is any.
"""
import fcntl
import os
import select
import socket
import struct
import sys
import time

from netns import checkers_on, enter, run

TUNSETIFF = 0x400454ca
IFF_TUN_NO_PI = 0x1001
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
SOL_UDP = 17
UDP_SEGMENT = 103
IP_MTU_DISCOVER, IP_PMTUDISC_DONT = 10, 0
# For experiments (RFC 3692), so the kernel's protocols ignore it.
PROTOCOL = 253
TO4, TO6 = "10.2.0.1", "fd00:2::1"
PORT = 4000
SECONDS = 10
BUFFER = 4 << 20

faults = []


def fault(text):
    """An error."""
    faults.append(text)
    if len(faults) <= 20:
        print(text, flush=True)


def opened(name, family, kind, protocol=0, bind=None):
    """A socket in namespace `name`."""
    enter(name)
    sock = socket.socket(family, kind, protocol)
    sock.settimeout(SECONDS)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, BUFFER)
    if bind:
        sock.bind(bind)
    return sock


def pattern(length):
    """Bytes that depend on position and length."""
    return (b"%d/" % length * (length // 2 + 1))[:length]


def received(sock, header):
    """Payload of the next packet, None if none comes."""
    try:
        return sock.recv(65536)[header:]
    except socket.timeout:
        return None


def sizes_of(left, right, family, to, header, mtu):
    """Every payload that makes an inner packet of header..mtu bytes; only every 31st and
    the last if the kernel has checkers on."""
    most = mtu - header
    sender = opened(left, family, socket.SOCK_RAW, PROTOCOL)
    receiver = opened(right, family, socket.SOCK_RAW, PROTOCOL)
    # A raw IPv4 socket gets the header too.
    skip = header if family == socket.AF_INET else 0
    for length in (*range(0, most, 31 if checkers_on() else 1), most):
        sender.sendto(pattern(length), (to, 0))
        data = received(receiver, skip)
        if data is None:
            fault(f"inner length {header + length} to {to}: lost")
        elif data != pattern(length):
            fault(f"inner length {header + length} to {to}: {len(data)} other bytes")


def sizes(left, right, mtu):
    """Every inner length, one after another, so that a loss shows its length."""
    sizes_of(left, right, socket.AF_INET, TO4, 20, int(mtu))
    sizes_of(left, right, socket.AF_INET6, TO6, 40, int(mtu))


def datagrams_of(left, right, family, to):
    """One send() arrives in one piece."""
    sender = opened(left, family, socket.SOCK_DGRAM)
    receiver = opened(right, family, socket.SOCK_DGRAM, bind=(to, PORT))
    for length in (1, 1400, 1500, 8000, 30000, 65507 if family == socket.AF_INET else 65487):
        sender.sendto(pattern(length), (to, PORT))
        if received(receiver, 0) != pattern(length):
            fault(f"UDP of {length} bytes to {to}: lost or altered")


def segmented(sender, receiver, to, sizes):
    """One send() arrives in that many segments; sizes are of (segment, all)."""
    for size, length in sizes:
        sender.setsockopt(SOL_UDP, UDP_SEGMENT, size)
        sender.sendto(pattern(length), (to, PORT))
        for start in range(0, length, size):
            if received(receiver, 0) != pattern(length)[start:start + size]:
                fault(f"segment at {start} of {length} bytes to {to}: lost or altered")
                break


def segments_of(left, right, family, to):
    """Segments that fit the path."""
    sender = opened(left, family, socket.SOCK_DGRAM)
    receiver = opened(right, family, socket.SOCK_DGRAM, bind=(to, PORT))
    segmented(sender, receiver, to, ((1200, 60000), (1000, 43210), (100, 6400), (1372, 1373)))


def fragments(left, right):
    """Segments of one send(), each too big for the path."""
    sender = opened(left, socket.AF_INET, socket.SOCK_DGRAM)
    receiver = opened(right, socket.AF_INET, socket.SOCK_DGRAM, bind=(TO4, PORT))
    sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
    segmented(sender, receiver, TO4, ((1472, 14720), (4000, 30000), (1000, 5000)))


def datagrams(left, right):
    """Large UDP, both families."""
    datagrams_of(left, right, socket.AF_INET, TO4)
    datagrams_of(left, right, socket.AF_INET6, TO6)


def segments(left, right):
    """UDP in segments, both families."""
    segments_of(left, right, socket.AF_INET, TO4)
    segments_of(left, right, socket.AF_INET6, TO6)


# ---- the wire ----

def tun(name):
    """Device outer0 of a namespace, for the outer packets."""
    enter(name)
    file = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", b"outer0", IFF_TUN_NO_PI))
    # It now has a carrier, but loses packets until the kernel's worker has noticed it.
    deadline = time.monotonic() + SECONDS
    while " state UP " not in run("ip", "-n", name, "link", "show", "dev", "outer0"):
        if time.monotonic() > deadline:
            raise TimeoutError("outer0 does not come up")
    return file


def checksum(header):
    """Checksum of an IPv4 header whose own checksum field is 0."""
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def esp_from(file):
    """The next outer IPv4 packet with ESP, as bytearray."""
    while select.select([file], [], [], SECONDS)[0]:
        packet = os.read(file, 65536)
        if packet[0] >> 4 == 4 and packet[9] == socket.IPPROTO_ESP:
            return bytearray(packet)
    raise TimeoutError("no ESP packet on the wire")


def with_tos(packet, tos):
    """The packet with another TOS field."""
    packet[1] = tos
    packet[10:12] = b"\0\0"
    packet[10:12] = struct.pack("!H", checksum(bytes(packet[:20])))
    return bytes(packet)


class Flow:
    """Datagrams from left to right in one family, field by field."""

    def __init__(self, left, right, family, to):
        self.family, self.to = family, to
        self.sender = opened(left, family, socket.SOCK_DGRAM)
        self.receiver = opened(right, family, socket.SOCK_DGRAM, bind=(to, PORT))
        if family == socket.AF_INET:
            self.level, self.tos = socket.IPPROTO_IP, socket.IP_TOS
            self.ttl, self.receive = socket.IP_TTL, (socket.IP_RECVTOS, 12)
        else:
            self.level, self.tos = socket.IPPROTO_IPV6, socket.IPV6_TCLASS
            self.ttl = socket.IPV6_UNICAST_HOPS
            self.receive = (socket.IPV6_RECVTCLASS, socket.IPV6_RECVHOPLIMIT)
        for option in self.receive:
            self.receiver.setsockopt(self.level, option, 1)

    def send(self, tos, ttl):
        """One datagram into the tunnel."""
        self.sender.setsockopt(self.level, self.tos, tos)
        self.sender.setsockopt(self.level, self.ttl, ttl)
        self.sender.sendto(b"x", (self.to, PORT))

    def fields(self, seconds):
        """(TOS, TTL) of the packet that arrived, None if none did."""
        self.receiver.settimeout(seconds)
        try:
            extra = self.receiver.recvmsg(100, 200)[1]
        except socket.timeout:
            return None
        # One byte of an int: it is first both in a little-endian int and in a u8.
        found = {kind: data[0] for _, kind, data in extra}
        if self.family == socket.AF_INET:
            return found[socket.IP_TOS], found[socket.IP_TTL]
        return found[socket.IPV6_TCLASS], found[socket.IPV6_HOPLIMIT]


NOT_ECT, ECT1, ECT0, CE = 0, 1, 2, 3
# RFC 6040 figure 4: by inner field, then by outer field; None must be dropped.
DECAPSULATED = {
    NOT_ECT: {NOT_ECT: NOT_ECT, ECT0: NOT_ECT, ECT1: NOT_ECT, CE: None},
    ECT0: {NOT_ECT: ECT0, ECT0: ECT0, ECT1: ECT1, CE: CE},
    ECT1: {NOT_ECT: ECT1, ECT0: ECT1, ECT1: ECT1, CE: CE},
    CE: {NOT_ECT: CE, ECT0: CE, ECT1: CE, CE: CE},
}
DSCP = (0, 0x2e, 0x0a)


def check_outer(packet, tos, what):
    """The expected outer header of a packet that need not be fragmented."""
    if packet[1] != tos:
        fault(f"{what}: outer TOS {packet[1]:#x}, should be {tos:#x}")
    if packet[8] != 64:
        fault(f"{what}: outer TTL {packet[8]}, should be the host's 64")
    if packet[6:8] != b"\x40\0":
        fault(f"{what}: outer DF not set, or a fragment: {packet[6:8].hex()}")
    if packet[4:6] != b"\0\0":
        fault(f"{what}: outer ID {packet[4:6].hex()}, needless with DF")


def check_inner(fields, tos, ttl, what):
    """The inner header as delivered."""
    want = None if tos is None else (tos, ttl)
    if fields != want:
        fault(f"{what}: inner TOS and TTL {fields}, should be {want}")


def wire_of(flow, ends, dscp):
    """The whole table at one DSCP; the outer DSCP is remarked on the way."""
    for inner, row in DECAPSULATED.items():
        for outer, result in row.items():
            what = f"{flow.to} DSCP {dscp:#x} inner {inner} outer {outer}"
            ttl = 5 + outer
            flow.send(dscp << 2 | inner, ttl)
            packet = esp_from(ends[0])
            check_outer(packet, dscp << 2 | inner, what)
            os.write(ends[1], with_tos(packet, 0x11 << 2 | outer))
            # RFC 2983: the inner DSCP stays unchanged.
            want = None if result is None else dscp << 2 | result
            check_inner(flow.fields(0.5 if want is None else SECONDS), want, ttl, what)


def wire(left, right):
    """RFC 6040 and RFC 2983 in both families."""
    ends = tun(left), tun(right)
    for family, to in ((socket.AF_INET, TO4), (socket.AF_INET6, TO6)):
        flow = Flow(left, right, family, to)
        for dscp in DSCP:
            wire_of(flow, ends, dscp)


if __name__ == "__main__":
    ACTIONS = {"sizes": sizes, "datagrams": datagrams, "segments": segments,
               "fragments": fragments, "wire": wire}
    if len(sys.argv) < 4 or sys.argv[1] not in ACTIONS:
        sys.exit(__doc__)
    ACTIONS[sys.argv[1]](*sys.argv[2:])
    sys.exit(bool(faults))
