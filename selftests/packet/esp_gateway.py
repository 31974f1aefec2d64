# SPDX-License-Identifier: GPL-2.0
"""The gateway under test and the wire before it.

    namespace WIRE                     namespace GW
    AF_PACKET -- wire0 ---veth--- outer0 192.0.2.1
                                  pvs0   peer "wire"  192.0.2.2: 10.2.0.0/24, fd00:2::/64
                                         peer "other" 192.0.2.3: 10.3.0.0/24

192.0.2.2 and 192.0.2.3 exist only as neighbour entries, so only the test answers, and wire0
receives all packets that GW sends to them.
"""
import errno
import json
import os
import select
import socket
import struct
import time

from esp_packet import Sa, outer
from netns import in_netns, run

ETH_P_ALL = 3
ETH_P_IP = 0x0800
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33
DEADLINE = 15
# A CPU's backlog holds 1000; the veth must not lose any.
BURST_MAX = 900
CTL = os.environ.get("PVSVPNCTL", "pvsvpnctl")


def packet_socket(netns, device, kind):
    """AF_PACKET on a device, with room for all packets of a test."""
    def make():
        sock = socket.socket(socket.AF_PACKET, kind, socket.htons(ETH_P_ALL))
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        sock.bind((device, ETH_P_ALL))
        sock.setblocking(False)
        return sock
    return in_netns(netns, make)


def received(sock, want, deadline=DEADLINE):
    """Received packets: waits until the wanted number is there, then takes all."""
    packets = []
    end = time.monotonic() + deadline
    while True:
        try:
            data, addr = sock.recvfrom(65536)
        except BlockingIOError:
            if len(packets) >= want or time.monotonic() > end:
                return packets
            time.sleep(0.01)
        except OSError as err:  # reported once when the device goes down
            if err.errno != errno.ENETDOWN:
                raise
        else:
            if addr[2] != PACKET_OUTGOING:
                packets.append(data)


class Gateway:
    """Commands to GW, packets in and out, counters."""

    def __init__(self, netns, wire):
        self.netns = netns
        self.wire_netns = wire
        self.next_spi = 0x1000
        self.sas = []
        self.build()
        self.wire = packet_socket(wire, "wire0", socket.SOCK_RAW)
        self.tap = packet_socket(netns, "pvs0", socket.SOCK_DGRAM)

    def ip(self, *args):
        """Run ip in GW."""
        return run("ip", "-n", self.netns, *args)

    def ctl(self, *args, stdin=None):
        """Run pvsvpnctl in GW."""
        return run(CTL, "-n", self.netns, *args, stdin=stdin)

    def build(self):
        """Create the picture above."""
        self.ip("link", "add", "outer0", "type", "veth",
                "peer", "name", "wire0", "netns", self.wire_netns)
        run("ip", "-n", self.wire_netns, "link", "set", "wire0", "up")
        self.ip("addr", "add", "192.0.2.1/24", "dev", "outer0")
        self.ip("addr", "add", "192.0.2.11/24", "dev", "outer0")
        self.ip("link", "set", "lo", "up")
        self.ip("link", "set", "outer0", "up")
        self.macs = self.mac("wire0", self.wire_netns), self.mac("outer0", self.netns)
        for last in (2, 3, 4):
            self.ip("neigh", "add", f"192.0.2.{last}", "lladdr", self.macs[0],
                    "dev", "outer0")
        self.ip("link", "add", "pvs0", "type", "pvsvpn")
        self.ctl("peer", "add", "pvs0", "wire", "local", "192.0.2.1", "remote",
                 "192.0.2.2", "subnets", "10.2.0.0/24,fd00:2::/64")
        self.ctl("peer", "add", "pvs0", "other", "local", "192.0.2.1", "remote",
                 "192.0.2.3", "subnets", "10.3.0.0/24")
        # Keeps the carrier up, whatever happens to the SAs of "wire"
        self.add_sa(Sa("aes128gcm16", 0xfff), "out", peer="other")
        self.device_up()

    @staticmethod
    def mac(device, netns):
        """MAC address of a device."""
        return json.loads(run("ip", "-n", netns, "-j", "link", "show", device))[0]["address"]

    def device_up(self):
        """pvs0 with addresses and routes; only the test's own packets."""
        # Two commands: a single one sets the device up, with a link-local address, before the
        # setting
        self.ip("link", "set", "pvs0", "addrgenmode", "none")
        self.ip("link", "set", "pvs0", "up")
        self.ip("addr", "replace", "10.1.0.1/32", "dev", "pvs0")
        self.ip("addr", "replace", "fd00:1::1/128", "dev", "pvs0", "nodad")
        for route in ("10.2.0.0/24", "10.3.0.0/24"):
            self.ip("route", "replace", route, "dev", "pvs0", "src", "10.1.0.1")
        self.ip("route", "replace", "fd00:2::/64", "dev", "pvs0", "src", "fd00:1::1")
        wait(lambda: "LOWER_UP" in self.ip("link", "show", "pvs0"), "no carrier on pvs0")

    def add_sa(self, sa, direction, *args, peer="wire"):
        """Add an SA to GW."""
        self.ctl("sa", "add", "pvs0", peer, "dir", direction, "spi", hex(sa.spi),
                 "transform", sa.transform, "key-file", "-", *args,
                 stdin=sa.material.hex())
        return sa

    def sa(self, direction, transform="aes128gcm16", *args, material=None):
        """Add an SA with "wire", until the case ends."""
        self.next_spi += 1
        sa = Sa(transform, self.next_spi, material, "esn" in args)
        self.add_sa(sa, direction, *args)
        self.sas.append((sa, direction))
        return sa

    def forget(self):
        """Remove the case's SAs."""
        while self.sas:
            sa, direction = self.sas.pop()
            self.ctl("sa", "del", "pvs0", "wire", "spi", hex(sa.spi), "dir", direction)

    def inject(self, packet):
        """An IPv4 packet arrives at outer0."""
        head = b"".join(bytes.fromhex(mac.replace(":", "")) for mac in self.macs[::-1])
        # At most a socket buffer's worth of packets may be in flight
        select.select([], [self.wire], [], DEADLINE)
        self.wire.send(head + struct.pack("!H", ETH_P_IP) + packet)

    def captured(self, want):
        """ESP packets that GW has sent, starting at the outer IP header."""
        frames = received(self.wire, 0, 0)
        end = time.monotonic() + DEADLINE
        while True:
            packets = [f[14:] for f in frames if f[12:14] == b"\x08\x00" and f[23] == 50]
            if len(packets) >= want or time.monotonic() > end:
                return packets
            frames += received(self.wire, 1, 0.5)

    def drain(self):
        """Discard packets received before."""
        for sock in (self.wire, self.tap):
            received(sock, 0, 0)

    def counters(self):
        """Every counter of pvs0: {(whose, name): value}."""
        found = {}
        device = json.loads(self.ctl("-j", "stats", "pvs0"))["devices"][0]
        take(found, "device", device)
        for peer in device["peers"]:
            take(found, f"peer {peer['name']}", peer)
            for sa in peer["sas"]:
                take(found, f"sa {sa['dir']} {sa['spi']:#x}", sa)
        link = json.loads(self.ip("-j", "-s", "link", "show", "pvs0"))[0]["stats64"]
        for way in ("rx", "tx"):
            for name in ("packets", "bytes", "errors", "dropped"):
                found["link", f"{way}_{name}"] = link[way][name]
        return found


def take(found, whose, counted):
    """Counters of one object."""
    for name, value in counted.items():
        if name.endswith(("packets", "bytes")):
            found[whose, name] = value
    for name, value in counted["drops"].items():
        found[whose, name] = value


def wait(condition, complaint):
    """Wait until a condition holds."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, complaint
        time.sleep(0.02)


def moved(before, after, way):
    """Counters of one direction that have changed."""
    name, sas = ("tx_", "sa out") if way == "in" else ("rx_", "sa in")
    return {key: after[key] - before.get(key, 0) for key in after
            if after[key] != before.get(key, 0) and
            not key[1].startswith(name) and not key[0].startswith(sas)}


# Drops that `ip -s link` shows as dropped, or not at all; all others are errors.
DROPPED = ("rx_link_local", "rx_down")
NOT_SHOWN = ("rx_dummy",)


def expected(sa, delivered, drops, sa_known):
    """The counters that must have changed, and no others: {(whose, name): count}."""
    want = {}
    for whose in ("device", "peer wire", "link"):
        if delivered:
            want[whose, "rx_packets"] = len(delivered)
            want[whose, "rx_bytes"] = sum(map(len, delivered))
    if delivered:
        want[f"sa in {sa.spi:#x}", "packets"] = len(delivered)
        want[f"sa in {sa.spi:#x}", "bytes"] = sum(map(len, delivered))
    for name, count in drops.items():
        want["device", name] = want["peer wire", name] = count
        if sa_known:
            want[f"sa in {sa.spi:#x}", name] = count
        if name in NOT_SHOWN:
            continue
        column = ("link", "rx_dropped" if name in DROPPED else "rx_errors")
        want[column] = want.get(column, 0) + count
    return want


def forget_chatter(counted):
    """Removes the kernel's own MLD, which comes late on slow machines."""
    for key in (("device", "tx_multicast"), ("link", "tx_dropped")):
        counted.pop(key, None)


def difference(want, got):
    """Text: the differences between two sets of counters."""
    return "; ".join(f"{key[0]}: {key[1]} +{got.get(key, 0)} instead of +{want.get(key, 0)}"
                     for key in sorted(want.keys() | got.keys())
                     if want.get(key, 0) != got.get(key, 0))


def total(counted, way):
    """Packets that passed or were dropped, in one direction."""
    return sum(n for (whose, name), n in counted.items()
               if whose == "device" and name.startswith(way) and not name.endswith("bytes"))


def settle(gateway, before, want, way="in"):
    """Wait until every packet sent is counted somewhere; returns what has changed."""
    prefix = "rx_" if way == "in" else "tx_"
    end = time.monotonic() + DEADLINE
    while True:
        got = moved(before, gateway.counters(), way)
        if total(got, prefix) >= total(want, prefix) or time.monotonic() > end:
            return got
        time.sleep(0.05)


def settle_out(gateway, before, want):
    """settle() for packets that GW sends."""
    return settle(gateway, before, want, "out")


def expect(gateway, sa, packets, delivered=(), drops=None, sa_known=True):
    """Inject, then compare every counter and every packet that came out.

    packets: with their outer IPv4 header
    """
    gateway.drain()
    want = expected(sa, delivered, drops or {}, sa_known)
    before = gateway.counters()
    assert len(packets) <= BURST_MAX
    for packet in packets:
        gateway.inject(packet)
    got = settle(gateway, before, want)
    assert got == want, difference(want, got)
    out = received(gateway.tap, len(delivered))
    assert out == list(delivered), wrong_packets(out, delivered)


def wrong_packets(out, delivered):
    """Text: the first packet that differs from the expected one."""
    for i, (is_, should) in enumerate(zip(out, delivered)):
        if is_ != should:
            return f"packet {i}: {is_.hex()} instead of {should.hex()}"
    return f"{len(out)} packets delivered instead of {len(delivered)}"


def arrive(gateway, sa, esps, delivered=(), drops=None):
    """expect() for ESP packets of "wire"."""
    expect(gateway, sa, [outer(esp) for esp in esps], delivered, drops)
