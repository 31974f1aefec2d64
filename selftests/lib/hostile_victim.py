#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Root's tunnels under attack: numbered traffic, and its control.

    hostile_victim.py GW STOCK STOP [udp]

In GW pvs0 carries XFRM's states of if_id 42, and pvs1 has its own SAs. Both lead to stock IPsec in
STOCK (see the picture in hostile.sh), in UDP if requested. Numbered datagrams and pings cross each
tunnel both ways. Meanwhile root's requests are repeated: one that only needs RTNL, showing
everything, adding and removing an SA, rekeying both tunnels.

Prints "ready" when all flows are running, "rekeyed N" for each rekey, and "refused" for a rekey
that stock IPsec itself refuses. When the file STOP exists, prints for each flow the packets sent,
received, lost and doubled and the longest latency, and for each kind of request the longest time;
also "WRONG" and each error.
"""
import errno
import os
import select
import signal
import socket
import struct
import sys
import time
from multiprocessing.sharedctypes import RawArray, RawValue

from hostile_netlink import ENCAP, UAPI, Family, Route, Xfrm, attribute, sa_attrs
from netns import checkers_on, in_netns

SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
TICK = 0.025
DEVICES = {"adopted": ("pvs0", "10.1.0.1", "10.2.0.1", "192.0.2.2", 42),
           "own": ("pvs1", "10.1.1.1", "10.2.1.1", "192.0.2.3", 43)}
GATEWAY = "192.0.2.1"
# 4500 at both ends
IN_UDP = attribute(ENCAP, struct.pack("=H", 2) + struct.pack(">HHxx", 4500, 4500) + bytes(16))
# An SA that is added and removed
SPARE = 0xE001
SIZES = (16, 64, 300, 900, 1200)
STOCK_OWN = ("XfrmOutStateInvalid", "XfrmOutNoStates", "XfrmInStateInvalid", "XfrmInError")


# ---- traffic ----

class Told:
    """Values from the traffic process for the control process.

    arrived   each packet from before has arrived
    now       when the traffic process read its clock
    gaps      begin and end of each time when this guest was stopped: a busy host may stop a
              guest for seconds
    """

    # Seconds; a packet that takes longer counts as lost
    LATE = 10
    # Seconds; the traffic process reads its clock once in a TICK, unless the guest is stopped
    STILL = 0.25
    # Seconds of a gap that the host may cause; 4.1 was observed
    HOST = 5
    # No guest is stopped more often
    GAPS = 4096

    def __init__(self):
        self.arrived, self.now = RawValue("d"), RawValue("d")
        self.gaps, self.count = RawArray("d", 2 * self.GAPS), RawValue("L")

    def tell(self, running):
        """The oldest missing packet determines the first value, unless it is lost."""
        last, now = self.now.value, time.monotonic()
        # A clock that counts instructions stops with the guest: such a gap is the kernel's fault
        if last and now - last > self.STILL and "VM_ICOUNT" not in os.environ:
            at = 2 * self.count.value
            self.gaps[at:at + 2] = last, min(now, last + self.HOST)
            self.count.value += 1
        for flow in running:
            while flow.under_way and flow.oldest() < now - self.LATE:
                del flow.under_way[next(iter(flow.under_way))]
        self.arrived.value = min([flow.oldest() for flow in running if flow.under_way], default=now)
        self.now.value = now

    def still(self, start, end):
        """Seconds between two times during which this guest was stopped."""
        count = 2 * self.count.value
        return sum(max(0, min(until, end) - max(since, start))
                   for since, until in zip(self.gaps[0:count:2], self.gaps[1:count:2]))

    def end(self):
        """Wait for nothing any more."""
        self.arrived.value = self.now.value = float("inf")


class Flow:
    """Numbered packets from one socket to another."""

    def __init__(self, name, source, sink):
        self.name, self.source, self.sink = name, source, sink
        self.sent, self.seen, self.doubled, self.altered, self.slowest = 0, set(), 0, 0, 0
        # Number and time of each packet that has not arrived, the oldest first
        self.under_way = {}
        for sock in {source, sink}:
            sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
            sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            sock.setblocking(False)

    def payload(self):
        """Number, time, and filler bytes that depend on the number."""
        size = SIZES[self.sent % len(SIZES)]
        return struct.pack(">QQ", self.sent, time.time_ns()) + bytes([self.sent % 251]) * size

    def packet(self):
        """The bytes of the next packet."""
        return self.payload()

    def send(self):
        """Send the next packet."""
        self.under_way[self.sent] = time.monotonic()
        self.source.send(self.packet())
        self.sent += 1

    def oldest(self):
        """Time of the oldest packet that has not arrived."""
        return next(iter(self.under_way.values()))

    def arrived(self, payload, stamp):
        """Count one packet."""
        number, left = struct.unpack(">QQ", payload[:16])
        self.under_way.pop(number, None)
        self.altered += payload[16:] != bytes([number % 251]) * SIZES[number % len(SIZES)]
        self.doubled += number in self.seen
        self.seen.add(number)
        self.slowest = max(self.slowest, stamp - left)

    def read(self):
        """Read all packets; the time is the kernel's, whenever we read."""
        while True:
            try:
                data, ancillary, _, _ = self.sink.recvmsg(4096, 64)
            except BlockingIOError:
                return
            second, nanosecond = struct.unpack("=qq", ancillary[0][2])
            self.take(data, second * 10**9 + nanosecond)

    def take(self, data, stamp):
        """One datagram."""
        self.arrived(data, stamp)

    @property
    def lost(self):
        """Packets sent and never received."""
        return self.sent - len(self.seen)


class Pings(Flow):
    """Echo requests, counted by their answers."""

    def __init__(self, name, sock, ident):
        super().__init__(name, sock, sock)
        self.ident = ident

    def packet(self):
        packet = struct.pack(">BBHHH", 8, 0, 0, self.ident, self.sent & 0xffff) + self.payload()
        total = sum(struct.unpack(f">{len(packet) // 2}H", packet))
        total = (total & 0xffff) + (total >> 16)
        total = (total & 0xffff) + (total >> 16)
        return packet[:2] + struct.pack(">H", ~total & 0xffff) + packet[4:]

    def take(self, data, stamp):
        icmp = data[(data[0] & 15) * 4:]
        if icmp[0] == 0 and struct.unpack(">H", icmp[4:6])[0] == self.ident:
            self.arrived(icmp[8:], stamp)


def udp(netns, address, port, peer):
    """A connected socket."""
    sock = in_netns(netns, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.bind((address, port))
    sock.connect((peer, port))
    return sock


def icmp_socket(netns, address, peer):
    """A raw one, connected."""
    sock = in_netns(netns, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                                 socket.IPPROTO_ICMP))
    sock.bind((address, 0))
    sock.connect((peer, 0))
    return sock


def flows(gateway, stock):
    """Three flows for each tunnel."""
    for ident, (name, (_, here, there, _, _)) in enumerate(DEVICES.items(), 1):
        near, far = udp(gateway, here, 4000, there), udp(stock, there, 4000, here)
        yield Flow(f"{name} out", near, far)
        yield Flow(f"{name} in", far, near)
        yield Pings(f"{name} ping", icmp_socket(gateway, here, there), ident)


def read_all(running, seconds):
    """Read what arrives within that time."""
    sinks = {flow.sink: flow for flow in running}
    ready, _, _ = select.select(list(sinks), [], [], max(0, seconds))
    for sock in ready:
        # Two flows may share a socket, and only one of them reads from it
        sinks[sock].read()


def traffic(running, stop, told):
    """Run until the file exists, then until no more packets come."""
    due, said = time.monotonic(), False
    while not os.path.exists(stop):
        for flow in running:
            flow.send()
        due = max(due + TICK, time.monotonic())
        while True:
            read_all(running, due - time.monotonic())
            told.tell(running)
            if time.monotonic() >= due:
                break
        if not said and all(flow.seen for flow in running):
            print("ready", flush=True)
            said = True
    quiet = time.monotonic()
    while any(flow.lost for flow in running) and time.monotonic() - quiet < 5:
        before = sum(len(flow.seen) for flow in running)
        read_all(running, 0.2)
        told.tell(running)
        if sum(len(flow.seen) for flow in running) != before:
            quiet = time.monotonic()
    told.end()


# ---- control ----

class Control:
    """Root's requests in both namespaces."""

    def __init__(self, gateway, stock, encap, told):
        self.encap, self.told = encap, told
        self.gateway, self.stock = gateway, stock
        self.family = in_netns(gateway, Family)
        self.route = in_netns(gateway, Route)
        self.here, self.there = in_netns(gateway, Xfrm), in_netns(stock, Xfrm)
        self.spi = {name: None for name in DEVICES}
        self.next_spi = 0x1001
        self.slowest, self.count, self.rekeys = {}, {}, 0

    def timed(self, what, action):
        """One request; result 0 means success."""
        start = end = time.monotonic()
        try:
            error = action()
            end = time.monotonic()
            if end - start > self.told.STILL:
                self.wait(lambda: self.told.now.value >= end, "the traffic to look at its clock")
        except OSError as failure:
            error, end = failure, time.monotonic()
        took = end - start - self.told.still(start, end)
        self.slowest[what] = max(took, self.slowest.get(what, 0))
        self.count[what] = self.count.get(what, 0) + 1
        limit = LIMITS["rekey" if what == "rekey" else "request"]
        if took > limit:
            print(f"WRONG: {what} took {took:.1f} s, limit {limit} s", flush=True)
        if error:
            print(f"WRONG: {what}: {os.strerror(error) if isinstance(error, int) else error}",
                  flush=True)

    def show(self):
        """Show all devices, peers and SAs; they must be there."""
        if b"pvs0" not in self.family.show("DEVICE_GET") or \
           b"stock" not in self.family.show("PEER_GET") or not self.family.show("SA_GET"):
            raise OSError("something is missing")
        return 0

    def spare(self):
        """Add and remove an inbound SA."""
        return self.family.cmd("SA_NEW", sa_attrs("pvs1", "stock", "IN", SPARE, os.urandom(20))) or \
            self.family.cmd("SA_DEL", sa_attrs("pvs1", "stock", "IN", SPARE))

    def add_here(self, name, direction, spi, key):
        """Add an SA of ours, or a state that becomes one."""
        device, _, _, remote, if_id = DEVICES[name]
        if name == "own":
            return self.family.cmd("SA_NEW", sa_attrs(device, "stock", direction, spi, key))
        ends = (GATEWAY, remote) if direction == "OUT" else (remote, GATEWAY)
        return self.here.add(*ends, spi, if_id, key, self.encap)

    def del_here(self, name, direction, spi):
        """Delete it."""
        device, _, _, remote, _ = DEVICES[name]
        if name == "own":
            return self.family.cmd("SA_DEL", sa_attrs(device, "stock", direction, spi))
        return self.here.delete(remote if direction == "OUT" else GATEWAY, spi)

    def rekey(self, name):
        """Daemon's order: the receiver's SA is added first and deleted last."""
        _, _, _, remote, if_id = DEVICES[name]
        old, new = self.spi[name], self.next_spi
        self.next_spi += 2
        out_key, in_key = os.urandom(20), os.urandom(20)
        error = self.add_here(name, "IN", new + 1, in_key) or \
            self.there.add(GATEWAY, remote, new, if_id, out_key, self.encap) or \
            self.there.add(remote, GATEWAY, new + 1, if_id, in_key, self.encap)
        if error == errno.ENAMETOOLONG:
            return self.refused(name, new)
        if old:
            error = error or self.there.delete(GATEWAY, old + 1)
        error = error or self.add_here(name, "OUT", new, out_key)
        if error:
            return error
        self.spi[name] = new
        self.wait(lambda: self.sending(name) == new, f"{name}: the new outbound SA")
        if old:
            error = self.del_here(name, "OUT", old)
            # Packets sent by the old outbound SAs may still be in flight
            last = time.monotonic()
            self.wait(lambda: self.told.arrived.value >= last, f"{name}: packets by the old SAs")
            error = error or self.there.delete(remote, old) or self.del_here(name, "IN", old + 1)
        return error

    def refused(self, name, new):
        """Stock IPsec adds no state if a driver's name is too long, which any user can cause."""
        self.there.delete(DEVICES[name][3], new)
        self.there.delete(GATEWAY, new + 1)
        self.del_here(name, "IN", new + 1)
        print(f"refused by stock IPsec: {name}", flush=True)
        return 0

    def sending(self, name):
        """SPI by which a tunnel sends, from the SAs shown as current."""
        return max(current_out(self.family, DEVICES[name][0]), default=0)

    @staticmethod
    def wait(condition, what):
        """Wait until it holds."""
        deadline = time.monotonic() + float(os.environ.get("WAIT_LIMIT", 20))
        while not condition():
            if time.monotonic() > deadline:
                raise OSError(f"timed out waiting for {what}")
            time.sleep(0.05)

    def rekey_both(self):
        """Rekey each tunnel once."""
        before = dict(self.spi)
        error = self.rekey("adopted") or self.rekey("own")
        if not error and before != self.spi:
            self.rekeys += 1
            print(f"rekeyed {self.rekeys}", flush=True)
        return error

    def loop(self, stop):
        """Run until the file exists."""
        turn = 0
        while not os.path.exists(stop):
            turn += 1
            self.timed("rtnl", lambda: self.route.alias("lo", f"lo {turn}"))
            if turn % 4 == 0:
                self.timed("show", self.show)
            if turn % 4 == 2:
                self.timed("sa add and del", self.spare)
            if turn % 20 == 10:
                self.timed("rekey", self.rekey_both)
            time.sleep(0.05)


def fields(data):
    """Attributes of each message of a dump."""
    at = 0
    while at + 20 <= len(data):
        length = struct.unpack("=I", data[at:at + 4])[0]
        found, inside = {}, at + 20
        while inside + 4 <= at + length:
            size, kind = struct.unpack("=HH", data[inside:inside + 4])
            found[kind & 0x3fff] = data[inside + 4:inside + size]
            inside += (size + 3) & ~3
        yield found
        at += (length + 3) & ~3


def current_out(family, device):
    """SPIs of a device's current outbound SAs."""
    for sa in fields(family.show("SA_GET")):
        if sa[UAPI["A_SA_IFNAME"]].rstrip(b"\0").decode() == device and \
           sa[UAPI["A_SA_DIR"]][0] == UAPI["DIRECTION_OUT"] and sa[UAPI["A_SA_CURRENT"]][0]:
            yield struct.unpack("=I", sa[UAPI["A_SA_SPI"]])[0]


def control_process(control, stop):
    """Runs apart from the traffic, which continues while a request waits."""
    wrong = 1
    try:
        control.loop(stop)
        for what, took in control.slowest.items():
            print(f"request {what}: {control.count[what]} times, longest {took * 1000:.1f} ms")
        print(f"guest stood still for {control.told.still(0, time.monotonic()):.1f} s in all")
        wrong = 0
    finally:
        sys.stdout.flush()
        os._exit(wrong)


# Seconds; generous, since guests share an emulating host. VICTIM_LIMIT replaces the one for
# requests.
LIMITS = {"request": float(os.environ.get("VICTIM_LIMIT", 20 if checkers_on() else 6)),
          "rekey": 60.0}


def stock_lost(stock):
    """Packets that stock IPsec itself loses when its states change."""
    def read():
        with open("/proc/thread-self/net/xfrm_stat", encoding="ascii") as file:
            return sum(int(line.split()[1]) for line in file if line.split()[0] in STOCK_OWN)
    return in_netns(stock, read)


def judge(running, allowed):
    """True if each packet came once, in time, in the order sent."""
    lost = 0
    for flow in running:
        print(f"flow {flow.name}: sent {flow.sent}, received {len(flow.seen)}, lost {flow.lost}, "
              f"doubled {flow.doubled}, longest {flow.slowest / 1e6:.1f} ms")
        lost += flow.lost
        if flow.doubled or flow.altered or not flow.sent:
            print(f"WRONG: {flow.name}: {flow.doubled} doubled, {flow.altered} altered")
        limit = float(os.environ.get("LATENCY_LIMIT", "inf"))
        if flow.slowest / 1e6 > limit:
            print(f"WRONG: {flow.name}: a packet took {flow.slowest / 1e6:.1f} ms, limit {limit}")
    if lost > allowed:
        print(f"WRONG: {lost} packets lost, {allowed} of them by stock IPsec")


def main(gateway, stock, stop, encap=""):
    """Exit status 0 unless there was an error of our own."""
    told = Told()
    control = Control(gateway, stock, IN_UDP if encap == "udp" else b"", told)
    error = control.rekey("adopted") or control.rekey("own")
    if error:
        print(f"WRONG: no tunnels: {os.strerror(error)}", flush=True)
        return 1
    running = list(flows(gateway, stock))
    child = os.fork()
    if not child:
        control_process(control, stop)
    signal.signal(signal.SIGTERM, lambda *_: (os.kill(child, signal.SIGKILL), sys.exit(1)))
    traffic(running, stop, told)
    _, status = os.waitpid(child, 0)
    judge(running, stock_lost(stock))
    print("end" if not status else "WRONG: the control process has failed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
