# SPDX-License-Identifier: GPL-2.0
"""ESP packets created and parsed without pvsvpn: RFC 4303, 4106 and 7634.

scapy creates only valid packets; this file creates invalid ones byte by byte, with
python3-cryptography.
"""
import logging
import os
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

logging.getLogger("scapy").setLevel(logging.ERROR)
# pylint: disable=wrong-import-position
from scapy.layers.inet import IP, UDP  # noqa: E402
from scapy.layers.inet6 import IPv6  # noqa: E402
from scapy.layers.ipsec import ESP, SecurityAssociation  # noqa: E402
from scapy.packet import Raw  # noqa: E402


class Gmac:
    """AES-GMAC (RFC 4543): the payload is sent in clear, and authenticated with the IV."""

    def __init__(self, key):
        self.cipher = AESGCM(key)

    def encrypt(self, nonce, plain, ad):
        """The payload, and its ICV."""
        return plain + self.cipher.encrypt(nonce, b"", ad + nonce[SALT_LEN:] + plain)

    def decrypt(self, nonce, sealed, ad):
        """The payload, if its ICV is valid."""
        plain = sealed[:-ICV_LEN]
        self.cipher.decrypt(nonce, sealed[-ICV_LEN:], ad + nonce[SALT_LEN:] + plain)
        return plain


# name: (bytes of key and salt, cipher, scapy's name if it has it)
TRANSFORMS = {
    "aes128gcm16": (20, AESGCM, "AES-GCM"),
    "aes192gcm16": (28, AESGCM, "AES-GCM"),
    "aes256gcm16": (36, AESGCM, "AES-GCM"),
    "chacha20poly1305": (36, ChaCha20Poly1305, "CHACHA20-POLY1305"),
    "aes128gmac": (20, Gmac, None),
}
SCAPY_TRANSFORMS = [name for name, (_, _, scapy) in TRANSFORMS.items() if scapy]
SALT_LEN = 4
IV_LEN = 8
ICV_LEN = 16
HEADER_LEN = 8  # SPI, sequence number
NEXT_IPV4 = 4
NEXT_IPV6 = 41
NEXT_NONE = 59


class Sa:
    """One SA: its keys, and its bytes on the wire."""

    def __init__(self, transform, spi, material=None, esn=False):
        length, cipher, self.scapy_name = TRANSFORMS[transform]
        self.transform = transform
        self.spi = spi
        self.esn = esn
        self.material = material or os.urandom(length)
        self.salt = self.material[-SALT_LEN:]
        self.cipher = cipher(self.material[:-SALT_LEN])
        self.used = 0

    def seal(self, seq, plain, iv=None):
        """ESP around a payload that already has its trailer."""
        head = struct.pack("!II", self.spi, seq & 0xffffffff)
        if iv is None:
            iv = self.next_iv()
        return head + iv + self.cipher.encrypt(self.salt + iv, plain, self.header(seq))

    def header(self, seq):
        """The authenticated header: includes a whole ESN (RFC 4303 section 2.2.1)."""
        return struct.pack("!IQ" if self.esn else "!II", self.spi, seq)

    def next_iv(self):
        """Returns any unused IV."""
        self.used += 1
        return struct.pack("!Q", self.used)

    def packet(self, seq, inner, next_header=None):
        """A valid ESP packet that carries an inner packet."""
        if next_header is None:
            next_header = NEXT_IPV6 if inner[0] >> 4 == 6 else NEXT_IPV4
        return self.seal(seq, inner + trailer(len(inner), next_header))

    def open(self, esp, high=0):
        """(sequence number, IV, payload with trailer); raises InvalidTag.

        high: of an ESN, the half that is not sent
        """
        spi, seq = struct.unpack("!II", esp[:HEADER_LEN])
        assert spi == self.spi, f"SPI {spi:#x} instead of {self.spi:#x}"
        iv = esp[HEADER_LEN:HEADER_LEN + IV_LEN]
        plain = self.cipher.decrypt(self.salt + iv, esp[HEADER_LEN + IV_LEN:],
                                    self.header(high << 32 | seq))
        return high << 32 | seq, iv, plain

    def scapy(self, src="192.0.2.2", dst="192.0.2.1"):
        """The same SA for scapy, in tunnel mode."""
        return SecurityAssociation(ESP, spi=self.spi, crypt_algo=self.scapy_name,
                                   crypt_key=self.material,
                                   tunnel_header=IP(src=src, dst=dst))


def trailer(inner_len, next_header, pad_len=None):
    """Padding, pad length, next header (RFC 4303 section 2.4)."""
    if pad_len is None:
        pad_len = -(inner_len + 2) % 4
    return bytes(range(1, pad_len + 1)) + bytes([pad_len, next_header])


def checksum(data):
    """Internet checksum of an IPv4 header."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def outer(esp, src="192.0.2.2", dst="192.0.2.1", tos=0, flags_offset=0, ident=1):
    """An IPv4 header before an ESP packet or a fragment of it."""
    def header(check):
        return struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + len(esp), ident,
                           flags_offset, 64, 50, check, address(src), address(dst))
    return header(checksum(header(0))) + esp


def fragments(esp, size):
    """IPv4 fragments of an ESP packet; size is a multiple of 8."""
    pieces = [esp[at:at + size] for at in range(0, len(esp), size)]
    last = len(pieces) - 1
    return [outer(piece, flags_offset=i * size // 8 | (0x2000 if i < last else 0),
                  ident=4711)
            for i, piece in enumerate(pieces)]


def address(text):
    """4 bytes of an IPv4 address."""
    return bytes(int(part) for part in text.split("."))


def inner4(src="10.2.0.5", dst="10.1.0.9", port=4000, payload=b"pvsvpn", **fields):
    """An inner IPv4 packet with UDP; no host has the default destination."""
    return bytes(IP(src=src, dst=dst, **fields) / UDP(sport=4001, dport=port) /
                 Raw(payload))


def inner6(src="fd00:2::5", dst="fd00:1::9", port=4000, payload=b"pvsvpn", **fields):
    """An inner IPv6 packet with UDP; no host has the default destination."""
    return bytes(IPv6(src=src, dst=dst, **fields) / UDP(sport=4001, dport=port) /
                 Raw(payload))


def numbered(number):
    """An inner packet different from all others."""
    return INNER4[:-4] + struct.pack("!I", number)


# Created once, since scapy is slow. UDP has no checksum, so that any payload is valid.
INNER4 = bytes(IP(src="10.2.0.5", dst="10.1.0.9") /
               UDP(sport=4001, dport=4000, chksum=0) / Raw(bytes(12)))
