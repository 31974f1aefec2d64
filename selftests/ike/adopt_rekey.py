#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""New outbound SAs again and again while packets leave without a pause.

    adopt_rekey.py GW REKEYS

In GW pvs0 carries XFRM's states with if_id 42, 192.0.2.1 to 192.0.2.2. One process sends to
10.2.0.1 as fast as it can. Another adds an outbound state with a new SPI, waits until its SA is
the current one, and deletes the previous state: a packet that found the old SA may not have left.
Prints the number of packets and of rekeys.
"""
import multiprocessing
import os
import socket
import sys

from hostile_netlink import Family, Xfrm
from hostile_victim import Control, current_out
from netns import in_netns

GATEWAY, REMOTE, IF_ID = "192.0.2.1", "192.0.2.2", 42


def send(sock, stop, sent):
    """Send until stopped."""
    while not stop.is_set():
        for _ in range(50):
            sock.send(bytes(64))
        sent.value += 50


def main(gateway, rekeys):
    """Exit status 0 when all requests were done."""
    states, family = in_netns(gateway, Xfrm), in_netns(gateway, Family)
    sock = in_netns(gateway, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.connect(("10.2.0.1", 4000))
    stop, sent = multiprocessing.Event(), multiprocessing.Value("L", 0)
    sender = multiprocessing.Process(target=send, args=(sock, stop, sent), daemon=True)
    for spi in range(0x2001, 0x2001 + rekeys + 1):
        error = states.add(GATEWAY, REMOTE, spi, IF_ID, os.urandom(20))
        if error:
            raise OSError(error, f"state {spi:#x}: {os.strerror(error)}")
        Control.wait(lambda new=spi: new in current_out(family, "pvs0"), f"SA {spi:#x}")
        if spi == 0x2001:
            sender.start()
            Control.wait(lambda: sent.value, "the first packets")
            continue
        error = states.delete(REMOTE, spi - 1)
        if error:
            raise OSError(error, f"state {spi - 1:#x}: {os.strerror(error)}")
    stop.set()
    sender.join()
    print(f"{sent.value} packets, {rekeys} rekeys")
    return sender.exitcode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
