#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Every transform against stock Linux IPsec, as a matrix.

    interop_matrix.py GW STOCK

GW has pvs0 with the peers of WAYS, STOCK has an xfrm interface for each; interop.sh adds addresses
and routes. For each transform, with and without ESN, both ends get new SAs; then datagrams cross in
both directions in every cell. With ESN the numbers start just below 2^32, so that they pass it.

Prints a line for each cell; exit status 1 if one is not "ok".
"""
import json
import os
import re
import socket
import sys
import tempfile

from netns import checkers_on, in_netns, run

CTL = os.environ.get("PVSVPNCTL", "pvsvpnctl")
# (outer family, encapsulation): peer, if_id, outer addresses, inner addresses; ours first
WAYS = {
    ("v4", "none"): ("stock4", 42, ("192.0.2.1", "192.0.2.2"),
                     {"v4": ("10.1.0.1", "10.2.0.1"), "v6": ("fd00:1::1", "fd00:2::1")}),
    ("v6", "none"): ("stock6", 43, ("2001:db8::1", "2001:db8::2"),
                     {"v4": ("10.3.0.1", "10.4.0.1"), "v6": ("fd00:3::1", "fd00:4::1")}),
    ("v4", "udp"): ("stock4u", 44, ("192.0.2.1", "192.0.2.2"),
                    {"v4": ("10.5.0.1", "10.6.0.1"), "v6": ("fd00:5::1", "fd00:6::1")}),
    ("v6", "udp"): ("stock6u", 45, ("2001:db8::1", "2001:db8::2"),
                    {"v4": ("10.7.0.1", "10.8.0.1"), "v6": ("fd00:7::1", "fd00:8::1")}),
}
# Padding of every length, for blocks of 4 and of 16; small sizes, and sizes near the MTU
SIZES = (1, 2, 3, 4, 600, 1300)
SIZES_CBC = (*range(1, 17), 600, 1300)
FEW = (1, 6, 15, 1300)
# This many packets of a cell have numbers below 2^32 - 1, the others above
BELOW = 3
SECONDS = 10

# Terms of `ip xfrm state add`: pattern of the name, then words with the key material, each as a
# slice of bytes
AEAD = {"gcm": ("rfc4106(gcm(aes))", 4), "ccm": ("rfc4309(ccm(aes))", 3),
        "gmac": ("rfc4543(gcm(aes))", 4)}
HMAC = {"sha1": (20, 96), "sha256": (32, 128), "sha384": (48, 192), "sha512": (64, 256)}
CIPHER = {"aes128": ("cbc(aes)", 16), "aes192": ("cbc(aes)", 24), "aes256": ("cbc(aes)", 32),
          "3des": ("cbc(des3_ede)", 24), "null": ("ecb(cipher_null)", 0)}


def stock_words(name):
    """(function of key material that gives ip's words, bytes of key material)."""
    if name == "chacha20poly1305":
        return lambda key: ["aead", "rfc7539esp(chacha20,poly1305)", "0x" + key.hex(), "128"], 36
    aead = re.fullmatch(r"aes(128|192|256)(gcm|ccm|gmac)(8|12|16)?", name)
    if aead:
        algorithm, salt = AEAD[aead[2]]
        return (lambda key: ["aead", algorithm, "0x" + key.hex(), str(8 * int(aead[3] or 16))],
                int(aead[1]) // 8 + salt)
    cipher, hmac = name.split("-")
    (enc, enc_len), (auth_len, bits) = CIPHER[cipher], HMAC[hmac]
    return (lambda key: ["enc", enc, "0x" + key[:enc_len].hex() if enc_len else '""',
                         "auth-trunc", f"hmac({hmac})", "0x" + key[enc_len:].hex(), str(bits)],
            enc_len + auth_len)


def transforms():
    """[(name, legacy)] of all pvsvpn's transforms."""
    listed = run(CTL, "genkey", "--help").split("\nTransforms", 1)[1]
    return [(name, bool(legacy)) for name, legacy in
            re.findall(r"^  (\S+) +\d+( +legacy)?$", listed, re.M)]


def sockets(netns, addrs, family):
    """Two UDP sockets that are connected through a tunnel."""
    kind = socket.AF_INET if family == "v4" else socket.AF_INET6
    socks = []
    for name, addr in zip(netns, addrs):
        sock = in_netns(name, lambda: socket.socket(kind, socket.SOCK_DGRAM))
        sock.bind((addr, 4000))
        sock.settimeout(SECONDS)
        socks.append(sock)
    for sock, addr in zip(socks, addrs[::-1]):
        sock.connect((addr, 4000))
    return socks


class Ends:
    """Both gateways, and a socket in each for every pair of families."""

    def __init__(self, gw, stock):
        self.gw, self.stock = gw, stock
        self.spi = 0x10000
        self.pairs = {(outer, inner, encap): sockets((gw, stock), addrs, inner)
                      for (outer, encap), (_, _, _, inners) in WAYS.items()
                      for inner, addrs in inners.items()}

    def sas(self, name, legacy, esn, keys):
        """Lines for pvsvpnctl and for ip that add SAs."""
        words, length = stock_words(name)
        ours, theirs, last = [], [], 2 ** 32 - 1 - BELOW
        for (outer, encap), (peer, if_id, addrs, _) in WAYS.items():
            in_udp = f"encap espinudp 4500 4500 {'::' if outer == 'v6' else '0.0.0.0'}"
            for direction, way in (("in", addrs[::-1]), ("out", addrs)):
                self.spi += 1
                key = os.urandom(length)
                with open(f"{keys}/{self.spi}", "x", encoding="ascii") as file:
                    file.write(key.hex())
                ours.append(f"sa add pvs0 {peer} dir {direction} spi {self.spi} "
                            f"transform {name} key-file {keys}/{self.spi}"
                            f"{' legacy' * legacy}{f' esn seq {last}' * esn}")
                start = f"esn replay-{'oseq' if direction == 'in' else 'seq'} {last}"
                theirs.append(" ".join([
                    f"xfrm state add src {way[0]} dst {way[1]} proto esp spi {self.spi}",
                    f"mode tunnel if_id {if_id} replay-window 1024 flag af-unspec",
                    start * esn, *words(key), in_udp * (encap == "udp")]))
        return ours, theirs

    def old_sas(self):
        """Lines that delete the previous SAs."""
        ours, theirs, spi = [], [], self.spi - 2 * len(WAYS)
        for peer, _, addrs, _ in WAYS.values():
            for direction, way in (("in", addrs[::-1]), ("out", addrs)):
                spi += 1
                ours.append(f"sa del pvs0 {peer} dir {direction} spi {spi}")
                theirs.append(f"xfrm state delete src {way[0]} dst {way[1]} proto esp spi {spi}")
        return (ours, theirs) if self.spi > 0x10000 else ([], [])

    def new_sas(self, name, legacy, esn):
        """The transform's SAs replace the previous ones."""
        old = self.old_sas()
        os.umask(0o077)
        with tempfile.TemporaryDirectory() as keys:
            new = self.sas(name, legacy, esn, keys)
            ours, theirs = ("\n".join(a + b) + "\n" for a, b in zip(new, old))
            run("ip", "-n", self.stock, "-batch", "-", stdin=theirs)
            run(CTL, "-n", self.gw, "-b", "-", stdin=ours)

    @staticmethod
    def cell(pair, sizes):
        """Send all sizes from either end; "ok", or the error."""
        for end, sender in enumerate(pair):
            receiver = pair[1 - end]
            who = ("ours", "stock's")[end]
            for size in sizes:
                data = os.urandom(size)
                sender.send(data)
                try:
                    if receiver.recv(65536) != data:
                        return f"{who} of {size} bytes arrived changed"
                except socket.timeout:
                    return f"{who} of {size} bytes was lost"
        return "ok"


def errors(gw, stock):
    """Counters that must not move: drops of pvs0, except of the hosts' own packets, and errors
        of stock IPsec; {name: count}."""
    found = json.loads(run(CTL, "-n", gw, "-j", "stats", "pvs0"))["devices"][0]["drops"]
    for chatter in ("tx_multicast", "rx_link_local"):
        del found[chatter]
    lines = in_netns(stock, lambda: open("/proc/thread-self/net/xfrm_stat", encoding="ascii")
                     .read().splitlines())
    return found | {name: int(count) for name, count in map(str.split, lines)}


def moved(before, after):
    """Text: the counters that differ, or "ok"."""
    return " ".join(f"{name}+{after[name] - before[name]}" for name in after
                    if after[name] != before[name]) or "ok"


def row(ends, name, legacy):
    """Cells of one transform: [(esn, outer, inner, encapsulation, result)]."""
    cells = []
    sizes = SIZES_CBC if re.match(r"(aes\d+|3des)-", name) else SIZES
    if checkers_on():
        sizes = FEW
    for esn in (False, True):
        ends.new_sas(name, legacy, esn)
        # While SAs change, one end may send a packet that the other cannot decrypt yet
        before = errors(ends.gw, ends.stock)
        word = "esn" if esn else "-"
        for way, pair in ends.pairs.items():
            cells.append((word, *way, ends.cell(pair, sizes)))
        counted = moved(before, errors(ends.gw, ends.stock))
        if counted != "ok":
            cells.append((word, "any", "any", "any", counted))
    return cells


def one_of_a_kind(rows):
    """One transform for each kind of cipher, whatever the sizes."""
    return list({re.sub(r"\d+", "", name).split("-")[0]: (name, legacy)
                 for name, legacy in rows}.values())


def main(gw, stock):
    """All transforms; exit status."""
    rows = transforms()
    # Adding an SA takes a second on a kernel with checkers
    if checkers_on() or os.environ.get("SAMPLE"):
        rows = one_of_a_kind(rows)
    ends = Ends(gw, stock)
    failed = 0
    print(f"{'transform':18}{'ESN':5}{'outer':7}{'inner':7}{'encap':7}both ways")
    for name, legacy in rows:
        try:
            cells = row(ends, name, legacy)
        except (AssertionError, KeyError, OSError, ValueError) as err:
            cells = [("-", "-", "-", "-", f"{type(err).__name__}: {err}")]
        for esn, outer, inner, encap, result in cells:
            failed += result != "ok"
            print(f"{name:18}{esn:5}{outer:7}{inner:7}{encap:7}{result}")
    print(f"{len(rows)} transforms, {failed} cells are not ok")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: interop_matrix.py GW STOCK")
    sys.exit(main(*sys.argv[1:]))
