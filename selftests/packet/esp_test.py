#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""ESP on the wire of a pvsvpn gateway, byte by byte, as KTAP.

    esp_test.py GW WIRE GROUP...

GW and WIRE are two empty network namespaces; see esp_gateway.py for the objects created in
them. Groups: receive, replay, send, vectors, dummy, tfc. All cases run in one process, because
python with scapy starts slowly.
"""
import os
import random
import sys
import traceback

import esp_idle
import esp_receive
import esp_replay
import esp_send
import esp_vectors
from esp_gateway import Gateway

GROUPS = {
    "receive": esp_receive.CASES,
    "replay": esp_replay.CASES,
    "send": esp_send.CASES,
    "vectors": esp_vectors.CASES,
    "dummy": esp_idle.DUMMY_CASES,
    "tfc": esp_idle.TFC_CASES,
}


def explain(err):
    """KTAP diagnostics: the error, and the line of the case."""
    for line in f"{type(err).__name__}: {err}".splitlines():
        print(f"# {line}")
    for frame in traceback.extract_tb(err.__traceback__)[1:]:
        print(f"#   at {os.path.basename(frame.filename)}:{frame.lineno} {frame.line}")


def attempt(gateway, case):
    """True if a case passed; removes what it has set up."""
    passed = True
    for step in (lambda: case(gateway), gateway.forget):
        try:
            step()
        # Any exception of scapy or cryptography is also a failure.
        except Exception as err:  # pylint: disable=broad-except
            passed = False
            explain(err)
    return passed


def main(netns, wire, *groups):
    """Run the groups; exit status."""
    # Packets sent from two processors may be reordered, since each processor has its own backlog
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cases = [case for group in groups for case in GROUPS[group]]
    seed = os.environ.get("ESP_SEED") or str(random.getrandbits(32))
    failed = 0
    print("TAP version 13")
    print(f"1..{len(cases)}")
    print(f"# ESP_SEED={seed}")
    random.seed(seed)
    gateway = Gateway(netns, wire)
    for number, (name, case) in enumerate(cases, 1):
        passed = attempt(gateway, case)
        failed += not passed
        print(f"{'ok' if passed else 'not ok'} {number} {name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 4 or not set(sys.argv[3:]) <= set(GROUPS):
        sys.exit(f"usage: esp_test.py GW WIRE {'|'.join(GROUPS)}...")
    sys.exit(main(*sys.argv[1:]))
