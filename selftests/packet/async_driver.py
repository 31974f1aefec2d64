#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Lets a crypto driver win for its algorithm, through NETLINK_CRYPTO.

    async_driver.py add DRIVER     makes an instance by its name, such as
                                   "cryptd(...)", with the highest priority
    async_driver.py del DRIVER     takes it away, once nobody uses it any more
"""
import errno
import os
import socket
import struct
import sys
import time

NETLINK_CRYPTO = 21
CRYPTO_MSG_NEWALG, CRYPTO_MSG_DELALG = 0x10, 0x11
CRYPTOCFGA_PRIORITY_VAL = 1
CRYPTO_ALG_TYPE_AEAD, CRYPTO_ALG_TYPE_MASK = 3, 15
NLM_F_REQUEST_ACK = 5
PRIORITY = 100000
SECONDS = 30


def ask(command, driver, attributes=b""):
    """errno of the answer, 0 on success."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_CRYPTO)
    sock.bind((0, 0))
    body = struct.pack("=64s64s64sIIII", b"", driver.encode(), b"", CRYPTO_ALG_TYPE_AEAD,
                       CRYPTO_ALG_TYPE_MASK, 0, 0) + attributes
    sock.send(struct.pack("=IHHII", 16 + len(body), command, NLM_F_REQUEST_ACK, 1, 0) + body)
    return -struct.unpack("=i", sock.recv(65536)[16:20])[0]


def add(driver):
    """Give it the highest priority."""
    return ask(CRYPTO_MSG_NEWALG, driver,
               struct.pack("=HHI", 8, CRYPTOCFGA_PRIORITY_VAL, PRIORITY))


def delete(driver):
    """Retry, since SAs are freed a moment after they have been removed."""
    deadline = time.monotonic() + SECONDS
    while True:
        error = ask(CRYPTO_MSG_DELALG, driver)
        if error != errno.EBUSY or time.monotonic() > deadline:
            return error
        time.sleep(0.2)


if __name__ == "__main__":
    ACTIONS = {"add": add, "del": delete}
    if len(sys.argv) != 3 or sys.argv[1] not in ACTIONS:
        sys.exit(__doc__)
    try:
        ERROR = ACTIONS[sys.argv[1]](sys.argv[2])
    except OSError as reason:
        ERROR = reason.errno
    if ERROR:
        sys.exit(f"{sys.argv[1]} {sys.argv[2]}: {os.strerror(ERROR)}")
