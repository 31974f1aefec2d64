# SPDX-License-Identifier: GPL-2.0
"""Packets that pvsvpn sends."""
import os
import socket
import struct

from esp_gateway import difference, moved, settle_out
from esp_packet import (IP, IPv6, NEXT_IPV4, NEXT_IPV6, SCAPY_TRANSFORMS, UDP, checksum,
                        trailer)
from netns import in_netns, run

ESP_AT = 20  # behind an outer IPv4 header without options
UDP_SEGMENT = 103
IP_MTU_DISCOVER = 10
IP_PMTUDISC_DONT = 0
IPV6_TCLASS = 67
TARGET4 = ("10.2.0.5", 9)
TARGET6 = ("fd00:2::5", 9)


def sender(gateway, family=socket.AF_INET):
    """An application's UDP socket in GW."""
    def make():
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.bind(("10.1.0.1" if family == socket.AF_INET else "fd00:1::1", 0))
        return sock
    return in_netns(gateway.netns, make)


def send(gateway, *payloads, target=TARGET4, options=()):
    """Send datagrams; returns the ESP packets that must follow, one for each."""
    gateway.drain()
    family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
    with sender(gateway, family) as sock:
        for option in options:
            sock.setsockopt(*option)
        for payload in payloads:
            sock.sendto(payload, target)
    packets = gateway.captured(len(payloads))
    assert len(packets) == len(payloads), f"{len(packets)} on the wire, {len(payloads)} sent"
    return packets


def send_segments(gateway, count, size=100):
    """Send one large packet that pvsvpn splits (GSO); does not wait."""
    gateway.drain()
    with sender(gateway) as sock:
        sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        sock.sendto(bytes(count * size), TARGET4)


def check_inner(layer, src, payload):
    """The packet that scapy has decrypted equals the one sent."""
    assert layer.src == src, f"inner source {layer.src}"
    assert bytes(layer[UDP].payload) == payload, "inner payload differs"
    sent = layer[UDP].chksum
    again = layer.__class__(bytes(layer))
    del again[UDP].chksum
    again = layer.__class__(bytes(again))
    assert sent == again[UDP].chksum, f"inner UDP checksum {sent:#x}"


def scapy_case(transform):
    """A case for one transform."""
    def case(gateway):
        sa = gateway.sa("out", transform)
        scapy = sa.scapy("192.0.2.1", "192.0.2.2")
        payload = os.urandom(333)
        packet = send(gateway, payload)[0]
        check_inner(scapy.decrypt(IP(packet))[IP], "10.1.0.1", payload)
        packet = send(gateway, payload, target=TARGET6)[0]
        check_inner(scapy.decrypt(IP(packet))[IPv6], "fd00:1::1", payload)
    return f"scapy decrypts ours: {transform}", case


def numbers(gateway):
    """RFC 4303 section 3.3.3: 1, 2, 3, ..., also for split packets."""
    sa = gateway.sa("out")
    packets = send(gateway, *[bytes(n) for n in range(20)])
    send_segments(gateway, 10)
    packets += gateway.captured(10)
    packets += send(gateway, b"", target=TARGET6)
    seqs = [sa.open(packet[ESP_AT:])[0] for packet in packets]
    assert seqs == list(range(1, 32)), f"sequence numbers {seqs}"


def ivs(gateway):
    """A key that is used twice: no IV may repeat (RFC 4106 section 2)."""
    seen, material = [], None
    for _ in range(3):
        sa = gateway.sa("out", material=material)
        material = sa.material
        packets = send(gateway, *[b"x"] * 30)
        send_segments(gateway, 30)
        packets += gateway.captured(30)
        seen += [sa.open(packet[ESP_AT:])[1] for packet in packets]
    assert len(seen) == 180, f"{len(seen)} packets instead of 180"
    assert len(set(seen)) == len(seen), "an IV was used twice"


def padding(gateway):
    """1, 2, 3 as padding, and no more than needed."""
    sa = gateway.sa("out")
    for target, header in ((TARGET4, 28), (TARGET6, 48)):
        next_header = NEXT_IPV6 if header == 48 else NEXT_IPV4
        for length, packet in enumerate(send(gateway, *map(bytes, range(9)), target=target)):
            plain = sa.open(packet[ESP_AT:])[2]
            want = trailer(header + length, next_header)
            got = plain[header + length:]
            assert got == want, f"trailer {got.hex()} instead of {want.hex()}"


def check_outer(packet, tos, ttl):
    """The outer IPv4 header."""
    head = packet[:20]
    version, got_tos, length, _, flags, got_ttl, proto = struct.unpack("!BBHHHBB", head[:10])
    assert version == 0x45, f"version and header length {version:#x}"
    assert got_tos == tos, f"TOS {got_tos:#x} instead of {tos:#x}"
    assert length == len(packet), f"total length {length} of {len(packet)}"
    assert flags == 0x4000, f"flags and offset {flags:#x} instead of DF"
    assert got_ttl == ttl, f"TTL {got_ttl} instead of {ttl}"
    assert proto == 50, f"protocol {proto}"
    assert checksum(head) == 0, "header checksum"
    assert head[12:] == bytes((192, 0, 2, 1, 192, 0, 2, 2)), "addresses"


def outer_header(gateway):
    """TOS from inside, TTL of the host, DF."""
    gateway.sa("out")
    no_df = (socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
    for tos in (0, 0x28, 0xb9, 0xba, 0xff):
        options = [(socket.IPPROTO_IP, socket.IP_TOS, tos),
                   (socket.IPPROTO_IP, socket.IP_TTL, 5)]
        check_outer(send(gateway, b"x", options=options)[0], tos, 64)
        options = [(socket.IPPROTO_IPV6, IPV6_TCLASS, tos)]
        check_outer(send(gateway, b"x", options=options, target=TARGET6)[0], tos, 64)
    check_outer(send(gateway, b"x", options=[no_df])[0], 0, 64)


def default_ttl(gateway):
    """net.ipv4.ip_default_ttl of the outer namespace."""
    gateway.sa("out")
    setting = ("ip", "netns", "exec", gateway.netns, "sysctl", "-qw")
    run(*setting, "net.ipv4.ip_default_ttl=77")
    try:
        check_outer(send(gateway, b"x")[0], 0, 77)
    finally:
        run(*setting, "net.ipv4.ip_default_ttl=64")


def put_together(packets):
    """ESP reassembled from its outer fragments."""
    esp, ended = bytearray(), False
    for packet in sorted(packets, key=lambda p: (p[6] & 0x1f) << 8 | p[7]):
        flags_offset = struct.unpack("!H", packet[6:8])[0]
        assert not flags_offset & 0x4000, "DF on a fragment"
        assert (flags_offset & 0x1fff) * 8 == len(esp), "fragments do not join"
        ended = not flags_offset & 0x2000
        esp += packet[20:]
    assert ended, "last fragment is missing"
    return bytes(esp)


def too_large(gateway, payload, where):
    """The packets on the wire for a datagram that does not fit and may be fragmented."""
    gateway.ctl("set", "pvs0", "mtu", "1500", "fragment", where)
    try:
        gateway.drain()
        with sender(gateway) as sock:
            sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
            sock.sendto(payload, (f"10.2.0.{77 if where == 'inner' else 78}", 9))
        packets = gateway.captured(2)
    finally:
        gateway.ctl("set", "pvs0", "mtu", "auto", "fragment", "inner")
    assert len(packets) == 2, f"{len(packets)} packets on the wire"
    return packets


def inner_fragments(gateway):
    """With "fragment inner" a packet that does not fit is fragmented before encryption."""
    sa = gateway.sa("out")
    payload = os.urandom(1472)
    plain = []
    for number, packet in enumerate(too_large(gateway, payload, "inner"), start=1):
        assert not IP(packet).flags.MF and not IP(packet).frag, "ESP is fragmented"
        seq, _, inner = sa.open(packet[ESP_AT:])[:3]
        assert seq == number, f"sequence number {seq}"
        plain.append(inner[:struct.unpack("!H", inner[2:4])[0]])
    assert put_together(plain)[8:] == payload, "inner payload differs"


def outer_fragments(gateway):
    """With "fragment outer" a packet that does not fit is fragmented outside."""
    sa = gateway.sa("out")
    payload = os.urandom(1472)
    plain = sa.open(put_together(too_large(gateway, payload, "outer")))[2]
    assert plain[28:1500] == payload, "inner payload differs"


def current_sa(gateway):
    """The newest outbound SA carries the traffic; if it is deleted, the previous one does."""
    old = gateway.sa("out")
    assert old.open(send(gateway, b"1")[0][ESP_AT:])[0] == 1
    new = gateway.sa("out")
    assert new.open(send(gateway, b"2")[0][ESP_AT:])[0] == 1
    gateway.sas.pop()
    gateway.ctl("sa", "del", "pvs0", "wire", "spi", hex(new.spi), "dir", "out")
    assert old.open(send(gateway, b"3")[0][ESP_AT:])[0] == 2


def expect_out(gateway, before, want):
    """These outbound counters have changed, and no others."""
    got = settle_out(gateway, before, want)
    assert got == want, difference(want, got)


def all_scopes(name, count, sa=None, whose=("device", "peer wire")):
    """An outbound drop counter, and the column of ip -s link."""
    want = {(who, name): count for who in whose}
    if sa:
        want[f"sa out {sa.spi:#x}", name] = count
    want["link", "tx_errors"] = count
    return want


def counted(gateway):
    """Packets and bytes of the inner packets."""
    sa = gateway.sa("out")
    before = gateway.counters()
    send(gateway, *[bytes(100)] * 7)
    want = {(whose, f"tx_{name}"): value for whose in ("device", "peer wire", "link")
            for name, value in (("packets", 7), ("bytes", 7 * 128))}
    want[f"sa out {sa.spi:#x}", "packets"] = 7
    want[f"sa out {sa.spi:#x}", "bytes"] = 7 * 128
    expect_out(gateway, before, want)


def silent(gateway, before, want, target=TARGET4):
    """A datagram that must not leave."""
    gateway.drain()
    with sender(gateway) as sock:
        sock.sendto(b"x", target)
    expect_out(gateway, before, want)
    leaked = gateway.captured(0)
    assert not leaked, f"on the wire: {leaked[0].hex()}"


def no_sa(gateway):
    """A peer without outbound SA."""
    silent(gateway, gateway.counters(), all_scopes("tx_no_sa", 1))


def no_peer(gateway):
    """A destination behind no peer."""
    gateway.ip("route", "replace", "10.99.0.0/24", "dev", "pvs0", "src", "10.1.0.1")
    gateway.sa("out")
    silent(gateway, gateway.counters(), all_scopes("tx_no_peer", 1, whose=("device",)),
           target=("10.99.0.1", 9))


def exhausted(gateway):
    """Numbers end at 2^32 - 1, in the middle of a split packet."""
    sa = gateway.sa("out", "aes128gcm16", "seq", "4294967290")
    before = gateway.counters()
    send_segments(gateway, 10)
    packets = gateway.captured(5)
    seqs = [sa.open(packet[ESP_AT:])[0] for packet in packets]
    assert seqs == list(range(4294967291, 4294967296)), f"sequence numbers {seqs}"
    want = all_scopes("tx_seq_exhausted", 5, sa)
    for whose in ("device", "peer wire", "link"):
        want[whose, "tx_packets"], want[whose, "tx_bytes"] = 5, 5 * 128
    want[f"sa out {sa.spi:#x}", "packets"] = 5
    want[f"sa out {sa.spi:#x}", "bytes"] = 5 * 128
    expect_out(gateway, before, want)
    silent(gateway, gateway.counters(), all_scopes("tx_seq_exhausted", 1, sa))


def esn_crossing(gateway):
    """Numbers go on beyond 2^32, their low half on the wire."""
    sa = gateway.sa("out", "aes128gcm16", "esn", "seq", str(2 ** 32 - 4))
    packets = send(gateway, *[bytes(n) for n in range(4)])
    send_segments(gateway, 4)
    packets += gateway.captured(4)
    opened = [sa.open(packet[ESP_AT:], high) for packet, high in zip(packets, [0] * 3 + [1] * 5)]
    seqs = [seq for seq, _, _ in opened]
    assert seqs == list(range(2 ** 32 - 3, 2 ** 32 + 5)), f"sequence numbers {seqs}"
    ivs_ = [int.from_bytes(iv, "big") for _, iv, _ in opened]
    assert len(set(ivs_)) == len(ivs_), "an IV was used twice"


def esn_exhausted(gateway):
    """Numbers end at 2^63 - 1: the other half is never used."""
    sa = gateway.sa("out", "aes128gcm16", "esn", "seq", str(2 ** 63 - 3))
    packets = send(gateway, b"1", b"2")
    seqs = [sa.open(packet[ESP_AT:], 2 ** 31 - 1)[0] for packet in packets]
    assert seqs == [2 ** 63 - 2, 2 ** 63 - 1], f"sequence numbers {seqs}"
    silent(gateway, gateway.counters(), all_scopes("tx_seq_exhausted", 1, sa))


CASES = [
    *[scapy_case(transform) for transform in SCAPY_TRANSFORMS],
    ("sequence numbers start at 1 and count up by one", numbers),
    ("no IV comes twice, also with one key in three SAs", ivs),
    ("padding is 1, 2, 3 and minimal", padding),
    ("outer header: TOS copied, TTL of the host, DF", outer_header),
    ("outer TTL follows ip_default_ttl", default_ttl),
    ("inner packet that may be fragmented is, before encryption", inner_fragments),
    ("inner packet that may be fragmented is, outside, if set so", outer_fragments),
    ("the newest outbound SA is used, then the one before", current_sa),
    ("packets and bytes of device, peer, SA and link", counted),
    ("no outbound SA: tx_no_sa", no_sa),
    ("destination behind no peer: tx_no_peer", no_peer),
    ("sequence numbers never wrap: tx_seq_exhausted", exhausted),
    ("ESN: numbers go on beyond 2^32", esn_crossing),
    ("ESN: numbers never wrap either: tx_seq_exhausted", esn_exhausted),
]
