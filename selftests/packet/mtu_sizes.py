#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Sends inner packets of many sizes through the tunnels of mtu.sh; none may vanish.

    mtu_sizes.py every LEFT ROUTER RIGHT    every size to 9000; by every way, unless sampled
    mtu_sizes.py edges LEFT ROUTER RIGHT    sizes near the edges, with every shape of
                                            transform: IV, block and ICV in bytes

Over a path of 1500 bytes a packet with DF arrives, or its sender receives an error. One packet may
be lost to discover the smaller path (RFC 4301 section 8.2): sent again, it arrives or its sender
receives an error. Without DF, or over a path of 9200, all packets arrive.

Prints the numbers sent; exit status 1 if a packet vanished or was changed.
"""
import errno
import json
import os
import select
import socket
import sys
import tempfile
import time

from netns import checkers_on, in_netns, run, sampled

CTL = os.environ.get("PVSVPNCTL", "pvsvpnctl")
WAYS = (("v4", "none"), ("v6", "none"), ("v4", "udp"), ("v6", "udp"))
INNER = {"v4": (socket.AF_INET, 20, "10.{}.0.{}"), "v6": (socket.AF_INET6, 40, "fd00:{}::{}")}
# One transform of each shape
SHAPES = ("aes128gcm16", "aes128gcm12", "aes128gcm8", "aes128-sha1", "aes128-sha256",
          "aes128-sha384", "aes128-sha512", "null-sha1", "null-sha256", "null-sha384",
          "null-sha512", "3des-sha1", "3des-sha256")
# For experiments (RFC 3692), so the kernel's protocols ignore it
PROTOCOL = 253
MOST, SMALL, JUMBO = 9000, 1500, 9200
BURST = 40
SECONDS = 10 if not checkers_on() else 30
STRIDE = 1 if not checkers_on() else 97
EVERY_WAY = not sampled()

IP_MTU_DISCOVER, IP_RECVERR = 10, 11
DONT, WANT, DO = 0, 1, 2
IPV6_MTU_DISCOVER, IPV6_RECVERR, IPV6_DONTFRAG = 23, 25, 62
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
BUFFER = 8 << 20


def pattern(length):
    """Bytes that depend on their position; the length comes first."""
    return (b"%d/" % length * (length // 2 + 1))[:length] if length > 4 else bytes(length)


def opened(netns, way, inner, end):
    """A raw socket with the address of one end."""
    family, _, addr = INNER[inner]
    sock = in_netns(netns, lambda: socket.socket(family, socket.SOCK_RAW, PROTOCOL))
    sock.bind((addr.format(way, end), 0))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, BUFFER)
    sock.setblocking(False)
    return sock


class Flow:
    """One way, one inner family."""

    def __init__(self, left, right, way, inner):
        self.inner, self.way = inner, way
        self.header = INNER[inner][1]
        self.to = (INNER[inner][2].format(way, 2), 0)
        self.sender, self.receiver = opened(left, way, inner, 1), opened(right, way, inner, 2)
        self.sent = self.told = self.arrived = self.again = 0
        self.allowed, self.faults = False, []
        if inner == "v4":
            self.sender.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        else:
            self.sender.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)

    def may_fragment(self, allowed):
        """Fragments allowed: no DF; in IPv6 the sender itself fragments."""
        self.allowed = allowed
        if self.inner == "v4":
            self.sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, DONT if allowed else DO)
        else:
            self.sender.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, WANT if allowed else DO)
            self.sender.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, int(not allowed))

    def clear(self):
        """Reset for the next count."""
        self.sent = self.told = self.arrived = self.again = 0
        self.faults = []

    def send(self, length):
        """True, or False if the sender receives an error at once."""
        for _ in range(3):
            try:
                self.sender.sendto(pattern(length), self.to)
                self.sent += 1
                return True
            except OSError as err:
                if err.errno != errno.EMSGSIZE:
                    raise
                # This may be the error of an earlier packet
                if not self.errors():
                    break
        self.sent += 1
        self.told += 1
        return False

    def errors(self):
        """Lengths of packets for which an error came later."""
        lengths = []
        while True:
            try:
                data = self.sender.recvmsg(65536, 512, socket.MSG_ERRQUEUE)[0]
            except BlockingIOError:
                return lengths
            except OSError:
                continue
            # Raw IPv4 sockets get the header too
            if self.inner == "v4" and data[:1] == b"E":
                data = data[20:]
            if b"/" in data[:5]:
                lengths.append(int(data.split(b"/", 1)[0]))
            else:
                lengths.append(-1)

    def collect(self, want):
        """Remove packets that arrive, and those with an error, from want."""
        skip = self.header if self.inner == "v4" else 0
        deadline = time.monotonic() + SECONDS
        while want and time.monotonic() < deadline:
            readable = select.select([self.receiver, self.sender], [], [], 0.3)[0]
            if not readable:
                break
            while True:
                try:
                    data = self.receiver.recv(65536)[skip:]
                except BlockingIOError:
                    break
                if len(data) in want and data == pattern(len(data)):
                    want.discard(len(data))
                    self.arrived += 1
                else:
                    self.faults.append(f"{len(data)} bytes arrived changed, or twice")
            self.take_told(want)
        self.take_told(want)

    def take_told(self, want):
        """Errors that have come in."""
        for length in self.errors():
            if length in want:
                want.discard(length)
                self.told += 1

    def burst(self, lengths, learns):
        """Send and collect; returns what vanished, after a retry if a path is being learnt."""
        want = {length for length in lengths if self.send(length)}
        self.collect(want)
        if not want or not learns:
            return want
        self.again += len(want)
        want = {length for length in sorted(want) if self.send(length)}
        self.collect(want)
        return want

    def all(self, sizes, learns=False):
        """Inner sizes, in bursts."""
        lengths = [size - self.header for size in sizes if size >= self.header]
        for start in range(0, len(lengths), BURST):
            for length in sorted(self.burst(lengths[start:start + BURST], learns)):
                self.faults.append(f"inner size {length + self.header} has vanished")
            if len(self.faults) > 5:
                return
        # IPv6 that does not fit is refused once, so that its sender fragments it
        if self.allowed and self.told and not learns:
            self.faults.append(f"{self.told} that may be fragmented were refused")


class Lab:
    """The three namespaces."""

    def __init__(self, left, router, right):
        self.left, self.router, self.right = left, router, right
        self.spi = 0x1000
        self.flows = {(way, inner): Flow(left, right, way, inner)
                      for way in range(len(WAYS)) for inner in INNER}

    def forget(self):
        """Forget learnt paths, outside and inside."""
        for netns in (self.left, self.right):
            for family in ("-4", "-6"):
                run("ip", "-n", netns, family, "route", "flush", "cache")

    def far_mtu(self, mtu):
        """The MTU of the wire behind the router."""
        run("ip", "-n", self.router, "link", "set", "far0", "mtu", str(mtu))
        run("ip", "-n", self.right, "link", "set", "outer0", "mtu", str(mtu))
        self.forget()

    def rise(self):
        """Traffic makes the devices notice a larger path."""
        deadline = time.monotonic() + SECONDS
        while min(self.shown(way)["mtu"] for way in range(len(WAYS))) < MOST:
            for flow in self.flows.values():
                flow.may_fragment(False)
                flow.all([MOST // 8])
            if time.monotonic() > deadline:
                sys.exit(f"no device has risen to {MOST} over a path of {JUMBO}")
        self.forget()
        for flow in self.flows.values():
            flow.clear()

    def transform(self, name):
        """New SAs in both directions of all ways replace the old ones."""
        legacy = " legacy" if "sha1" in name or "3des" in name else ""
        with tempfile.TemporaryDirectory() as keys:
            key = f"{keys}/key"
            os.umask(0o077)
            with open(key, "x", encoding="ascii") as file:
                file.write(run(CTL, "genkey", name))
            add, delete = {self.left: [], self.right: []}, {self.left: [], self.right: []}
            for way in range(len(WAYS)):
                for netns, directions in ((self.left, "out in"), (self.right, "in out")):
                    for spi, direction in enumerate(directions.split(), self.spi + 2 * way):
                        sa = f"pvs{way} other dir {direction} spi {spi}"
                        add[netns].append(f"sa add {sa} transform {name} key-file {key}{legacy}")
                        if self.spi > 0x1000:
                            old = sa.replace(f"spi {spi}", f"spi {spi - 2 * len(WAYS)}")
                            delete[netns].append(f"sa del {old}")
            for commands in (add, delete):
                for netns in (self.right, self.left):
                    if commands[netns]:
                        run(CTL, "-n", netns, "-b", "-", stdin="\n".join(commands[netns]) + "\n")
        self.spi += 2 * len(WAYS)

    def shown(self, way):
        """A device, from `show`."""
        return json.loads(run(CTL, "-n", self.left, "-j", "show", f"pvs{way}"))["devices"][0]

    def inner_mtu(self, way):
        """Its peer."""
        return self.shown(way)["peers"][0]["inner_mtu"]

    def learn(self):
        """Send one large packet by each way, to learn the path."""
        for (_, inner), flow in self.flows.items():
            if inner == "v4":
                flow.may_fragment(False)
                flow.all([MOST], learns=True)

    def report(self, name, failed):
        """Prints and clears the counts; number of faults."""
        sent = arrived = told = again = 0
        for (way, inner), flow in self.flows.items():
            for fault in flow.faults:
                print(f"{name}, {inner} in {' '.join(WAYS[way])}: {fault}")
            failed += len(flow.faults)
            sent, arrived = sent + flow.sent, arrived + flow.arrived
            told, again = told + flow.told, again + flow.again
            flow.clear()
        print(f"{name}: {sent} packets sent, {arrived} arrived, {told} told to the sender, "
              f"{again} sent again to learn the path, {sent - arrived - told - again} vanished")
        return failed


def every(lab):
    """Each way sends every eighth size, and all ways together every one. Unless sampled, each way
    sends every size with DF over 1500 bytes."""
    failed = 0
    lab.transform(SHAPES[0])
    ways = len(lab.flows)
    for path, allowed in ((SMALL, False), (SMALL, True), (JUMBO, False)):
        lab.far_mtu(path)
        if path == JUMBO:
            lab.rise()
        step = STRIDE if EVERY_WAY and path == SMALL and not allowed else STRIDE * ways
        count = 0
        for first, flow in enumerate(lab.flows.values(), start=20):
            sizes = [*range(first, MOST, step), MOST]
            count += len(sizes)
            flow.may_fragment(allowed)
            flow.all(sizes, learns=path == SMALL)
            if path == JUMBO and flow.told:
                flow.faults.append(f"{flow.told} were refused where all fit")
        failed = lab.report(f"path of {path}, {'with' if not allowed else 'without'} DF, "
                            f"{count} sizes and ways, {ways} ways", failed)
    return failed


def edges(lab):
    """Sizes near the limits of padding, path and IPv6's minimum."""
    failed = 0
    lab.far_mtu(SMALL)
    for name in SHAPES if not checkers_on() else SHAPES[::4]:
        lab.transform(name)
        lab.learn()
        count, chosen = 0, []
        for (way, _), flow in lab.flows.items():
            mtu = lab.inner_mtu(way)
            sizes = sorted({*range(20, 60), *range(mtu - 20, mtu + 21), *range(1275, 1285),
                            *range(1490, 1511), *range(8990, 9001)})[::1 if STRIDE == 1 else 9]
            count += len(sizes)
            chosen.append((flow, sizes))
            flow.may_fragment(False)
            flow.all(sizes, learns=True)
        what = f"{name}, inner MTU {lab.inner_mtu(0)} in v4 none, {count} sizes and ways"
        failed = lab.report(f"{what}, with DF", failed)
        for flow, sizes in chosen:
            flow.may_fragment(True)
            flow.all(sizes)
        failed = lab.report(f"{what}, without DF", failed)
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[1] not in ("every", "edges"):
        sys.exit("usage: mtu_sizes.py every|edges LEFT ROUTER RIGHT")
    sys.exit(1 if {"every": every, "edges": edges}[sys.argv[1]](Lab(*sys.argv[2:])) else 0)
