# SPDX-License-Identifier: GPL-2.0
"""Netlink for the hostile user and the victim: rtnetlink, XFRM, and pvsvpn.

Written by hand: messages must be wrong on purpose, and one process that creates a thousand objects
is faster than a thousand processes.
"""
import errno
import socket
import struct

from esp_netlink import attribute, constants, family_of, text, u8, u16, u32, u64

UAPI = constants()
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLM_F_NEW = 0x600
NLMSG_ERROR, NLMSG_DONE = 2, 3
NESTED = 0x8000
NETLINK_ROUTE, NETLINK_XFRM, NETLINK_GENERIC = 0, 6, 16
SOL_NETLINK, NETLINK_CAP_ACK = 270, 10
SO_RCVBUFFORCE = 33

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_NEWROUTE = 20, 24
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_LINKINFO = 1, 3, 4, 5, 18
IFLA_IFALIAS, IFLA_NET_NS_PID, IFLA_NUM_TX_QUEUES, IFLA_NET_NS_FD = 20, 19, 31, 28
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
IFF_UP = 1

(NEWSA, DELSA, GETSA, NEWPOLICY, DELPOLICY, GETPOLICY, ALLOCSPI, ACQUIRE, EXPIRE, UPDPOLICY,
 UPDSA, POLEXPIRE, FLUSHSA, FLUSHPOLICY, NEWAE, GETAE, REPORT, MIGRATE) = range(0x10, 0x22)
(ALG_AUTH, ALG_CRYPT, ALG_COMP, ENCAP, TMPL) = range(1, 6)
MIGRATE_ENDS, ALG_AEAD, ALG_AUTH_TRUNC, MARK, TFCPAD, REPLAY_ESN = 17, 18, 20, 21, 22, 23
OFFLOAD_DEV, IF_ID = 28, 31
OFFLOAD_INBOUND = 2
ESP, TUNNEL, POLICY_IN, POLICY_OUT, STATE_AF_UNSPEC = 50, 1, 0, 1, 32
GCM = "rfc4106(gcm(aes))"
FOREVER = struct.pack("=8Q", *(2**64 - 1,) * 4, 0, 0, 0, 0)


def packed(address):
    """An address of either family as bytes."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address)


class Netlink:
    """A socket that sends a request and reads the answer."""

    def __init__(self, protocol):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self.sock.bind((0, 0))
        self.sock.settimeout(90)
        # An error need not quote the request, which may be large
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.seq = 0

    def send(self, kind, flags, body):
        """Send a request, without waiting for the answer."""
        self.seq += 1
        self.sock.send(struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST | flags,
                                   self.seq, 0) + body)

    def answer(self):
        """errno of the last request with an answer; older answers are discarded."""
        while True:
            data = self.sock.recv(1 << 17)
            _, kind, _, seq, _, error = struct.unpack("=IHHIIi", data[:20])
            if kind == NLMSG_ERROR and seq == self.seq:
                return -error

    def ask(self, kind, body, flags=0):
        """errno of a request, 0 on success."""
        try:
            self.send(kind, NLM_F_ACK | flags, body)
        except OSError as error:
            return error.errno
        return self.answer()

    def must(self, kind, body, flags=0):
        """A request that must succeed."""
        error = self.ask(kind, body, flags)
        if error:
            raise OSError(error, f"request {kind}: {errno.errorcode.get(error, error)}")

    def dump(self, kind, body=b""):
        """Bytes of a whole dump, header and all."""
        self.send(kind, NLM_F_DUMP, body)
        found = b""
        while True:
            data = self.sock.recv(1 << 17)
            at = 0
            while at + 16 <= len(data):
                length, what, _, seq = struct.unpack("=IHHI", data[at:at + 12])
                if what == NLMSG_ERROR:
                    error = -struct.unpack("=i", data[at + 16:at + 20])[0]
                    raise OSError(error, f"dump {kind}")
                if what == NLMSG_DONE and seq == self.seq:
                    return found
                found += data[at:at + length]
                at += (length + 3) & ~3

    def close(self):
        """Close it."""
        self.sock.close()


def link(index=0, flags=0, change=0):
    """struct ifinfomsg"""
    return struct.pack("=BxHiII", 0, 0, index, flags, change)


class Route(Netlink):
    """Devices, addresses, routes."""

    def __init__(self):
        super().__init__(NETLINK_ROUTE)

    @staticmethod
    def kind(name, data=b""):
        """IFLA_LINKINFO for a device of a kind."""
        info = text(IFLA_INFO_KIND, name)
        if data:
            info += attribute(IFLA_INFO_DATA | NESTED, data)
        return attribute(IFLA_LINKINFO | NESTED, info)

    def add(self, name, kind, more=b"", data=b""):
        """errno of a new device."""
        return self.ask(RTM_NEWLINK, link() + text(IFLA_IFNAME, name) + self.kind(kind, data) +
                        more, NLM_F_NEW)

    def up(self, name):
        """errno of setting a device up."""
        return self.ask(RTM_NEWLINK, link(0, IFF_UP, IFF_UP) + text(IFLA_IFNAME, name))

    def delete(self, name):
        """errno of removing a device."""
        return self.ask(RTM_DELLINK, link() + text(IFLA_IFNAME, name))

    def alias(self, name, value):
        """errno of a small request that needs RTNL and changes nothing important."""
        return self.ask(RTM_SETLINK, link() + text(IFLA_IFNAME, name) + text(IFLA_IFALIAS, value))

    def address(self, name, address, length):
        """errno of an address for a device."""
        raw = packed(address)
        family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
        return self.ask(RTM_NEWADDR, struct.pack("=BBBBI", family, length, 2, 0,
                                                 socket.if_nametoindex(name)) +
                        attribute(2, raw) + attribute(1, raw), NLM_F_NEW)

    def route(self, prefix, length, name):
        """errno of a route through a device."""
        raw = packed(prefix)
        family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
        return self.ask(RTM_NEWROUTE, struct.pack("=BBBBBBBBI", family, length, 0, 0, 254, 3,
                                                  253 if family == socket.AF_INET else 0, 1, 0) +
                        attribute(1, raw) + u32(4, socket.if_nametoindex(name)), NLM_F_NEW)


def wide(address):
    """An address as xfrm_address_t."""
    return packed(address).ljust(16, b"\0")


def family_of_address(address):
    """AF_INET or AF_INET6"""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def selector(family=socket.AF_INET, src="0.0.0.0", src_len=0, dst="0.0.0.0", dst_len=0):
    """struct xfrm_selector; addresses without ports"""
    return wide(dst) + wide(src) + bytes(8) + struct.pack("=HBBBxxxiI", family, dst_len, src_len,
                                                         0, 0, 0)


def aead(key, name=GCM, icv=128):
    """XFRMA_ALG_AEAD"""
    return attribute(ALG_AEAD, struct.pack("=64sII", name.encode(), 8 * len(key), icv) + key)


def window(packets=128):
    """XFRMA_REPLAY_ESN_VAL without ESN: a window of more than 32 packets"""
    return attribute(REPLAY_ESN, struct.pack("=6I", packets // 32, 0, 0, 0, 0, packets) +
                     bytes(packets // 8))


def state(src, dst, spi, reqid=0, mode=TUNNEL, flags=STATE_AF_UNSPEC):
    """struct xfrm_usersa_info"""
    family = family_of_address(dst)
    sel = selector(0 if flags & STATE_AF_UNSPEC else family)
    return (sel + wide(dst) + struct.pack(">IB3x", spi, ESP) + wide(src) + FOREVER + bytes(32 + 12) +
            struct.pack("=IIHBBB7x", 0, reqid, family, mode, 0, flags))


def state_id(dst, spi):
    """struct xfrm_usersa_id"""
    return wide(dst) + struct.pack(">I", spi) + struct.pack("=HBx", family_of_address(dst), ESP)


def template(src, dst, reqid=0):
    """XFRMA_TMPL"""
    return attribute(TMPL, wide(dst) + struct.pack(">IB3x", 0, ESP) +
                     struct.pack("=Hxx", family_of_address(dst)) + wide(src) +
                     struct.pack("=IBBBxIII", reqid, TUNNEL, 0, 0, *(2**32 - 1,) * 3))


def policy(sel, direction=POLICY_OUT, priority=0):
    """struct xfrm_userpolicy_info"""
    return sel + FOREVER + bytes(32) + struct.pack("=IIBBBB4x", priority, 0, direction, 0, 0, 0)


def migration(sel, if_id, old, new, direction=POLICY_OUT):
    """Body of XFRM_MSG_MIGRATE: a policy and its states move from (src, dst) to another."""
    ends = b"".join(wide(dst) + wide(src) for src, dst in (old, new)) + \
        struct.pack("=BBHIHH", ESP, TUNNEL, 0, 0, socket.AF_INET, socket.AF_INET)
    return sel + struct.pack("=IB3x", 0, direction) + u32(IF_ID, if_id) + \
        attribute(MIGRATE_ENDS, ends)


class Xfrm(Netlink):
    """States and policies."""

    def __init__(self):
        super().__init__(NETLINK_XFRM)

    def add(self, src, dst, spi, if_id, key, more=b"", reqid=0, kind=NEWSA):
        """errno of a state in tunnel mode."""
        return self.ask(kind, state(src, dst, spi, reqid) + aead(key) + u32(IF_ID, if_id) +
                        window() + more)

    def delete(self, dst, spi):
        """errno of deleting a state."""
        return self.ask(DELSA, state_id(dst, spi))

    def flush(self):
        """errno of deleting all states and policies."""
        return self.ask(FLUSHSA, struct.pack("=B", 0)) or self.ask(FLUSHPOLICY, b"")


class Family(Netlink):
    """The family pvsvpn."""

    def __init__(self):
        super().__init__(NETLINK_GENERIC)
        self.family, self.group = family_of(self.sock)

    def cmd(self, name, attrs, flags=0):
        """errno of a request by its name, e.g. PEER_NEW."""
        return self.ask(self.family, struct.pack("=BBH", UAPI["CMD_" + name], 1, 0) + attrs, flags)

    def show(self, name, attrs=b""):
        """Bytes of a dump by the request's name."""
        return self.dump(self.family, struct.pack("=BBH", UAPI["CMD_" + name], 1, 0) + attrs)


def named(prefix, name, value):
    """A uAPI attribute by name; the value gives its kind: text, bytes, or (bits, number)."""
    kind = UAPI[prefix + name]
    if isinstance(value, str):
        return text(kind, value)
    if isinstance(value, bytes):
        return attribute(kind, value)
    bits, number = value
    return {8: u8, 16: u16, 32: u32, 64: u64}[bits](kind, number)


def device_attrs(name, **settings):
    """Attributes of DEVICE_SET; settings by their names in the uAPI, each a u32."""
    return named("A_DEVICE_", "IFNAME", name) + b"".join(
        named("A_DEVICE_", key, (32, value)) for key, value in settings.items())


def subnet(address, length):
    """A nested subnet."""
    return attribute(UAPI["A_PEER_SUBNET"] | NESTED,
                     attribute(UAPI["A_SUBNET_ADDRESS"], packed(address)) +
                     u8(UAPI["A_SUBNET_PREFIX_LENGTH"], length))


def peer_attrs(device, name, remote=None, subnets=(), more=b""):
    """Attributes of PEER_NEW and PEER_SET."""
    attrs = named("A_PEER_", "IFNAME", device) + named("A_PEER_", "NAME", name)
    if remote:
        attrs += named("A_PEER_", "REMOTE", packed(remote))
    return attrs + b"".join(subnet(*prefix) for prefix in subnets) + more


def sa_attrs(device, peer, direction, spi, key=None, more=b""):
    """Attributes of SA_NEW, with aes128gcm16, and of SA_DEL."""
    attrs = (named("A_SA_", "IFNAME", device) + named("A_SA_", "PEER", peer) +
             named("A_SA_", "DIR", (8, UAPI["DIRECTION_" + direction])) +
             named("A_SA_", "SPI", (32, spi)))
    if key:
        attrs += attribute(UAPI["A_SA_TRANSFORM"] | NESTED,
                           u16(UAPI["A_TRANSFORM_ENCRYPTION"], 20) +
                           u16(UAPI["A_TRANSFORM_KEY_LENGTH"], 128))
        attrs += named("A_SA_", "KEY", key)
    return attrs + more
