# SPDX-License-Identifier: GPL-2.0
"""Invalid netlink messages of every kind: fuzzing by mutation, from a seed."""
import struct

from hostile_netlink import (DELPOLICY, DELSA, GETPOLICY, GETSA, IF_ID, MIGRATE, NESTED, NEWAE,
                             NEWPOLICY, NEWSA, NLM_F_ACK, NLM_F_DUMP, NLM_F_NEW, NLM_F_REQUEST,
                             RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK, RTM_SETLINK, UAPI, UPDSA,
                             Family, Route, Xfrm, aead, attribute, device_attrs, link, peer_attrs, policy,
                             sa_attrs, selector, state, state_id, template, text, u32, window)
from hostile_nobody import own_host, unshare
from netns import sampled

KEY = bytes(range(20))
# Messages that the last run sent, and the answers
last = ""


def family_templates(device, peer):
    """(command, attributes) of valid requests."""
    def counters(what):
        return attribute(UAPI[f"A_{what}_COUNTERS"])
    name = device_attrs(device)
    return [
        ("DEVICE_GET", name + counters("DEVICE")), ("DEVICE_GET", b""),
        ("DEVICE_SET", device_attrs(device, FWMARK=5, TTL=64, IF_ID_IN=7, IF_ID_OUT=7)),
        ("DEVICE_SET", device_attrs(device, MTU=1400, DSCP=3, MSS_CLAMP=1)),
        ("PEER_GET", peer_attrs(device, peer) + counters("PEER")), ("PEER_GET", b""),
        ("PEER_NEW", peer_attrs(device, "new", "10.66.1.1", [("10.9.0.0", 16), ("fd00::", 64)])),
        ("PEER_SET", peer_attrs(device, peer, "10.66.1.2", [("10.8.0.0", 16)])),
        ("PEER_DEL", peer_attrs(device, "new")),
        ("SA_GET", sa_attrs(device, peer, "OUT", 0x5001) + counters("SA")), ("SA_GET", b""),
        ("SA_NEW", sa_attrs(device, peer, "OUT", 0x5001, KEY)),
        ("SA_NEW", sa_attrs(device, peer, "IN", 0x5002, KEY)),
        ("SA_DEL", sa_attrs(device, peer, "OUT", 0x5001)),
    ]


def nest(rng, depth):
    """Nests in nests."""
    data = b""
    for _ in range(depth):
        data = attribute(rng.randrange(64) | NESTED, data)
        if len(data) > 60000:
            break
    return data


def huge(rng):
    """A list with thousands of entries."""
    kind = rng.choice((UAPI["A_PEER_SUBNET"], UAPI["A_SA_KEY"], rng.randrange(64)))
    entry = attribute(kind | rng.choice((0, NESTED)), bytes(rng.choice((0, 4, 12, 24))))
    return entry * rng.randrange(500, 2500)


def mutate(rng, data):
    """One or more errors in the bytes after the header."""
    data = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        how = rng.choice((0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7, 8, 8))
        at = rng.randrange(len(data) + 1)
        if how == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif how == 1:
            del data[at:]
        elif how == 2:
            data[at:at] = rng.randbytes(rng.randrange(1, 40))
        elif how == 3 and len(data) > 4:
            # The length of an attribute, since attributes begin at multiples of four
            at = at // 4 * 4 % len(data)
            data[at:at + 2] = struct.pack("=H", rng.choice((0, 1, 3, 4, 5, 0x7fff, 0xffff)))
        elif how == 4:
            data += attribute(rng.randrange(1 << 14), rng.randbytes(rng.randrange(64)))
        elif how == 5:
            data += nest(rng, rng.choice((1, 8, 200, 4000)))
        elif how == 6:
            data += data[rng.randrange(len(data) + 1) // 4 * 4:]
        elif how == 7:
            data += huge(rng)
        else:
            data[at:at + 8] = rng.randbytes(8)
    return bytes(data[:120000])


def message(rng, kind, body):
    """With a header that may be wrong, too."""
    flags = rng.choice((NLM_F_REQUEST | NLM_F_ACK, NLM_F_REQUEST | NLM_F_ACK,
                        NLM_F_REQUEST | NLM_F_ACK | NLM_F_NEW, NLM_F_REQUEST | NLM_F_DUMP,
                        rng.randrange(1 << 16)))
    length = 16 + len(body)
    if rng.random() < 0.05:
        length = rng.choice((0, 15, 16, 17, length - 1, length + 1, length + 4096, 2**32 - 1))
    pad = bytes(-len(body) % 4)
    return struct.pack("=IHHII", length, kind, flags, rng.randrange(1 << 32),
                       rng.choice((0, 0, rng.randrange(1 << 32)))) + body + pad


class Counted:
    """Sends and receives, never blocks."""

    def __init__(self, sock):
        self.sock, self.sent, self.bytes, self.answers = sock, 0, 0, {}
        sock.setblocking(False)

    def send(self, data):
        """One datagram; answers are read and discarded now and then."""
        try:
            self.bytes += self.sock.send(data)
            self.sent += 1
        except OSError:
            pass
        if self.sent % 4 == 0:
            self.read()

    def read(self):
        """Read everything, including a dump's next part."""
        for _ in range(64):
            try:
                data = self.sock.recv(1 << 17)
            except BlockingIOError:
                return
            except OSError:
                continue
            if len(data) >= 20 and struct.unpack("=H", data[4:6])[0] == 2:
                error = -struct.unpack("=i", data[16:20])[0]
                self.answers[error] = self.answers.get(error, 0) + 1

    def __str__(self):
        return f"{self.sent} messages, {self.bytes} bytes, answers {dict(sorted(self.answers.items()))}"


def family(rng, opened, count, device, peer):
    """Send this many messages to the family, some of them several in a datagram."""
    global last
    counted, templates = Counted(opened.sock), family_templates(device, peer)
    for number in range(count):
        data = b""
        for _ in range(rng.choice((1, 1, 1, 5))):
            command, attrs = rng.choice(templates)
            header = struct.pack("=BBH", UAPI["CMD_" + command], 1, 0)
            if number % 8 == 0:
                header = rng.randbytes(4)
            # One in five is valid, so that there are objects to attack
            attrs = attrs if rng.random() < 0.2 else mutate(rng, attrs)
            data += message(rng, opened.family, header + attrs)
        counted.send(data)
    counted.read()
    last = str(counted)


def other_templates(sock):
    """Valid requests of rtnetlink or XFRM."""
    if isinstance(sock, Route):
        kind = sock.kind("pvsvpn", u32(1, 5))
        return [(RTM_NEWLINK, link() + text(3, "g0") + kind), (RTM_DELLINK, link() + text(3, "g0")),
                (RTM_SETLINK, link() + text(3, "v0") + u32(4, 1300)), (RTM_GETLINK, link()),
                (RTM_NEWLINK, link(0, 1, 1) + text(3, "v0") + u32(31, 4096) + kind)]
    sel = selector(dst="172.16.0.0", dst_len=16)
    return [(NEWSA, state("10.66.0.1", "10.66.1.1", 0x9001) + aead(KEY) + u32(IF_ID, 7) + window()),
            (UPDSA, state("10.66.0.1", "10.66.1.1", 0x9001) + aead(KEY) + u32(IF_ID, 7) + window()),
            (NEWSA, state("10.66.1.1", "10.66.0.1", 0x9002) + aead(KEY) + u32(IF_ID, 7)),
            (DELSA, state_id("10.66.1.1", 0x9001)), (GETSA, b""), (GETPOLICY, b""),
            (NEWPOLICY, policy(sel) + template("10.66.0.1", "10.66.1.1") + u32(IF_ID, 7)),
            (DELPOLICY, sel + struct.pack("=IBxxx", 0, 1) + u32(IF_ID, 7)),
            (NEWAE, state_id("10.66.1.1", 0x9001) + bytes(24)), (MIGRATE, sel + bytes(64))]


def other(rng, sock, count):
    """The same to rtnetlink or XFRM, whose objects the module also uses."""
    counted, templates = Counted(sock.sock), other_templates(sock)
    for _ in range(count):
        kind, body = rng.choice(templates)
        if rng.random() < 0.03:
            kind = rng.randrange(0x10, 0x30)
        counted.send(message(rng, kind, body if rng.random() < 0.3 else mutate(rng, body)))
    counted.read()
    return str(counted)


def attack(rng):
    """In the user's own namespace, with a device, a peer and SAs to attack."""
    count = 400 if sampled() else 1200
    unshare()
    route = own_host()
    for device in ("v0", "v1"):
        route.add(device, "pvsvpn")
        route.up(device)
    opened = Family()
    opened.cmd("PEER_NEW", peer_attrs("v0", "p", "10.66.1.9", [("10.7.0.0", 16)]))
    opened.cmd("DEVICE_SET", device_attrs("v1", IF_ID_IN=7, IF_ID_OUT=7))
    listeners = []
    for _ in range(10):
        listener = Family()
        try:
            listener.sock.setsockopt(270, 1, listener.group)
        except OSError:
            pass
        listeners.append(listener)
    family(rng, opened, count, "v0", "p")
    print(f"pvsvpn: {last}", flush=True)
    for kind in (Xfrm, Route):
        print(f"{kind.__name__}: {other(rng, kind(), count // 3)}", flush=True)
    # Random bytes to each of them
    for kind in (Family, Xfrm, Route):
        sock = kind().sock
        sock.setblocking(False)
        for _ in range(count // 20):
            try:
                sock.send(rng.randbytes(rng.randrange(1, 3000)))
            except OSError:
                pass
