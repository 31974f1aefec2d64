# SPDX-License-Identifier: GPL-2.0
"""The anti-replay window (RFC 4303 section 3.4.3), also of ESNs (appendix A)."""
import random

from esp_gateway import arrive
from esp_packet import INNER4, numbered

TOP = 0xffffffff
CYCLE = 1 << 32
BATCH = 400


class Window:
    """The required behaviour of the window, in the simplest form."""

    def __init__(self, size):
        self.size = size
        self.top = 0
        self.seen = set()

    def judge(self, seq):
        """None if accepted, else the reason."""
        if not seq:
            return "rx_seq_zero"
        if seq <= self.top - self.size:
            return "rx_too_old"
        if seq in self.seen:
            return "rx_replayed"
        self.seen.add(seq)
        self.top = max(self.top, seq)
        return None


class EsnWindow(Window):
    """The required behaviour with 64-bit numbers, of which 32 bits are sent."""

    def judge(self, seq):
        """None if accepted, else the reason."""
        left = max(0, self.top - self.size + 1)
        if left <= seq < left + CYCLE:
            return super().judge(seq)
        # The receiver infers the possible number with the same low half
        taken = left + (seq - left) % CYCLE
        if not taken:
            return "rx_seq_zero"
        return "rx_replayed" if taken in self.seen else "rx_icv"


def inner(seq):
    """An inner packet that identifies itself."""
    return numbered(seq % CYCLE)


def walk(gateway, sa, window, seqs):
    """Send packets with these numbers; each must have the model's result."""
    for at in range(0, len(seqs), BATCH):
        batch = seqs[at:at + BATCH]
        verdicts = [window.judge(seq) for seq in batch]
        drops = {why: verdicts.count(why) for why in set(verdicts) - {None}}
        delivered = [inner(seq) for seq, why in zip(batch, verdicts) if not why]
        arrive(gateway, sa, [sa.packet(seq, inner(seq)) for seq in batch], delivered, drops)


def fresh(gateway, size):
    """An SA and the model of its window."""
    return gateway.sa("in", "aes128gcm16", "replay-window", str(size)), Window(size)


def replayed(gateway):
    """The same packet again."""
    sa = gateway.sa("in")
    esps = [sa.packet(seq, inner(seq)) for seq in (1, 2, 3)]
    arrive(gateway, sa, esps + esps + esps[:1], [inner(seq) for seq in (1, 2, 3)],
           {"rx_replayed": 4})


def reordered(gateway):
    """Any order inside the window."""
    sa, window = fresh(gateway, 256)
    seqs = list(range(1, 257))
    random.shuffle(seqs)
    walk(gateway, sa, window, seqs)
    walk(gateway, sa, window, seqs)


def sequence_zero(gateway):
    """Before and after others."""
    sa, window = fresh(gateway, 32)
    walk(gateway, sa, window, [0, 1, 0, 100, 0])


def edges_case(size):
    """A case for one window size: numbers just inside and just outside."""
    def case(gateway):
        sa, window = fresh(gateway, size)
        for top in (size, 10000, 10001, 10063, 10064, 20000 + size):
            left = top - size
            seqs = [top, left + 1, left + 1, left + 2, left, max(left - 1, 0),
                    top - 1, top, left + 1]
            walk(gateway, sa, window, seqs)
    return f"window {size}: exact at its edges: rx_too_old, rx_replayed", case


def full_case(size):
    """A case for one window size: every number of the window, once."""
    def case(gateway):
        sa, window = fresh(gateway, size)
        walk(gateway, sa, window, [5 * size])
        # All numbers of a large window take too long on an emulated processor.
        seqs = random.sample(range(4 * size + 1, 5 * size), min(size - 1, 600))
        walk(gateway, sa, window, seqs)
        walk(gateway, sa, window, random.sample(seqs, min(len(seqs), 100)))
    return f"window {size}: every number is accepted once", case


def forged_far_ahead(gateway):
    """A forged packet must not move the window."""
    sa, window = fresh(gateway, 32)
    walk(gateway, sa, window, [1, 2, 3])
    bad = bytearray(sa.packet(0xfffffff0, INNER4))
    bad[-1] ^= 1
    arrive(gateway, sa, [bytes(bad)], drops={"rx_icv": 1})
    walk(gateway, sa, window, [4, 5, 2])


def forged_inside(gateway):
    """A forged packet must not use its number up, either."""
    sa, window = fresh(gateway, 32)
    walk(gateway, sa, window, [10])
    bad = bytearray(sa.packet(5, INNER4))
    bad[-1] ^= 1
    arrive(gateway, sa, [bytes(bad)], drops={"rx_icv": 1})
    walk(gateway, sa, window, [5, 5])


def padding_uses_number(gateway):
    """An authentic packet uses its number up, even if it is dropped later."""
    sa = gateway.sa("in")
    esp = sa.packet(1, INNER4, 59)
    arrive(gateway, sa, [esp, esp], drops={"rx_dummy": 1, "rx_replayed": 1})


def jumps_case(size):
    """A case for one window size: all numbers seen before are forgotten."""
    def case(gateway):
        jumps = (size - 1, size, size + 1, 64, 128, 2 * size, 4096, 1 << 20, 1 << 31)
        sa, window = fresh(gateway, size)
        top = 0
        for jump in jumps:
            seqs = list(range(top + 1, top + 1 + min(size, 100)))
            top = seqs[-1] + jump
            behind = random.sample(range(max(1, top - size + 1), top), min(size - 1, 30))
            walk(gateway, sa, window, [*seqs, top, *behind, seqs[0], seqs[-1]])
    return f"window {size}: a jump ahead clears it", case


def last_numbers(gateway):
    """Up to 2^32 - 1, without wrap-around."""
    sa, window = fresh(gateway, 64)
    walk(gateway, sa, window, [TOP - 64, TOP - 1, TOP, TOP - 63, TOP - 64, TOP, 1, 0, TOP - 2])


def random_case(size):
    """A case for one window size: a path that reorders, repeats, loses and jumps."""
    def case(gateway):
        sa, window = fresh(gateway, size)
        top, seqs = 0, []
        for _ in range(800):
            step = random.random()
            if step < 0.5:
                top += 1
                seqs.append(top)
            elif step < 0.95:
                seqs.append(max(0, top - int(random.expovariate(1 / (0.7 * size)))))
            else:
                top += random.choice((1, 2, 63, 64, 65, size - 1, size, size + 1, 9 * size))
                seqs.append(top)
        walk(gateway, sa, window, seqs)
    return f"window {size}: a random path fares as in the model", case


def peer_window(gateway):
    """An SA without its own replay-window has the peer's: 1024 unless set."""
    sa, window = gateway.sa("in"), Window(1024)
    walk(gateway, sa, window, [5000, 5000 - 1023, 5000 - 1024])
    gateway.ctl("peer", "set", "pvs0", "wire", "replay-window", "100")
    try:
        sa, window = gateway.sa("in"), Window(100)
        walk(gateway, sa, window, [5000, 5000 - 99, 5000 - 100])
    finally:
        gateway.ctl("peer", "set", "pvs0", "wire", "replay-window", "1024")


def taken_over(gateway):
    """An SA that another implementation has used up to number 1000."""
    sa = gateway.sa("in", "aes128gcm16", "seq", "1000", "replay-window", "128")
    window = Window(128)
    window.top = 1000
    window.seen = set(range(1001))
    walk(gateway, sa, window, [1000, 999, 873, 872, 1, 1001, 1001, 874, 1100, 1099, 990])


def esn(gateway, size, top):
    """An SA with ESN that has reached a number, and the model of its window."""
    window = EsnWindow(size)
    window.top = top
    window.seen = set(range(top - 2 * size, top + 1))
    return gateway.sa("in", "aes128gcm16", "esn", "replay-window", str(size),
                      "seq", str(top)), window


def esn_cross_case(size, cycles):
    """A case for one window size: across a multiple of 2^32, with disorder."""
    def case(gateway):
        edge = cycles * CYCLE
        sa, window = esn(gateway, size, edge - 2 * size)
        walk(gateway, sa, window, [edge - size, edge - 1, edge, edge + 1, edge, edge - 2,
                                   edge - 1, edge - size + 1, edge + 5, edge - 3])
        seqs = [edge + step + int(random.expovariate(3 / size)) for step in range(300)]
        walk(gateway, sa, window, seqs)
        walk(gateway, sa, window, [edge + 3 * size, edge + size, edge - 1, edge + 2 * size + 1])
    return f"ESN, window {size}: across {cycles} x 2^32 as in the model", case


def esn_jumps(gateway):
    """As far ahead as the low half can tell, and one number further."""
    sa, window = esn(gateway, 64, 3 * CYCLE + 1000)
    far = window.top - 63 + CYCLE - 1
    walk(gateway, sa, window, [far + 1, far, far - 63, far - 64, far + 1])


def esn_first(gateway):
    """From the first number on, with no numbers to its left."""
    sa, window = gateway.sa("in", "aes128gcm16", "esn"), EsnWindow(1024)
    walk(gateway, sa, window, [0, 1, 2, 2, 500, 1, CYCLE - 1, CYCLE, 500, CYCLE - 1023])


def esn_last(gateway):
    """Up to 2^64 - 1, without wrap-around."""
    last = (1 << 64) - 1
    sa, window = esn(gateway, 64, last - 100)
    walk(gateway, sa, window, [last - 70, last, last - 1, last, last - 63])
    arrive(gateway, sa, [sa.packet(1, inner(1))], drops={"rx_too_old": 1})


def esn_forged(gateway):
    """The half that is not sent is authenticated: with another value the ICV is wrong."""
    sa, window = esn(gateway, 64, 2 * CYCLE + 100)
    walk(gateway, sa, window, [2 * CYCLE + 101])
    arrive(gateway, sa, [sa.packet(CYCLE + 102, INNER4), sa.packet(3 * CYCLE + 103, INNER4)],
           drops={"rx_icv": 2})
    walk(gateway, sa, window, [2 * CYCLE + 102, 2 * CYCLE + 103])


SIZES = (32, 33, 64, 1024, 4096)
CASES = [
    ("replayed packets: rx_replayed", replayed),
    ("reordered packets are accepted once", reordered),
    ("sequence number 0: rx_seq_zero", sequence_zero),
    ("forged packet far ahead does not move the window", forged_far_ahead),
    ("forged packet inside does not use its number up", forged_inside),
    ("authentic packet that is dropped uses its number up", padding_uses_number),
    *[edges_case(size) for size in SIZES],
    *[full_case(size) for size in (32, 1024, 4096)],
    *[jumps_case(size) for size in (32, 100, 1024)],
    *[random_case(size) for size in (32, 200, 4096)],
    ("the last sequence numbers", last_numbers),
    *[esn_cross_case(size, cycles) for size, cycles in ((32, 1), (1024, 1), (4096, 77))],
    ("ESN: a jump of almost 2^32", esn_jumps),
    ("ESN: the first sequence numbers", esn_first),
    ("ESN: the last sequence numbers", esn_last),
    ("ESN: high half that is not the sender's: rx_icv", esn_forged),
    ("the peer's replay-window holds for its SAs", peer_window),
    ("SA taken over: numbers already accepted are refused", taken_over),
]
