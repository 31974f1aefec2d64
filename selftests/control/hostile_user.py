#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The hostile user: uid 65534 without any capability except those in its own namespaces.

    hostile_user.py ATTACK SEED [ARGUMENT...]

It starts as root to read its own files wherever they are, and then becomes the user. Each attack
prints what it has done, so that an attack without effect is visible, and then "done"; lasting
attacks print "ready" and continue until they are killed.
"""
import errno
import os
import random
import signal
import socket
import struct
import sys
import time

import hostile_af_alg
import hostile_garbage
from hostile_netlink import (ESP, IF_ID, IFLA_MTU, IFLA_NET_NS_FD, IFLA_NET_NS_PID, NEWPOLICY,
                             NEWSA, NLM_F_DUMP, NLM_F_NEW, OFFLOAD_DEV, OFFLOAD_INBOUND,
                             RTM_NEWLINK, RTM_SETLINK, UPDSA, Family, Route, Xfrm, aead, attribute,
                             device_attrs, link, peer_attrs, policy, sa_attrs, selector, state,
                             template, text, u32)
from hostile_nobody import another_namespace, become_nobody, own_host, unshare
from netns import checkers_on, sampled, setns

KEY = bytes(range(20))
# Objects of a kind: all of them if the test is named
MANY = 1200 if os.environ.get("EVERY") and not checkers_on() else 300


def remote(number):
    """One of many addresses."""
    return f"10.66.{128 + number // 250}.{number % 250 + 1}"


def say(*what):
    """Print a line at once."""
    print(*what, flush=True)


# ---- states and policies ----

def add_policies(xfrm, if_id, count, where, reqid=0):
    """Outbound policies; where(number) is the remote."""
    done = 0
    for number in range(count):
        sel = selector(src="10.66.0.0", src_len=16, dst_len=32,
                       dst=f"172.{16 + number // 62500}.{number // 250 % 250}.{number % 250}")
        done += not xfrm.ask(NEWPOLICY, policy(sel, priority=number % 7) + u32(IF_ID, if_id) +
                             template("10.66.0.1", where(number), reqid and reqid + number))
    return done


def add_states(xfrm, if_id, count, where, first=0x10000, reqid=0):
    """Outbound and inbound states alternately; where(number) is the remote."""
    done = 0
    for number in range(count):
        ends = ("10.66.0.1", where(number // 2))
        if number % 2:
            ends = ends[::-1]
        done += not xfrm.add(*ends, first + number, if_id, KEY, reqid=reqid and reqid + number // 2)
    return done


def shown_sas(family):
    """How many SAs there are."""
    data, at, count = family.show("SA_GET"), 0, 0
    while at < len(data):
        at += (struct.unpack("=I", data[at:at + 4])[0] + 3) & ~3
        count += 1
    return count


def one(_):
    """Always the same remote."""
    return "10.66.128.1"


def settled(family, count):
    """The number of SAs, when there are that many, or no more are added."""
    shown, deadline = -1, time.monotonic() + 60
    while time.monotonic() < deadline:
        before, shown = shown, shown_sas(family)
        if shown >= count or shown == before > 0:
            break
        time.sleep(1)
    return shown


def states_and_policies(_):
    """First policies, then states that look at all of them; and if-id off and on."""
    unshare()
    route, family, xfrm = own_host(), Family(), Xfrm()
    for device, if_id in (("pvs0", 7), ("pvs1", 8)):
        route.add(device, "pvsvpn")
        route.up(device)
        family.cmd("DEVICE_SET", device_attrs(device, IF_ID_IN=if_id, IF_ID_OUT=if_id))
    for number in range(MANY // 4):
        family.cmd("PEER_NEW", peer_attrs("pvs1", f"p{number}", remote(number),
                                          [(f"172.30.{number // 250}.{number % 250}", 32)]))
    say(f"of one remote: policies {add_policies(xfrm, 7, MANY, one)}, "
        f"states {add_states(xfrm, 7, MANY, one)}")
    say(f"of many: policies {add_policies(xfrm, 8, MANY // 4, remote, 1)}, "
        f"states {add_states(xfrm, 8, MANY // 2, remote, 0x20000, 1)}")
    say(f"of no device: policies {add_policies(xfrm, 9, MANY // 4, one)}, "
        f"states {add_states(xfrm, 0, MANY // 4, one, 0x30000)}")
    say(f"SAs {settled(family, MANY + MANY // 2)}")
    for turn in range(6):
        family.cmd("DEVICE_SET", device_attrs("pvs0", IF_ID_IN=7 * (turn % 2), IF_ID_OUT=7 * (turn % 2)))
    for number in range(0, MANY, 5):
        ends = ("10.66.0.1", one(number))
        ends = ends[::-1] if number % 2 else ends
        xfrm.add(*ends, 0x10000 + number, 7 + number % 3, KEY, kind=UPDSA)
        xfrm.delete(one(number), 0x10000 + number + 10)
    say(f"flushed {xfrm.flush()}, device gone {route.delete('pvs0')}")


# ---- objects ----

def shown(family, device, peers):
    """Show everything of a device while it changes."""
    for what in ("DEVICE_GET", "PEER_GET", "SA_GET"):
        family.show(what)
    family.cmd("PEER_GET", peer_attrs(device, f"p{peers // 2}"))


def peers_with_sas(family, device, count):
    """Peers, each with one or more subnets and SAs both ways. Return: peers, SAs."""
    peers = sas = 0
    for number in range(count):
        name = f"p{number}"
        prefixes = [(f"172.16.{number // 256}.{number % 256}", 32)] + \
            [(f"fd00:{number:x}:{more:x}::", 48) for more in range(number % 4)]
        peers += not family.cmd("PEER_NEW", peer_attrs(device, name, remote(number), prefixes))
        for at, direction in enumerate(("OUT", "IN")):
            sas += not family.cmd("SA_NEW", sa_attrs(device, name, direction,
                                                     0x40000 + 2 * number + at, KEY))
    return peers, sas


def objects_by_the_thousand(_):
    """Devices, peers, SAs, subnets; changed, shown, moved, removed."""
    unshare()
    route, family = own_host(), Family()
    devices = sum(not route.add(f"v{number}", "pvsvpn") for number in range(MANY // 4))
    for number in range(0, MANY // 4, 3):
        route.up(f"v{number}")
    peers, sas = peers_with_sas(family, "v0", MANY)
    say(f"devices {devices}, peers {peers}, SAs {sas}")
    shown(family, "v0", peers)
    # As many subnets as a peer may have, twice with different ones
    prefixes = [[(f"10.{base + number // 256}.{number % 256}.0", 24) for number in range(1000)]
                for base in (100, 110)]
    for turn in range(6):
        family.cmd("PEER_SET", peer_attrs("v0", "p0", None, prefixes[turn % 2]))
    for number in range(0, peers, 3):
        family.cmd("PEER_SET", peer_attrs("v0", f"p{number}", remote(number + 5000)))
        family.cmd("SA_DEL", sa_attrs("v0", f"p{number}", "IN", 0x40001 + 2 * number))
    for number in range(60):
        family.cmd("DEVICE_SET", device_attrs("v0", FWMARK=number))
    for number in range(20):
        here = another_namespace()
        inner = own_host()
        inner.add("v0", "pvsvpn")
        inner.ask(RTM_SETLINK, link() + text(3, "v0") + u32(IFLA_MTU, 1400))
        setns(f"/proc/self/fd/{here}")
        os.close(here)
        inner.close()
    for number in range(0, devices, 2):
        route.delete(f"v{number}")
    # The rest is deleted with the namespace
    say("gone")


# ---- killed in the middle ----

def kill_loop(work, seconds, rng):
    """Processes that are killed while they work, repeatedly. Return: how many."""
    killed, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        child = os.fork()
        if not child:
            signal.alarm(30)
            try:
                work()
            except OSError:
                pass
            os._exit(0)
        time.sleep(0.02 + rng.random() * 0.3)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        killed += 1
    return killed


def traffic_of_his_own():
    """Two namespaces with a tunnel between them and packets in it, until it is killed."""
    route = own_host()
    there = another_namespace()
    os.close(there)
    other = own_host()
    route.ask(RTM_NEWLINK, link() + text(3, "w0") + route.kind("veth", attribute(
        1, link() + text(3, "w1") + u32(IFLA_NET_NS_PID, os.getpid()))), NLM_F_NEW)
    for sock, wire, address in ((route, "w0", "10.77.0.1"), (other, "w1", "10.77.0.2")):
        sock.up(wire)
        sock.ask(RTM_SETLINK, link() + text(3, wire) + u32(IFLA_MTU, 1300))
        if sock is other:
            sock.address(wire, address, 24)
    family, xfrm = Family(), Xfrm()
    other.add("pvs0", "pvsvpn")
    other.up("pvs0")
    family.cmd("PEER_NEW", peer_attrs("pvs0", "p", "10.77.0.1", [("10.88.0.0", 16)]))
    family.cmd("SA_NEW", sa_attrs("pvs0", "p", "OUT", 0x5001, KEY))
    family.cmd("SA_NEW", sa_attrs("pvs0", "p", "IN", 0x5002, KEY))
    other.route("10.88.0.0", 16, "pvs0")
    family.cmd("DEVICE_SET", device_attrs("pvs0", IF_ID_IN=9, IF_ID_OUT=9))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    number = 0
    while True:
        number += 1
        for _ in range(20):
            try:
                sock.sendto(bytes(1000), ("10.88.0.1", 9))
            except OSError:
                pass
        xfrm.add("10.77.0.2", "10.77.0.1", 0x6000 + number, 9, KEY)
        family.cmd("DEVICE_SET", device_attrs("pvs0", IF_ID_IN=9 * (number % 2), IF_ID_OUT=9))
        if number % 10 == 9:
            xfrm.flush()


def dumps_not_read():
    """Dumps that are started and never read, on many sockets; a listener that never reads."""
    sockets = [Family() for _ in range(20)]
    for sock in sockets:
        sock.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sock.setblocking(False)
        for what in ("DEVICE_GET", "PEER_GET", "SA_GET") * 3:
            try:
                sock.send(sock.family, NLM_F_DUMP,
                          struct.pack("=BBH", hostile_garbage.UAPI["CMD_" + what], 1, 0))
            except OSError:
                pass
        try:
            sock.sock.setsockopt(270, 1, sock.group)
        except OSError:
            pass
    return sockets


def half_done():
    """Various work that a signal may interrupt anywhere."""
    route, family, xfrm = own_host(), Family(), Xfrm()
    route.add("v0", "pvsvpn")
    route.up("v0")
    family.cmd("DEVICE_SET", device_attrs("v0", IF_ID_IN=7, IF_ID_OUT=7))
    kept = dumps_not_read()
    peers_with_sas(family, "v0", 30)
    add_states(xfrm, 7, 30, one, 0x70000)
    add_policies(xfrm, 7, 30, one)
    for sock in kept:
        sock.close()
    route.delete("v0")
    peers_with_sas(family, "v0", 30)


def killed_in_the_middle(rng):
    """Signals while objects are created and deleted, and while packets pass."""
    seconds = 6 if sampled() else 12
    def alone(work):
        def run():
            unshare()
            work()
        return run
    say(f"killed {kill_loop(alone(half_done), seconds / 2, rng)} at work, "
        f"{kill_loop(alone(traffic_of_his_own), seconds / 2, rng)} under traffic")


# ---- modules ----

KINDS = ("bareudp bond bridge dummy erspan geneve gre gretap gtp hsr ifb ip6erspan ip6gre ip6gretap "
         "ip6tnl ipip ipvlan ipvtap macsec macvlan macvtap netkit nlmon rmnet sit tap team tun vcan "
         "veth virt_wifi vlan vrf vti vti6 vxcan vxlan wireguard xfrm").split()


def load_modules(_):
    """All modules that the user's requests can load: ESP offload, device kinds, ciphers."""
    unshare()
    route, xfrm = own_host(), Xfrm()
    index = socket.if_nametoindex("d0")
    done = []
    for ends in (("10.66.128.1", "10.66.0.1"), ("fd66::2", "fd66::1")):
        for direction in (OFFLOAD_INBOUND, 0):
            done.append(xfrm.add(*(ends if direction else ends[::-1]), 0x8000 + direction, 0, KEY,
                                 attribute(OFFLOAD_DEV, struct.pack("=iBxxx", index, direction))))
    kinds = sum(not route.add(f"k{number}", kind) for number, kind in enumerate(KINDS))
    say(f"offload {done}, kinds {kinds}")
    for name in ("rfc4106(gcm(aes))", "rfc4543(gcm(aes))", "rfc7539esp(chacha20,poly1305)",
                 "rfc4309(ccm(aes))"):
        xfrm.ask(NEWSA, state("10.66.0.1", "10.66.128.9", 0x9000) +
                 aead(bytes(36 if "539" in name else 19 if "9(c" in name else 20), name))
    for family, kind, protocol in ((38, 5, 0), (15, 3, 2), (2, 5, 132), (2, 2, 136), (2, 1, 262),
                                   (21, 5, 0), (30, 2, 0), (40, 1, 0), (29, 3, 1), (2, 2, 115)):
        try:
            socket.socket(family, kind, protocol).close()
        except OSError:
            pass
    say(f"gone {route.delete('d0')}")


# ---- root's namespace, as an ordinary process ----

def bound(family, address, port, *options):
    """A UDP socket at a port, or None; options are (level, option, value)."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        for option in options:
            sock.setsockopt(*option)
        sock.bind((address, port))
    except OSError:
        sock.close()
        return None
    return sock


def ports(_, number="4500", addresses="192.0.2.1"):
    """Binds a port of ESP in UDP in every possible way, and keeps it."""
    reuse = tuple((socket.SOL_SOCKET, option, 1)
                  for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT))
    encap = (socket.IPPROTO_UDP, 100, 2)
    six_only, four_too = ((socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, value) for value in (1, 0))
    port, kept = int(number), []
    for address in (*addresses.split(","), "", "127.0.0.1"):
        for options in ((), reuse[:1], reuse[1:], reuse, (encap,), (*reuse, encap)):
            kept.append(bound(socket.AF_INET, address, port, *options))
    for address in ("::", "::ffff:192.0.2.1", "::1"):
        for options in ((), reuse, (encap,), (six_only,), (four_too, *reuse), (four_too, encap)):
            kept.append(bound(socket.AF_INET6, address, port, *options))
    kept = [sock for sock in kept if sock]
    say(f"bound {len(kept)}")
    say("ready")
    while True:
        time.sleep(60)


def commands(rng):
    """Every request to the family, valid for root's objects, without the needed capability."""
    family, answers = Family(), {}
    change = {
        "DEVICE_SET": device_attrs("pvs0", IF_ID_IN=0, IF_ID_OUT=0),
        "PEER_NEW": peer_attrs("pvs1", "mine", "192.0.2.66", [("10.99.0.0", 16)]),
        "PEER_SET": peer_attrs("pvs1", "stock", "192.0.2.66"),
        "PEER_DEL": peer_attrs("pvs1", "stock"),
        "SA_NEW": sa_attrs("pvs1", "stock", "OUT", 0x7001, KEY),
        "SA_DEL": sa_attrs("pvs1", "stock", "IN", 0x1004),
    }
    for name, attrs in change.items():
        answers[name] = errno.errorcode.get(family.cmd(name, attrs), "done")
    say("answers " + " ".join(f"{name}={error}" for name, error in answers.items()))
    hostile_garbage.family(rng, family, 1500, "pvs1", "stock")
    say(f"garbage {hostile_garbage.last}")
    for sock in (Xfrm, Route):
        hostile_garbage.other(rng, sock(), 300)


# ---- packets ----

def checksum(data):
    """The checksum of IPv4 and ICMP."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack(">H", ~total & 0xffff)


def ipv4(src, dst, protocol, payload, fragment=0, length=None, version=0x45):
    """An IPv4 packet; its length may be wrong."""
    head = struct.pack(">BBHHHBB2x4s4s", version, 0, 20 + len(payload) if length is None else length,
                       1, fragment, 64, protocol, socket.inet_aton(src), socket.inet_aton(dst))
    return head[:10] + checksum(head) + head[12:] + payload


def icmp_error(rng, quoted, dst, spi=None):
    """An error about a packet, with another SPI or a number not sent yet."""
    spi = quoted[20:24] if spi is None else spi
    number = struct.unpack(">I", quoted[24:28])[0] + rng.choice((200000, 1 << 20, 1 << 31))
    quote = quoted[:20] + spi + struct.pack(">I", number & 0xffffffff)
    kind, code = rng.choice(((3, 4), (3, 4), (3, 1), (3, 13), (11, 0), (12, 0), (4, 0), (5, 1)))
    body = struct.pack(">BB2xHH", kind, code, 0, rng.choice((0, 68, 300, 576))) + quote
    return ipv4("198.51.100.66", dst, 1, body[:2] + checksum(body) + body[4:])


def forged(rng, packet):
    """Forged packets similar to a captured one, from any address."""
    src, dst = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
    spi, body = packet[20:24], packet[28:]
    if src == "192.0.2.1":
        return [icmp_error(rng, packet, src), icmp_error(rng, packet, src, rng.randbytes(4))]
    number = struct.unpack(">I", packet[24:28])[0] + rng.choice((0, 1, 2, 64, 5000, 1 << 30))
    number = struct.pack(">I", number & 0xffffffff)
    return [
        packet, packet, ipv4("198.51.100.66", dst, ESP, packet[20:]),
        ipv4(src, dst, ESP, spi + number + body),
        ipv4(src, dst, ESP, spi + number + rng.randbytes(rng.randrange(1400))),
        ipv4(src, dst, ESP, rng.randbytes(4) + packet[24:]),
        ipv4(src, dst, ESP, packet[20:20 + rng.randrange(40)]),
        ipv4(src, dst, ESP, packet[20:], 0x2000), ipv4(src, dst, ESP, packet[20:], 3),
        ipv4(src, dst, ESP, packet[20:], 0, rng.randrange(65536)),
        ipv4(src, dst, 17, struct.pack(">HHHH", 4500, 4500, 8 + len(packet) - 20, 0) + packet[20:]),
        ipv4(src, dst, 4, packet), rng.randbytes(rng.randrange(1, 200)),
    ]


def eavesdropper(netns):
    """Packets that root's gateway sends and receives; root opens it, to simulate a wiretap."""
    setns(f"/run/netns/{netns}")
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    tap.bind(("outer0", 0x0800))
    return tap


def newest(tap):
    """A very recent packet, since the SAs of older packets may be deleted."""
    packet = tap.recv(4096)
    for _ in range(1000):
        try:
            packet = tap.recv(4096, socket.MSG_DONTWAIT)
        except BlockingIOError:
            break
    return packet


def neighbour(rng, tap, seconds="8", least="8000"):
    """Attack the gateway from a wire provided by root: replays, forgeries, garbage."""
    unshare()
    say("ready")
    deadline = time.monotonic() + 60
    while "n0" not in [name for _, name in socket.if_nameindex()]:
        assert time.monotonic() < deadline, "no wire"
        time.sleep(0.1)
    route = Route()
    route.address("n0", "198.51.100.66", 24)
    route.up("n0")
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    wire.bind(("n0", 0))
    gateway = bytes.fromhex("0200000000010200000000660800")
    sent, end = 0, time.monotonic() + float(seconds)
    while time.monotonic() < end or sent < int(least):
        packet = newest(tap)
        if len(packet) < 60 or packet[9] != ESP:
            continue
        for bad in forged(rng, packet):
            wire.send(gateway + bad)
            sent += 1
    say(f"sent {sent}")


def packets_of_his_own(rng, count="3000"):
    """Send to the user's own device: wrong headers, segments of size 0; read the output."""
    unshare()
    first = own_host()
    here = another_namespace()
    second = own_host()
    second.ask(RTM_NEWLINK, link() + text(3, "w1") + second.kind("veth", attribute(
        1, link() + text(3, "w0") + u32(IFLA_NET_NS_FD, here))), NLM_F_NEW)
    ends = ((second, "w1", "10.77.0.2", "10.77.0.1", here), (first, "w0", "10.77.0.1", "10.77.0.2", None))
    for route, wire, mine, far, after in ends:
        family = Family()
        route.address(wire, mine, 24)
        route.up(wire)
        route.add("pvs0", "pvsvpn")
        route.up("pvs0")
        family.cmd("PEER_NEW", peer_attrs("pvs0", "p", far))
        for direction, spi in (("OUT", 0x5001 + bool(after)), ("IN", 0x5002 - bool(after))):
            family.cmd("SA_NEW", sa_attrs("pvs0", "p", direction, spi, KEY))
        if after is not None:
            setns(f"/proc/self/fd/{after}")
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.setsockopt(263, 15, 1)
    sock.bind(("pvs0", 0x0800))
    sent = 0
    for _ in range(int(count)):
        size = rng.choice((0, 1, 19, 20, 28, 100, 1400, 9000, 40000))
        protocol, payload = rng.choice((6, 17, 1, 4, 41, 58)), bytearray(rng.randbytes(size))
        if protocol == 6 and size >= 20:
            payload[12] = rng.choice((0x50, 0x50, 0xf0, 0))
        packet = ipv4("10.88.0.1", rng.choice(("10.88.1.1", "224.0.0.1", "255.255.255.255")), protocol,
                      bytes(payload), rng.choice((0, 0, 0x4000, 0x2000, 100)),
                      rng.choice((None, None, None, 0, 20, 65535)),
                      rng.choice((0x45, 0x45, 0x4f, 0x65)))
        if rng.random() < 0.2:
            packet = rng.randbytes(rng.randrange(1, 100))
        gso = rng.choice((0, 0, 0, 0, 1, 3, 4, 5, 0x81))
        # If the kernel itself refuses a message, it is not an attack: one in three has no such part
        header = bytes(10) if rng.random() < 0.3 else struct.pack(
            "=BBHHHH", 1 if gso else rng.choice((0, 1, 2)), gso, rng.choice((0, 20, 40, 65535)),
            rng.choice((0, 1, 8, 500, 1400, 65535)), rng.choice((0, 20, 34, 60000)),
            rng.choice((6, 16, 0, 60000)))
        try:
            sock.send(header + packet)
            sent += 1
        except OSError:
            pass
    say(f"sent {sent} of {count}")


ATTACKS = {
    "neighbour": neighbour,
    "packets_of_his_own": packets_of_his_own,
    "states_and_policies": states_and_policies,
    "objects_by_the_thousand": objects_by_the_thousand,
    "killed_in_the_middle": killed_in_the_middle,
    "load_modules": load_modules,
    "ports": ports,
    "commands": commands,
    "netlink_garbage": hostile_garbage.attack,
    "af_alg": hostile_af_alg.attack,
}


def main(name, seed, *arguments):
    """One attack."""
    rng = random.Random(int(seed))
    if name == "neighbour":
        arguments = (eavesdropper(arguments[0]), *arguments[1:])
    become_nobody()
    ATTACKS[name](rng, *arguments)
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
