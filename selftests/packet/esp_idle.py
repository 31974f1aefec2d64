# SPDX-License-Identifier: GPL-2.0
"""Packets of pvsvpn without data, and padding: dummy packets and TFC padding (RFC 4303
sections 2.6 and 2.7)."""
import contextlib
import json
import os
import socket
import struct
import time

from esp_gateway import difference, forget_chatter, moved, settle_out
from esp_packet import NEXT_IPV4, NEXT_IPV6, NEXT_NONE, trailer
from esp_send import (ESP_AT, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, TARGET4, TARGET6, send,
                      send_segments, sender)

PATH_MTU = 1500
# Outer header, SPI and number, IV, pad length and next header, ICV
INNER_MAX = PATH_MTU - 20 - 8 - 8 - 2 - 16
UDP_LEN = {TARGET4: 20 + 8, TARGET6: 40 + 8}
# The delay of an emulated machine, in seconds
LATE = 3


@contextlib.contextmanager
def peer_set(gateway, *words):
    """Set the peer "wire" like this, and restore it afterwards."""
    gateway.ctl("peer", "set", "pvs0", "wire", *words)
    try:
        yield
    finally:
        gateway.ctl("peer", "set", "pvs0", "wire", "keepalive", "0", "dead-after", "0",
                    "tfc", "off")


def opened(sa, packet):
    """(sequence number, payload, next header) of the packets sent."""
    seq, _, plain = sa.open(packet[ESP_AT:])
    pad_len = plain[-2]
    end = len(plain) - 2 - pad_len
    assert plain[end:] == trailer(end, plain[-1], pad_len), f"trailer {plain[end:].hex()}"
    return seq, plain[:end], plain[-1]


def inner_len(plain):
    """Length according to the inner header."""
    if plain[0] >> 4 == 4:
        return struct.unpack("!H", plain[2:4])[0]
    return 40 + struct.unpack("!H", plain[4:6])[0]


# ---- dummy packets ----

def check_dummies(sa, packets, first=1):
    """Next header 59, consecutive numbers, and none of our data inside."""
    for seq, packet in enumerate(packets, first):
        number, payload, next_header = opened(sa, packet)
        assert number == seq, f"sequence number {number} instead of {seq}"
        assert next_header == NEXT_NONE, f"next header {next_header}"
        assert not any(payload), f"payload {payload.hex()}"


def interval(gateway):
    """One per second, never earlier."""
    count = 4
    sa = gateway.sa("out")
    gateway.drain()
    start = time.monotonic()
    with peer_set(gateway, "keepalive", "1"):
        packets = gateway.captured(count)
        took = time.monotonic() - start
    assert len(packets) >= count, f"{len(packets)} packets in {took:.1f} s"
    assert len(packets) - 0.1 <= took <= count + LATE, f"{len(packets)} packets in {took:.1f} s"
    check_dummies(sa, packets)


def postponed(gateway):
    """None while other packets are sent."""
    seconds = 3
    gateway.sa("out")
    packets, gap = [], 0
    with peer_set(gateway, "keepalive", str(seconds)):
        end = time.monotonic() + 2 * seconds + 1
        last = time.monotonic()
        while time.monotonic() < end:
            packets += send(gateway, b"")
            now = time.monotonic()
            last, gap = now, max(gap, now - last)
            time.sleep(0.5)
    sizes = {len(packet) for packet in packets}
    assert gap >= seconds or len(sizes) == 1, f"packets of {sizes} bytes, gap of {gap:.1f} s"


def uncounted(gateway):
    """They are not inner packets: no counter changes, but the SA's number does."""
    sa = gateway.sa("out")
    gateway.drain()
    before = gateway.counters()
    with peer_set(gateway, "keepalive", "1"):
        check_dummies(sa, gateway.captured(2))
    got = moved(before, gateway.counters(), "out")
    forget_chatter(got)
    assert not got, difference({}, got)


def state_of(gateway, sa):
    """An SA as in show --json."""
    peers = json.loads(gateway.ctl("-j", "show", "pvs0"))["devices"][0]["peers"]
    return next(each for peer in peers for each in peer["sas"] if each["spi"] == sa.spi)


def until_it_ends(gateway, first, *limit):
    """An SA with room for two packets sends two, and then none."""
    sa = gateway.sa("out", "aes128gcm16", *limit)
    gateway.drain()
    with peer_set(gateway, "keepalive", "1"):
        packets = gateway.captured(2)
        more = gateway.captured(0)
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            more += gateway.captured(0)
            time.sleep(0.1)
    check_dummies(sa, packets, first)
    assert len(packets) == 2 and not more, f"{len(packets)} and {len(more)} packets"
    assert state_of(gateway, sa)["expired"], "the SA is not expired"
    assert not state_of(gateway, sa)["drops"], "drops of the SA"


def lifetime(gateway):
    """They count towards the packets of a lifetime."""
    until_it_ends(gateway, 1, "hard-packets", "2")


def last_numbers(gateway):
    """They use the last numbers, none twice."""
    until_it_ends(gateway, 0xfffffffe, "seq", str(0xfffffffd))


def extended(gateway):
    """The same with ESN."""
    sa = gateway.sa("out", "aes128gcm16", "esn")
    gateway.drain()
    with peer_set(gateway, "keepalive", "1"):
        check_dummies(sa, gateway.captured(1))


def as_long_as_others(gateway):
    """Padded like other packets."""
    sa = gateway.sa("out")
    gateway.drain()
    with peer_set(gateway, "keepalive", "1", "tfc", "mtu"):
        packets = gateway.captured(1)
    check_dummies(sa, packets)
    assert len(packets[0]) == PATH_MTU, f"{len(packets[0])} bytes"


# ---- padding ----

def check_padded(sa, packet, payload, want):
    """The inner packet is complete; zero bytes follow up to the wanted length."""
    _, plain, next_header = opened(sa, packet)
    length = inner_len(plain)
    assert next_header in (NEXT_IPV4, NEXT_IPV6), f"next header {next_header}"
    assert len(plain) == want, f"inner packet of {length} has become {len(plain)}, not {want}"
    assert plain[:length].endswith(payload), "inner payload differs"
    assert not any(plain[length:]), f"padding {plain[length:].hex()}"
    assert len(packet) <= PATH_MTU, f"{len(packet)} bytes"


def padded_sizes(gateway, tfc, want):
    """Inner packets of many lengths, IPv4 and IPv6; want(length) is the padded length."""
    sa = gateway.sa("out")
    with peer_set(gateway, "tfc", tfc):
        for target, header in UDP_LEN.items():
            most = INNER_MAX - header
            sizes = (0, 1, 2, 3, 99, 100, 101, 227, 228, 500, 1200, most - 100, most - 1, most)
            payloads = [os.urandom(size) for size in sizes]
            packets = send(gateway, *payloads, target=target)
            for payload, packet in zip(payloads, packets):
                check_padded(sa, packet, payload, want(header + len(payload)))
    return sa


def multiples(step):
    """A case for a multiple."""
    def case(gateway):
        padded_sizes(gateway, str(step),
                     lambda length: max(length, min(-(-length // step) * step, INNER_MAX)))
    return f"padding to a multiple of {step}", case


def all_the_same(gateway):
    """tfc mtu: only packets of the path's MTU."""
    padded_sizes(gateway, "mtu", lambda length: INNER_MAX)


def blocks(gateway):
    """The same with a transform whose ciphertext comes in blocks."""
    sa = ("pvs0", "wire", "dir", "out", "spi", "0x7001")
    gateway.ctl("sa", "add", *sa, "transform", "aes128-sha256", "key-file", "-",
                stdin=os.urandom(16 + 32).hex())
    try:
        with peer_set(gateway, "tfc", "mtu"):
            packets = send(gateway, *[bytes(size) for size in (0, 1, 100, 1000)])
    finally:
        gateway.ctl("sa", "del", *sa)
    # 28 bytes of headers, IV and ICV of 16, and 1440 make the whole path MTU
    assert {len(packet) for packet in packets} == {PATH_MTU}, [len(packet) for packet in packets]


def segments(gateway):
    """Each segment of a large packet, the short last one too."""
    count, size = 8, 300
    sa = gateway.sa("out")
    with peer_set(gateway, "tfc", "512"):
        send_segments(gateway, count, size)
        packets = gateway.captured(count)
    assert len(packets) == count, f"{len(packets)} packets"
    for packet in packets:
        check_padded(sa, packet, bytes(size), 512)


def lower_mtu(gateway):
    """If the path MTU falls, so does the padded length."""
    sa = gateway.sa("out")
    gateway.ip("link", "set", "outer0", "mtu", "1400")
    try:
        with peer_set(gateway, "tfc", "mtu"):
            packet = send(gateway, b"pvsvpn")[0]
        check_padded(sa, packet, b"pvsvpn", INNER_MAX - 100)
    finally:
        gateway.ip("link", "set", "outer0", "mtu", "1500")


def too_long_already(gateway):
    """A packet that must be fragmented outside gets no padding."""
    size = 1600
    gateway.sa("out")
    gateway.ctl("set", "pvs0", "mtu", "3000", "fragment", "outer")
    try:
        with peer_set(gateway, "tfc", "mtu"):
            gateway.drain()
            with contextlib.closing(socket_without_df(gateway)) as sock:
                sock.sendto(bytes(size), ("10.2.0.78", 9))
            packets = gateway.captured(2)
    finally:
        gateway.ctl("set", "pvs0", "mtu", "auto", "fragment", "inner")
    length = 28 + size
    want = 8 + 8 + length + 2 + -(length + 2) % 4 + 16
    got = sum(len(packet) - 20 for packet in packets)
    assert len(packets) == 2 and got == want, f"{got} bytes in {len(packets)}, not {want} in 2"


def socket_without_df(gateway):
    """An application's UDP socket in GW that allows fragmentation."""
    sock = sender(gateway)
    sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
    return sock


def bytes_counted(gateway):
    """Counters have the inner bytes."""
    sa = gateway.sa("out")
    sizes = (0, 100, 1000)
    with peer_set(gateway, "tfc", "mtu"):
        before = gateway.counters()
        send(gateway, *[bytes(size) for size in sizes])
        want = {}
        for whose, prefix in (("device", "tx_"), ("peer wire", "tx_"), ("link", "tx_"),
                              (f"sa out {sa.spi:#x}", "")):
            want[whose, prefix + "packets"] = len(sizes)
            want[whose, prefix + "bytes"] = sum(28 + size for size in sizes)
        got = settle_out(gateway, before, want)
    forget_chatter(got)
    assert got == want, difference(want, got)


def off_again(gateway):
    """If padding is off, packet sizes show the inner lengths."""
    sa = gateway.sa("out")
    with peer_set(gateway, "tfc", "mtu"):
        send(gateway, b"pvsvpn")
    payload = os.urandom(10)
    check_padded(sa, send(gateway, payload)[0], payload, 38)


DUMMY_CASES = [
    ("dummy packets: one a second", interval),
    ("dummy packets: not beside others", postponed),
    ("dummy packets: no inner packets to the counters", uncounted),
    ("dummy packets: end with the SA's lifetime", lifetime),
    ("dummy packets: end with the sequence numbers", last_numbers),
    ("dummy packets: ESN", extended),
    ("dummy packets: padded like others", as_long_as_others),
]
TFC_CASES = [
    multiples(2),
    multiples(100),
    multiples(128),
    multiples(1000),
    multiples(65535),
    ("padding to the path's MTU", all_the_same),
    ("padding to the path's MTU, blocks of 16", blocks),
    ("padding of segments", segments),
    ("padding follows the path's MTU", lower_mtu),
    ("padding: none on a packet that is too long", too_long_already),
    ("padding is not counted", bytes_counted),
    ("padding ends when it is switched off", off_again),
]
