#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Reads and sets the sequence numbers of a state, as a daemon does.

    adopt_ae.py get ADDRESS SPI          prints "oseq N seq N" (XFRM_MSG_GETAE)
    adopt_ae.py set ADDRESS SPI OSEQ     the last number sent (XFRM_MSG_NEWAE)

ESP over IPv4; a state with a window of its own (XFRMA_REPLAY_ESN_VAL).
"""
import os
import socket
import struct
import sys

NETLINK_XFRM, NEWAE, GETAE, NLMSG_ERROR = 6, 0x1E, 0x1F, 2
NLM_F_REQUEST, NLM_F_ACK, NLM_F_REPLACE = 1, 4, 0x100
XFRMA_REPLAY_ESN_VAL = 23
ESP = 50
# struct xfrm_aevent_id: usersa_id (daddr, spi, family, proto), saddr, flags, reqid
ID = struct.Struct("=16sIHBx16sII")
# struct xfrm_replay_state_esn: bmp_len, oseq, seq, oseq_hi, seq_hi, replay_window
ESN = struct.Struct("=6I")


def ask(kind, flags, address, spi, attribute=b""):
    """Returns the answer to a request about a state."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_XFRM)
    sock.bind((0, 0))
    body = ID.pack(socket.inet_aton(address), socket.htonl(spi), socket.AF_INET, ESP, b"", 0, 0)
    body += attribute
    sock.send(struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST | flags, 1, 0) + body)
    answer = sock.recv(65536)
    if struct.unpack_from("=H", answer, 4)[0] == NLMSG_ERROR:
        error = -struct.unpack_from("=i", answer, 16)[0]
        if error:
            sys.exit(f"SPI {spi:#x}: {os.strerror(error)}")
    return answer


def replay_of(address, spi):
    """Returns the state's numbers and window, raw."""
    data = ask(GETAE, 0, address, spi)[16 + ID.size:]
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if kind == XFRMA_REPLAY_ESN_VAL:
            return data[4:length]
        data = data[(length + 3) & ~3:]
    sys.exit(f"SPI {spi:#x} has no window")


def main(action, address, spi, *oseq):
    """Exit status 0 on success."""
    spi = int(spi, 0)
    replay = bytearray(replay_of(address, spi))
    fields = list(ESN.unpack_from(replay))
    if action == "get":
        print(f"oseq {fields[1]} seq {fields[2]}")
        return 0
    fields[1] = int(oseq[0], 0)
    ESN.pack_into(replay, 0, *fields)
    ask(NEWAE, NLM_F_ACK | NLM_F_REPLACE, address, spi,
        struct.pack("=HH", 4 + len(replay), XFRMA_REPLAY_ESN_VAL) + bytes(replay))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
