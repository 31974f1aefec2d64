#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Lets each memory allocation of each netlink operation fail, one at a time.

    faults_netlink.py      in a namespace with pvs0, its peer "right" with subnet
                           10.2.0.0/16, and its outbound SA 0x1001

Afterwards the state must be as before the operation or as after it, nothing in between. Prints
the errors; exit status 1 if there is any.
"""
import os
import socket
import struct
import sys

from esp_netlink import NLM_F_DUMP, answers, attribute, opened, request
from refuse_netlink import (DEV, DEVICE_FWMARK, DEVICE_MTU, DEVICE_SET, DIR, DIR_IN, DIR_OUT, GCM,
                            NAME, NEW, NLM_F_ACK, OF_RIGHT, OTHER, PEER_DEL, PEER_GET, PEER_NEW,
                            PEER_SET, RIGHT, SA_DEL, SA_GET, SA_NEW, SECRET, SPI, ack, ip, state,
                            subnet, text, u32, u8, LOCAL, UAPI)

DEVICE_GET = UAPI["CMD_DEVICE_GET"]
RTM_NEWLINK, RTM_DELLINK = 16, 17
NLM_F_CREATE_EXCL = 0x600
NLM_F_REQUEST = 1
IFLA_IFNAME, IFLA_LINKINFO, IFLA_INFO_KIND = 3, 18, 1
# No operation makes so many allocations; a loop that does not end is a fault, too.
NTH_MAX = 2000
FAIL_NTH = "/proc/thread-self/fail-nth"

THIRD = DEV + text(NAME, "new")
INBOUND = OF_RIGHT + u8(DIR, DIR_IN) + u32(SPI, 0x9001)
OUTBOUND = OF_RIGHT + u8(DIR, DIR_OUT) + u32(SPI, 0x9001)
SUBNETS = subnet("10.2.0.0", 16) + subnet("fd00:2::", 64)
MANY = b"".join(subnet(f"10.{100 + n}.0.0", 16) for n in range(20)) + subnet("fd00:77::", 48)


class Family:
    """Requests to pvsvpn, and its state for comparison."""

    def __init__(self):
        self.sock, self.family, _ = opened()
        self.sock.settimeout(10)

    def do(self, command, attrs):
        """errno of a request, 0 on success."""
        request(self.sock, self.family, command, NLM_F_ACK, attrs)
        return ack(self.sock)[0]

    def dump(self, command):
        """Read a dump to its end, if it has one."""
        request(self.sock, self.family, command, NLM_F_DUMP, attribute(COUNTERS[command]))
        for _ in answers(self.sock):
            pass

    def state(self):
        """Peers and SAs, except the peers' numbers, which grow."""
        return [entry for entry in state(self.sock, self.family)
                if entry[:2] != (PEER_GET, UAPI["A_PEER_ID"])]

    def fresh(self):
        """Use another socket: the old one may have a pending answer, or none."""
        self.sock.close()
        self.__init__()


COUNTERS = {DEVICE_GET: UAPI["A_DEVICE_COUNTERS"], PEER_GET: UAPI["A_PEER_COUNTERS"],
            SA_GET: UAPI["A_SA_COUNTERS"]}


class Link:
    """`ip link add` and `del` of a device pvs9, in raw."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.sock.bind((0, 0))
        self.sock.settimeout(10)

    def do(self, command, attrs):
        """errno of a request, 0 on success."""
        flags = NLM_F_REQUEST | NLM_F_ACK | (NLM_F_CREATE_EXCL if command == RTM_NEWLINK else 0)
        body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attrs
        self.sock.send(struct.pack("=IHHII", 16 + len(body), command, flags, 1, 0) + body)
        return -struct.unpack("=i", self.sock.recv(65536)[16:20])[0]

    def state(self):
        """True if the device exists."""
        return "pvs9" in [name for _, name in socket.if_nameindex()]

    def fresh(self):
        """Use another socket."""
        self.sock.close()
        self.__init__()


def set_nth(value):
    """Make the next allocation number `value` fail; 0 for none."""
    with open(FAIL_NTH, "w", encoding="ascii", buffering=1) as file:
        file.write(str(value))


def has_failed():
    """True if that allocation was reached."""
    with open(FAIL_NTH, encoding="ascii") as file:
        return int(file.read()) == 0


def under_fault(operation, nth):
    """Run it with one failure. Return: whether the failure has happened."""
    # Open the file before, since opening allocates
    with open(FAIL_NTH, "w+b", buffering=0) as file:
        file.write(b"%d" % nth)
        try:
            operation()
        except (OSError, AssertionError):
            # No memory for the request or the answer: the state shows the result.
            pass
        left = os.pread(file.fileno(), 16, 0)
        os.pwrite(file.fileno(), b"0", 0)
    return int(left) == 0


def every_nth(what, where, operation, undo):
    """Fail all allocations of an operation. Return: whether there was an error."""
    before = where.state()
    operation()
    after = where.state()
    for nth in range(1, NTH_MAX):
        if where.state() == after and undo:
            error = undo()
            if error:
                print(f"{what}: undone with error {error} after allocation {nth - 1} failed")
                return True
        if where.state() != before:
            print(f"{what}: not as before after allocation {nth - 1} failed")
            return True
        happened = under_fault(operation, nth)
        where.fresh()
        if where.state() not in (before, after):
            print(f"{what}: neither done nor undone after allocation {nth} failed")
            return True
        if not happened:
            if undo and where.state() == after:
                undo()
            print(f"{what}: {nth - 1} allocations", file=sys.stderr)
            return nth < 2
    print(f"{what}: still fails after {NTH_MAX} allocations")
    return True


def operations(family, link):
    """(name, where, operation, undo)"""
    ours, links = family.do, link.do
    pvs9 = attribute(IFLA_IFNAME, b"pvs9\0")
    kind = attribute(IFLA_LINKINFO, attribute(IFLA_INFO_KIND, b"pvsvpn"))
    yield ("device add", link, lambda: links(RTM_NEWLINK, pvs9 + kind),
           lambda: links(RTM_DELLINK, pvs9))
    yield ("device set", family, lambda: ours(DEVICE_SET, DEV + u32(DEVICE_MTU, 1300) +
                                              u32(DEVICE_FWMARK, 1)), None)
    yield ("device set auto", family, lambda: ours(DEVICE_SET, DEV + u32(DEVICE_MTU, 0) +
                                                   u32(DEVICE_FWMARK, 0)), None)
    yield ("peer new", family, lambda: ours(PEER_NEW, NEW + OTHER + MANY),
           lambda: ours(PEER_DEL, THIRD))
    yield ("peer set", family, lambda: ours(PEER_SET, RIGHT + MANY + ip(LOCAL, "192.0.2.1")),
           lambda: ours(PEER_SET, RIGHT + SUBNETS + ip(LOCAL, "0.0.0.0")))
    yield ("sa new in", family, lambda: ours(SA_NEW, INBOUND + GCM + SECRET),
           lambda: ours(SA_DEL, INBOUND))
    yield ("sa new out", family, lambda: ours(SA_NEW, OUTBOUND + GCM + SECRET),
           lambda: ours(SA_DEL, OUTBOUND))
    ours(PEER_NEW, NEW + OTHER)
    yield ("peer del", family, lambda: ours(PEER_DEL, THIRD),
           lambda: ours(PEER_NEW, NEW + OTHER))
    ours(PEER_DEL, THIRD)
    ours(SA_NEW, INBOUND + GCM + SECRET)
    yield ("sa del", family, lambda: ours(SA_DEL, INBOUND),
           lambda: ours(SA_NEW, INBOUND + GCM + SECRET))
    ours(SA_DEL, INBOUND)
    links(RTM_NEWLINK, pvs9 + kind)
    yield ("device del", link, lambda: links(RTM_DELLINK, pvs9),
           lambda: links(RTM_NEWLINK, pvs9 + kind))
    links(RTM_DELLINK, pvs9)
    for command in COUNTERS:
        yield (f"dump {command}", family, lambda command=command: family.dump(command), None)


def main():
    """All operations."""
    family, link = Family(), Link()
    if family.state() == []:
        print("nothing to compare: no peer here")
        return 1
    set_nth(0)
    wrong = [what for what, *rest in operations(family, link) if every_nth(what, *rest)]
    if not has_failed():
        set_nth(0)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
