#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Two requesters set the if_id of one device concurrently; no packet may leave meanwhile.

    adopt_if_ids.py GW ROUNDS

In GW pvs0 carries XFRM's states with if_id 42, and a policy blocks packets to 10.2.0.9. Two
processes remove the if_id and set it again, ROUNDS times each. Another one migrates a policy of
no device back and forth, so that the device has to look at all policies again and again.
Meanwhile a process sends to 10.2.0.9 without a pause. Prints how many packets it has sent.
"""
import multiprocessing
import random
import socket
import sys
import time

from esp_netlink import u32
from hostile_netlink import (IF_ID, MIGRATE, NEWPOLICY, POLICY_OUT, Family, Xfrm, device_attrs,
                             migration, policy, selector, template)
from netns import in_netns

# Seconds
PAUSE = 0.05


def migrate(gateway, stop):
    """A policy of no device moves from one remote end to another and back."""
    xfrm = in_netns(gateway, Xfrm)
    where = selector(dst="10.99.0.0", dst_len=24)
    ends = [("192.0.2.1", "192.0.2.77"), ("192.0.2.1", "192.0.2.78")]
    xfrm.must(NEWPOLICY, policy(where, POLICY_OUT, 1) + u32(IF_ID, 9) +
              template(*ends[0]))
    while not stop.is_set():
        xfrm.must(MIGRATE, migration(where, 9, *ends))
        ends.reverse()
        time.sleep(0.005)


def send(gateway, stop, sent):
    """Send until stopped."""
    sock = in_netns(gateway, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.connect(("10.2.0.9", 4000))
    while not stop.is_set():
        try:
            sock.send(bytes(64))
        except OSError:
            # An earlier packet was dropped
            pass
        sent.value += 1


def toggle(gateway, rounds):
    """Remove the if_id, then set it again."""
    family = in_netns(gateway, Family)
    for _ in range(rounds):
        for value in (0, 42):
            error = family.cmd("DEVICE_SET", device_attrs("pvs0", IF_ID_IN=value, IF_ID_OUT=value))
            if error:
                raise OSError(error, f"if_id {value}")
            time.sleep(random.uniform(0, PAUSE))


def main(gateway, rounds):
    """Exit status 0 when all requests were done."""
    stop, sent = multiprocessing.Event(), multiprocessing.Value("L", 0)
    others = [multiprocessing.Process(target=send, args=(gateway, stop, sent), daemon=True),
              multiprocessing.Process(target=migrate, args=(gateway, stop), daemon=True)]
    togglers = [multiprocessing.Process(target=toggle, args=(gateway, rounds)) for _ in range(2)]
    for process in others + togglers:
        process.start()
    for process in togglers:
        process.join()
    stop.set()
    for process in others:
        process.join()
    print(f"{sent.value} packets")
    return any(process.exitcode for process in others + togglers)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
