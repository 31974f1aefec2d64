# SPDX-License-Identifier: GPL-2.0
"""How pvsvpn handles ESP packets that arrive, valid and invalid ones."""
import os
import socket
import struct

from esp_gateway import arrive, expect
from esp_packet import (ESP, INNER4, IP, IPv6, NEXT_IPV4, NEXT_IPV6, NEXT_NONE,
                        SCAPY_TRANSFORMS, TRANSFORMS,
                        HEADER_LEN, IV_LEN, ICV_LEN, Sa, fragments, inner4, inner6,
                        outer, trailer)
from netns import in_netns

# Header, IV, trailer, ICV: nothing shorter can be ESP.
SHORTEST = HEADER_LEN + IV_LEN + 4 + ICV_LEN


def listener(gateway, family, addr):
    """An application's UDP socket in GW."""
    def make():
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.bind((addr, 0))
        sock.settimeout(15)
        return sock
    return in_netns(gateway.netns, make)


def check_scapy(gateway, sa, family, addr, make):
    """An application receives scapy's packet."""
    payload = os.urandom(100)
    with listener(gateway, family, addr) as sock:
        inner = make(dst=addr, port=sock.getsockname()[1], payload=payload)
        layer = IP(inner) if family == socket.AF_INET else IPv6(inner)
        esp = bytes(sa.scapy().encrypt(layer, seq_num=1 + (family != socket.AF_INET)))
        expect(gateway, sa, [esp], [inner])
        assert sock.recvfrom(2000)[0] == payload


def scapy_case(transform):
    """A case for one transform."""
    def case(gateway):
        sa = gateway.sa("in", transform)
        check_scapy(gateway, sa, socket.AF_INET, "10.1.0.1", inner4)
        check_scapy(gateway, sa, socket.AF_INET6, "fd00:1::1", inner6)
    return f"scapy's packets are delivered: {transform}", case


def every_padding(gateway):
    """Pad lengths 0 to 255 are valid if they keep the 4 byte alignment."""
    sa = gateway.sa("in")
    inner = inner4(payload=b"1234")
    pads = [n for n in range(256) if (len(inner) + n + 2) % 4 == 0]
    esps = [sa.seal(seq, inner + trailer(len(inner), NEXT_IPV4, pad))
            for seq, pad in enumerate(pads, 1)]
    arrive(gateway, sa, esps, [inner] * len(esps))


def padding_bytes(gateway):
    """The length is right, but the bytes are wrong."""
    sa = gateway.sa("in")
    inner = inner4(payload=b"123")  # 31 bytes: pads of 3, 7, ...
    wrong = [bytes(3), b"\1\2\4", b"\0\1\2", b"\3\2\1", b"\1\2\3\4\5\6\0", b"\xff" * 7]
    esps = [sa.seal(seq, inner + pad + bytes([len(pad), NEXT_IPV4]))
            for seq, pad in enumerate(wrong, 1)]
    right = sa.packet(len(wrong) + 1, inner)
    arrive(gateway, sa, esps + [right], [inner], {"rx_padding": len(wrong)})


def padding_too_long(gateway):
    """More padding than the packet has bytes."""
    sa = gateway.sa("in")
    plains = [b"\1\2" + bytes([pad, NEXT_IPV4]) for pad in (3, 4, 100, 255)]
    plains.append(bytes(range(1, 255)) + b"\xff" + bytes([NEXT_IPV4]))
    esps = [sa.seal(seq, plain) for seq, plain in enumerate(plains, 1)]
    arrive(gateway, sa, esps, drops={"rx_padding": len(esps)})


def truncated(gateway):
    """A packet cut at every length; its outer header has the new length."""
    sa = gateway.sa("in")
    esp = sa.packet(1, INNER4)
    cut = [esp[:n] for n in range(HEADER_LEN, len(esp))]
    whole = sum(1 for e in cut if len(e) >= SHORTEST and len(e) % 4 == 0)
    drops = {"rx_truncated": len(cut) - whole, "rx_icv": whole}
    arrive(gateway, sa, cut + [esp], [INNER4], drops)


def no_header(gateway):
    """Too short for SPI and sequence number, so no SA can be found."""
    sa = gateway.sa("in")
    esp = sa.packet(1, INNER4)
    arrive(gateway, sa, [esp[:n] for n in range(HEADER_LEN)] + [esp], [INNER4])


def forged(gateway):
    """One bit changed anywhere after the SPI."""
    sa = gateway.sa("in")
    esp = sa.packet(1, INNER4)
    esps = []
    for at in range(4, len(esp)):
        bad = bytearray(esp)
        bad[at] ^= 1 << at % 8
        esps.append(bytes(bad))
    arrive(gateway, sa, esps + [esp], [INNER4], {"rx_icv": len(esps)})


def wrong_key(gateway):
    """The same SPI, but another key."""
    for transform in TRANSFORMS:
        sa = gateway.sa("in", transform)
        other = Sa(transform, sa.spi)
        arrive(gateway, sa, [other.packet(1, INNER4), sa.packet(1, INNER4)],
               [INNER4], {"rx_icv": 1})


def next_header(gateway):
    """Transport mode and other payloads that no tunnel carries."""
    sa = gateway.sa("in")
    wrong = (0, 6, 17, 50, 255)
    esps = [sa.packet(seq, INNER4, nh) for seq, nh in enumerate(wrong, 1)]
    arrive(gateway, sa, esps, drops={"rx_next_header": len(wrong)})


def dummy(gateway):
    """RFC 4303 section 2.6: a dummy packet is discarded, whatever it contains."""
    sa = gateway.sa("in")
    esps = [sa.packet(1, INNER4, NEXT_NONE), sa.packet(2, b"\xff" * 50, NEXT_NONE),
            sa.seal(3, trailer(0, NEXT_NONE))]
    arrive(gateway, sa, esps, drops={"rx_dummy": len(esps)})


def patched(packet, at, data):
    """A packet with other bytes at some place."""
    return packet[:at] + data + packet[at + len(data):]


def malformed4(gateway):
    """IPv4 headers that are invalid or contradict themselves."""
    sa = gateway.sa("in")
    length = len(INNER4)
    inners = [b"", INNER4[:1], INNER4[:19], b"\x45",
              patched(INNER4, 0, b"\x55"), patched(INNER4, 0, b"\x65"),
              patched(INNER4, 0, b"\x44"), patched(INNER4, 0, b"\x40"),
              patched(INNER4, 2, b"\0\0"), patched(INNER4, 2, b"\0\x13"),
              patched(INNER4, 2, struct.pack("!H", length + 1)),
              patched(INNER4, 2, b"\xff\xff"),
              patched(INNER4, 0, b"\x4f"), INNER4[:-1]]
    esps = [sa.packet(seq, inner, NEXT_IPV4) for seq, inner in enumerate(inners, 1)]
    arrive(gateway, sa, esps, drops={"rx_malformed": len(esps)})


def malformed6(gateway):
    """IPv6 headers that are invalid or contradict themselves."""
    sa = gateway.sa("in")
    inner = inner6()
    inners = [b"", inner[:1], inner[:39], patched(inner, 0, b"\x40"), inner[:-1], INNER4,
              patched(inner, 4, struct.pack("!H", len(inner) - 39)),
              patched(inner, 4, b"\xff\xff")]
    esps = [sa.packet(seq, packet, NEXT_IPV6) for seq, packet in enumerate(inners, 1)]
    esps.append(sa.packet(len(esps) + 1, inner, NEXT_IPV4))
    arrive(gateway, sa, esps, drops={"rx_malformed": len(esps)})


def tfc(gateway):
    """RFC 4303 section 2.7: bytes after the inner packet are removed."""
    sa = gateway.sa("in")
    inners = [INNER4, inner6()]
    cases = [(inner, extra) for inner in inners for extra in (1, 2, 3, 4, 64, 1000)]
    esps = [sa.packet(seq, inner + os.urandom(extra), NEXT_IPV6 if inner[0] == 0x60 else 4)
            for seq, (inner, extra) in enumerate(cases, 1)]
    arrive(gateway, sa, esps, [inner for inner, _ in cases])


def source(gateway):
    """The inner source must be behind the peer (RFC 4301 section 5.2)."""
    sa = gateway.sa("in")
    wrong = [inner4(src=src) for src in ("10.9.0.1", "10.3.0.5", "10.1.0.1", "10.2.1.0",
                                         "10.1.255.255", "0.0.0.0", "255.255.255.255")]
    wrong += [inner6(src=src) for src in ("fd00:3::5", "fd00:2:0:1::")]
    chatter = [inner6(src=src) for src in ("::", "fe80::1")]
    esps = [sa.packet(seq, inner) for seq, inner in enumerate(wrong + chatter, 1)]
    right = [inner4(src="10.2.0.255"), inner6(src="fd00:2::ffff:ffff:ffff:ffff")]
    esps += [sa.packet(seq, inner) for seq, inner in enumerate(right, len(esps) + 1)]
    arrive(gateway, sa, esps, right, {"rx_source": len(wrong), "rx_link_local": len(chatter)})


def unknown_spi(gateway):
    """An unknown SPI is counted for the peer that sent it, if there is one."""
    known = gateway.sa("in")
    sa = Sa("aes128gcm16", 0xabcdef)
    esps = [outer(sa.packet(seq, INNER4)) for seq in (1, 2, 3)]
    expect(gateway, known, esps, drops={"rx_unknown_spi": 3}, sa_known=False)
    expect(gateway, known, [outer(sa.packet(4, INNER4), src="192.0.2.4"),
                            outer(known.packet(1, INNER4))], [INNER4])


def wrong_address(gateway):
    """An SPI is looked up together with the destination address."""
    sa = gateway.sa("in")
    expect(gateway, sa, [outer(sa.packet(1, INNER4), dst="192.0.2.11")],
           drops={"rx_unknown_spi": 1}, sa_known=False)


def ecn(gateway):
    """RFC 6040 section 4.2, and the inner DSCP stays (RFC 2983)."""
    sa = gateway.sa("in")
    not_ect, ect0 = inner4(tos=0x28), inner4(tos=0x2a)
    ect6 = inner6(tc=0x2a)
    marked = inner4(tos=0x2b), inner6(tc=0x2b)
    packets = [(not_ect, 0xb8), (ect0, 0xba), (ect0, 0xbb), (ect6, 0xbb), (not_ect, 0xbb)]
    wire = [outer(sa.packet(seq, inner), tos=tos) for seq, (inner, tos) in enumerate(packets, 1)]
    expect(gateway, sa, wire, [not_ect, ect0, *marked], {"rx_ecn": 1})


def fragmented(gateway):
    """Outer fragments are reassembled first (RFC 4303 section 3.4.1)."""
    sa = gateway.sa("in")
    inners = [inner4(payload=os.urandom(1200)), inner4(payload=os.urandom(1300)),
              inner4(payload=os.urandom(3000))]
    wire = fragments(sa.packet(1, inners[0]), 600)
    wire += fragments(sa.packet(2, inners[1]), 400)[::-1]
    wire += fragments(sa.packet(3, inners[2]), 8 * 180)
    expect(gateway, sa, wire, inners)


def fragment_forged(gateway):
    """A bit of the last fragment."""
    sa = gateway.sa("in")
    esp = bytearray(sa.packet(1, inner4(payload=bytes(1200))))
    esp[-20] ^= 1
    expect(gateway, sa, fragments(bytes(esp), 600), drops={"rx_icv": 1})


def trailing(gateway):
    """Ethernet's padding after the outer packet is not part of it."""
    sa = gateway.sa("in")
    expect(gateway, sa, [outer(sa.packet(1, INNER4)) + bytes(18)], [INNER4])


def sizes(gateway):
    """Every inner length from the header alone to 1,420 bytes, in steps."""
    sa = gateway.sa("in")
    lengths = [*range(0, 70), *range(70, 1392, 61)]
    inners = [inner4(payload=bytes(length)) for length in lengths]
    esps = [sa.packet(seq, inner) for seq, inner in enumerate(inners, 1)]
    arrive(gateway, sa, esps, inners)


def by_scapy_only(gateway):
    """Our own ESP packets equal scapy's, byte by byte."""
    del gateway
    for transform in SCAPY_TRANSFORMS:
        sa = Sa(transform, 0x1234)
        iv = os.urandom(IV_LEN)
        theirs = bytes(sa.scapy().encrypt(IP(INNER4), seq_num=7, iv=iv)[ESP])
        ours = sa.seal(7, INNER4 + trailer(len(INNER4), NEXT_IPV4), iv)
        assert ours == theirs, f"{transform}: {ours.hex()} instead of {theirs.hex()}"


def down(gateway):
    """A device that is down delivers nothing."""
    sa = gateway.sa("in")
    gateway.ip("link", "set", "pvs0", "down")
    try:
        arrive(gateway, sa, [sa.packet(1, INNER4)], drops={"rx_down": 1})
    finally:
        gateway.device_up()
    arrive(gateway, sa, [sa.packet(1, INNER4)], [INNER4])


CASES = [
    ("the test's ESP is scapy's", by_scapy_only),
    *[scapy_case(transform) for transform in SCAPY_TRANSFORMS],
    ("inner packets of all sizes are delivered whole", sizes),
    ("padding of 0 to 255 bytes is accepted", every_padding),
    ("wrong padding bytes: rx_padding", padding_bytes),
    ("padding longer than the packet: rx_padding", padding_too_long),
    ("packet cut at every length: rx_truncated, rx_icv", truncated),
    ("packet without ESP header: not ours", no_header),
    ("any bit forged: rx_icv", forged),
    ("wrong key, each transform: rx_icv", wrong_key),
    ("next header is no IP: rx_next_header", next_header),
    ("dummy packet: rx_dummy", dummy),
    ("malformed inner IPv4 header: rx_malformed", malformed4),
    ("malformed inner IPv6 header: rx_malformed", malformed6),
    ("traffic flow confidentiality padding is cut off", tfc),
    ("inner source not of the peer: rx_source", source),
    ("unknown SPI: rx_unknown_spi", unknown_spi),
    ("SPI of another address: rx_unknown_spi", wrong_address),
    ("ECN of the outer header: combined, or rx_ecn", ecn),
    ("fragments of an ESP packet are put together", fragmented),
    ("forged fragment: rx_icv", fragment_forged),
    ("padding of the link layer is ignored", trailing),
    ("device is down: rx_down", down),
]
