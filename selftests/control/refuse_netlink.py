#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Requests that pvsvpnctl would not send, directly to the kernel.

    refuse_netlink.py      in a namespace with pvs0, its peer "right" with subnet
                           10.2.0.0/16, and its outbound SA 0x1001

Each must be refused with the right errno and text, and must change nothing. Prints the errors;
exit status 1 if there is any.
"""
import errno
import os
import re
import socket
import struct
import sys

from esp_netlink import (NLM_F_DUMP, NLMSG_ERROR, answers, attribute, attributes, constants, opened,
                         request, text, u8, u16, u32, u64)

NLM_F_ACK = 4
NETLINK_EXT_ACK = 11
SOL_NETLINK = 270
NLMSGERR_ATTR_MSG = 1
NLA_F_NESTED = 0x8000

UAPI = constants()


def of_uapi(prefix, *names):
    """Numbers of several names."""
    return [UAPI[prefix + name] for name in names]


DEVICE_SET, PEER_GET, PEER_NEW, PEER_SET, PEER_DEL = of_uapi(
    "CMD_", "DEVICE_SET", "PEER_GET", "PEER_NEW", "PEER_SET", "PEER_DEL")
SA_GET, SA_NEW, SA_DEL = of_uapi("CMD_", "SA_GET", "SA_NEW", "SA_DEL")
# These have the same number in each set
IFINDEX, IFNAME = of_uapi("A_DEVICE_", "IFINDEX", "IFNAME")
DEVICE_MTU, DEVICE_FWMARK, TTL, DSCP, ECN, PMTUDISC, FRAGMENT, MSS = of_uapi(
    "A_DEVICE_", "MTU", "FWMARK", "TTL", "DSCP", "ECN", "PMTUDISC", "FRAGMENT", "MSS_CLAMP")
NAME, LOCAL, REMOTE, LINK, ENCAP, SUBNET, PEER_WINDOW = of_uapi(
    "A_PEER_", "NAME", "LOCAL", "REMOTE", "LINK", "ENCAP", "SUBNET", "REPLAY_WINDOW")
SA_PEER, DIR, SPI, TRANSFORM, KEY, SA_WINDOW, ESN, SEQ = of_uapi(
    "A_SA_", "PEER", "DIR", "SPI", "TRANSFORM", "KEY", "REPLAY_WINDOW", "ESN", "SEQ")
SUBNET_ADDRESS, SUBNET_PREFIX_LENGTH = of_uapi("A_SUBNET_", "ADDRESS", "PREFIX_LENGTH")
ENCRYPTION, KEY_LENGTH, INTEGRITY = of_uapi(
    "A_TRANSFORM_", "ENCRYPTION", "KEY_LENGTH", "INTEGRITY")
DIR_IN, DIR_OUT = of_uapi("DIRECTION_", "IN", "OUT")
# A refused request must not change these
KEPT = {
    PEER_GET: of_uapi("A_PEER_", "IFINDEX", "IFNAME", "NAME", "ID", "LOCAL", "REMOTE", "LINK",
                      "ENCAP", "SUBNET", "REPLAY_WINDOW", "UP", "TX_SPI"),
    SA_GET: of_uapi("A_SA_", "IFINDEX", "IFNAME", "PEER", "DIR", "SPI", "TRANSFORM",
                    "REPLAY_WINDOW", "ESN", "SEQ", "CURRENT", "EXPIRED"),
}
SUBNETS_MAX = 1024


def ip(kind, value):
    """Attribute with an address of either family."""
    family = socket.AF_INET6 if ":" in value else socket.AF_INET
    return attribute(kind, socket.inet_pton(family, value))


def subnet(address, length):
    """A nested subnet; the address may be bytes."""
    inner = address if isinstance(address, bytes) else ip(SUBNET_ADDRESS, address)
    return attribute(SUBNET | NLA_F_NESTED, inner + u8(SUBNET_PREFIX_LENGTH, length))


def transform(encryption, bits, integrity=0):
    """A nested transform."""
    return attribute(TRANSFORM | NLA_F_NESTED, u16(ENCRYPTION, encryption) +
                     u16(KEY_LENGTH, bits) + u16(INTEGRITY, integrity))


DEV = text(IFNAME, "pvs0")
NEW = DEV + text(NAME, "new") + ip(REMOTE, "192.0.2.9")
RIGHT = DEV + text(NAME, "right")
OF_RIGHT = DEV + text(SA_PEER, "right")
GCM = transform(20, 128)
SECRET = attribute(KEY, bytes(range(20)))
INBOUND = OF_RIGHT + u8(DIR, DIR_IN) + u32(SPI, 0x9001)
OUTBOUND = OF_RIGHT + u8(DIR, DIR_OUT) + u32(SPI, 0x9001)
SPI_EXISTS = OF_RIGHT + u8(DIR, DIR_OUT) + u32(SPI, 0x1001)
OTHER = subnet("10.9.0.0", 16)

# (request, its attributes, errno, a part of the text)
REFUSED = (
    (DEVICE_SET, b"", "EINVAL", "the device, as ifindex or ifname, is missing"),
    (DEVICE_SET, text(IFNAME, "nosuch"), "ENODEV", "no such device; see ip link"),
    (DEVICE_SET, u32(IFINDEX, 999999), "ENODEV", "no such device; see ip link"),
    (DEVICE_SET, u32(IFINDEX, 0), "ERANGE", ""),
    (DEVICE_SET, text(IFNAME, "lo"), "EOPNOTSUPP", "lo is not a pvsvpn device"),
    (DEVICE_SET, u32(IFINDEX, 1) + DEV, "EOPNOTSUPP", "lo is not a pvsvpn device"),
    (DEVICE_SET, DEV, "EINVAL", "nothing to set; give mtu, fwmark or another"),
    (DEVICE_SET, DEV + u32(DEVICE_MTU, 67), "EINVAL", "mtu 67 is out of range"),
    (DEVICE_SET, DEV + u32(DEVICE_MTU, 1 << 31), "EINVAL", "mtu 2147483648 is out of range"),
    (DEVICE_SET, DEV + u32(DEVICE_MTU, 1 << 17) + u32(DEVICE_FWMARK, 5), "EINVAL", "mtu 131072"),
    (DEVICE_SET, text(IFNAME, "x" * 16), "EINVAL", "policy"),
    (DEVICE_SET, DEV + u32(TTL, 257), "EINVAL", "ttl 257 is out of range; use 1 to 255, 0"),
    (DEVICE_SET, DEV + u32(DSCP, 65), "EINVAL", "dscp 65 is out of range; use 0 to 63, or 64"),
    (DEVICE_SET, DEV + u32(ECN, 2), "EINVAL", "ecn 2 is out of range; use 0 or 1"),
    (DEVICE_SET, DEV + u32(PMTUDISC, 2), "EINVAL", "pmtudisc 2 is out of range; use 0 or 1"),
    (DEVICE_SET, DEV + u32(FRAGMENT, 2), "EINVAL", "fragment 2 is out of range; use 0"),
    (DEVICE_SET, DEV + u32(MSS, 215), "EINVAL", "mss-clamp 215 is out of range; use 216 to"),
    (DEVICE_SET, DEV + u32(MSS, 65536), "EINVAL", "mss-clamp 65536 is out of range"),
    (DEVICE_SET, DEV + u32(DEVICE_FWMARK, 5) + u32(MSS, 2), "EINVAL", "mss-clamp 2 is out of"),
    (PEER_NEW, DEV, "EINVAL", "name of the peer is missing"),
    (PEER_NEW, DEV + text(NAME, "new"), "EINVAL", "remote, the outer address of the peer, is m"),
    (PEER_NEW, RIGHT + ip(REMOTE, "192.0.2.9"), "EEXIST", "pvs0 has a peer right already"),
    (PEER_NEW, DEV + text(NAME, "") + ip(REMOTE, "192.0.2.9"), "EINVAL", "name is 1 to 47"),
    (PEER_NEW, DEV + text(NAME, "a b") + ip(REMOTE, "192.0.2.9"), "EINVAL", "name is 1 to 47"),
    (PEER_NEW, DEV + text(NAME, "x" * 48) + ip(REMOTE, "192.0.2.9"), "EINVAL", "policy"),
    (PEER_NEW, NEW + OTHER + u8(ENCAP, 9), "EINVAL", "there is no encap 9; use 0 .none. or 1 .udp."),
    (PEER_NEW, NEW + OTHER + u32(PEER_WINDOW, 31), "EINVAL", "replay-window 31 is out of range"),
    (PEER_NEW, NEW + OTHER + u32(PEER_WINDOW, 4097), "EINVAL", "replay-window 4097 is out"),
    (PEER_NEW, NEW + OTHER + attribute(LOCAL, b"abc"), "EINVAL", "address has 3 bytes"),
    (PEER_NEW, NEW + OTHER + attribute(LOCAL), "EINVAL", "address has 0 bytes"),
    (PEER_NEW, NEW + OTHER + ip(LOCAL, "fd00::1"), "EINVAL", "of different families; use one"),
    (PEER_NEW, NEW + OTHER + ip(REMOTE, "fe80::1"), "EINVAL", "remote is link-local; say its link"),
    (PEER_NEW, NEW + OTHER + text(LINK, "none0"), "ENODEV", "no interface none0"),
    (PEER_NEW, NEW + OTHER + ip(REMOTE, "fe80::1") + text(LINK, "no"), "ENODEV", "no interface no"),
    (PEER_NEW, NEW + OTHER + ip(REMOTE, "ff02::1"), "EINVAL", "ff02::1 is a multicast address"),
    (PEER_NEW, NEW + OTHER + ip(LOCAL, "192.0.2.9"), "EINVAL", "local and remote are the same"),
    (PEER_NEW, NEW + OTHER + ip(LOCAL, "224.0.0.5"), "EINVAL", "local 224.0.0.5 is a multicast"),
    (PEER_NEW, NEW + OTHER + ip(REMOTE, "224.0.0.5"), "EINVAL", "remote 224.0.0.5 is a multic"),
    (PEER_NEW, NEW + OTHER + ip(REMOTE, "0.0.0.0"), "EINVAL", "is the unspecified address"),
    (PEER_NEW, NEW + OTHER + ip(REMOTE, "255.255.255.255"), "EINVAL", "is the broadcast address"),
    (PEER_NEW, NEW + OTHER + ip(REMOTE, "192.0.2.255"), "EINVAL", "is a subnet's broadcast"),
    (PEER_NEW, NEW + OTHER + ip(REMOTE, "192.0.2.1"), "EINVAL", "192.0.2.1 is this host's own"),
    (PEER_NEW, NEW + OTHER + ip(REMOTE, "127.0.0.1"), "EINVAL", "127.0.0.1 is this host's own"),
    (PEER_NEW, NEW + subnet("10.9.0.1", 16), "EINVAL", "host bits set; 10.9.0.1/16 means 10.9.0.0/16"),
    (PEER_NEW, NEW + subnet("fd00:9::1", 64), "EINVAL", "host bits set; .*fd00:9::/64"),
    (PEER_NEW, NEW + subnet("10.9.0.0", 33), "EINVAL", "prefix-length 33 is out of range; use 0 to 32"),
    (PEER_NEW, NEW + subnet("fd00::", 129), "EINVAL", "prefix-length 129 is out of .* 0 to 128"),
    (PEER_NEW, NEW + subnet(b"", 8), "EINVAL", "address of a subnet is missing"),
    (PEER_NEW, NEW + subnet(attribute(SUBNET_ADDRESS, b"12345"), 8), "EINVAL", "has 5 bytes"),
    (PEER_NEW, NEW + attribute(SUBNET | NLA_F_NESTED, ip(SUBNET_ADDRESS, "10.9.0.0")), "EINVAL",
     "prefix-length of a subnet is missing"),
    (PEER_NEW, NEW + OTHER + OTHER, "EINVAL", "10.9.0.0/16 is given twice"),
    (PEER_NEW, NEW + subnet("10.2.0.0", 16), "EEXIST", "10.2.0.0/16 is peer right's already"),
    (PEER_NEW, NEW + OTHER + subnet("fd00:2::", 64), "EEXIST", "fd00:2::/64 is peer right's"),
    (PEER_NEW, NEW + b"".join(subnet(f"10.{100 + n // 256}.{n % 256}.0", 24)
                              for n in range(SUBNETS_MAX + 1)), "EINVAL", "1025 subnets are too many"),
    (PEER_SET, DEV, "EINVAL", "name of the peer is missing"),
    (PEER_SET, DEV + text(NAME, "nosuch"), "ENOENT", "pvs0 has no peer nosuch"),
    (PEER_SET, RIGHT + ip(REMOTE, "192.0.2.1"), "EINVAL", "192.0.2.1 is this host's own"),
    (PEER_SET, RIGHT + ip(LOCAL, "192.0.2.2"), "EINVAL", "local and remote are the same"),
    (PEER_SET, RIGHT + u32(PEER_WINDOW, 64) + u8(ENCAP, 9), "EINVAL", "there is no encap 9"),
    (PEER_SET, RIGHT + subnet("10.3.0.0", 16) + subnet("10.4.4.4", 8), "EINVAL", "host bits set"),
    (PEER_DEL, DEV + text(NAME, "nosuch"), "ENOENT", "pvs0 has no peer nosuch"),
    (SA_NEW, DEV, "EINVAL", "name of the peer is missing"),
    (SA_NEW, OF_RIGHT, "EINVAL", "dir of the SA is missing"),
    (SA_NEW, OF_RIGHT + u8(DIR, 2), "ERANGE", ""),
    (SA_NEW, OF_RIGHT + u8(DIR, 0), "EINVAL", "spi of the SA is missing"),
    (SA_NEW, INBOUND, "EINVAL", "transform of the SA is missing"),
    (SA_NEW, INBOUND + GCM, "EINVAL", "key of the SA is missing"),
    (SA_NEW, INBOUND + transform(20, 129) + SECRET, "EOPNOTSUPP", "no transform with .* 129"),
    (SA_NEW, INBOUND + transform(20, 128, 12) + SECRET, "EOPNOTSUPP", "integrity 12"),
    (SA_NEW, INBOUND + transform(3, 0) + SECRET, "EOPNOTSUPP", "no transform with encryption 3"),
    (SA_NEW, INBOUND + attribute(TRANSFORM | NLA_F_NESTED) + SECRET, "EINVAL",
     "encryption of the transform is missing"),
    (SA_NEW, INBOUND + GCM + attribute(KEY), "EINVAL", "key is 0 bytes, aes128gcm16 takes 20"),
    (SA_NEW, INBOUND + GCM + attribute(KEY, bytes(19)), "EINVAL", "key is 19 bytes"),
    (SA_NEW, INBOUND + GCM + attribute(KEY, bytes(21)), "EINVAL", "key is 21 bytes"),
    (SA_NEW, INBOUND + GCM + attribute(KEY, bytes(4000)), "EINVAL", "key is 4000 bytes"),
    (SA_NEW, INBOUND + transform(28, 0) + SECRET, "EINVAL", "chacha20poly1305 takes 36"),
    (SA_NEW, INBOUND + GCM + SECRET + u32(SA_WINDOW, 0), "EINVAL", "replay-window 0 is out of"),
    (SA_NEW, INBOUND + GCM + SECRET + u32(SA_WINDOW, 4097), "EINVAL", "replay-window 4097 is"),
    (SA_NEW, INBOUND + GCM + SECRET + u64(SEQ, 1 << 32), "EINVAL", "seq 4294967296 is too high"),
    (SA_NEW, OUTBOUND + GCM + SECRET + u32(SA_WINDOW, 64), "EINVAL", "is for inbound SAs"),
    (SA_NEW, OF_RIGHT + u8(DIR, 0) + u32(SPI, 0) + GCM + SECRET, "EINVAL", "0x00000000 is reserved"),
    (SA_NEW, OF_RIGHT + u8(DIR, 1) + u32(SPI, 255) + GCM + SECRET, "EINVAL", "0x000000ff is reserved"),
    (SA_NEW, INBOUND + GCM + SECRET + u8(ESN, 2), "ERANGE", "out of range"),
    (SA_NEW, INBOUND + transform(12, 128, 2) + attribute(KEY, bytes(36)), "EINVAL",
     "aes128-sha1 is legacy; say legacy"),
    (SA_NEW, SPI_EXISTS + GCM + SECRET, "EEXIST", "0x00001001 is peer right's on pvs0"),
    (SA_NEW, DEV + text(SA_PEER, "nosuch") + u8(DIR, 0) + u32(SPI, 0x9001) + GCM + SECRET, "ENOENT",
     "pvs0 has no peer nosuch"),
    (SA_DEL, OF_RIGHT, "EINVAL", "dir of the SA is missing"),
    (SA_DEL, INBOUND, "ENOENT", "peer right has no inbound SA with spi 0x00009001"),
    (SA_DEL, OUTBOUND, "ENOENT", "peer right has no outbound SA with spi 0x00009001"),
)


def ack(sock):
    """(errno, text) of the answer to a request."""
    data = sock.recv(1 << 17)
    _, kind, flags = struct.unpack("=IHH", data[:8])
    assert kind == NLMSG_ERROR, kind
    error, length = struct.unpack("=iI", data[16:24])
    # The request is quoted whole, unless NLM_F_CAPPED (0x100) is set.
    start = 36 if flags & 0x100 else 20 + ((length + 3) & ~3)
    said = dict(attributes(data[start:])).get(NLMSGERR_ATTR_MSG, b"")
    return -error, said.rstrip(b"\0").decode()


def state(sock, family):
    """Names, addresses and subnets of peers, SPIs of SAs, etc.: no counters, no times."""
    found = []
    for command, kept in KEPT.items():
        request(sock, family, command, NLM_F_DUMP)
        for data in answers(sock):
            while len(data) >= 20:
                length = struct.unpack("=I", data[:4])[0]
                found += [(command, kind, value) for kind, value in attributes(data[20:length])
                          if kind in kept]
                data = data[(length + 3) & ~3:]
    return found


def main():
    """All of them, in one go."""
    sock, family, _ = opened()
    sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
    before, wrong = state(sock, family), 0
    for command, attrs, name, pattern in REFUSED:
        request(sock, family, command, NLM_F_ACK, attrs)
        error, said = ack(sock)
        if getattr(errno, name) != error or not re.search(pattern, said):
            print(f"command {command} {attrs[:60].hex()}: {os.strerror(error)}, '{said}';"
                  f" should be {name}, '{pattern}'")
            wrong = 1
        if state(sock, family) != before:
            print(f"command {command} {attrs[:60].hex()}: has changed something")
            before, wrong = state(sock, family), 1
    print(f"{len(REFUSED)} requests", file=sys.stderr)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
