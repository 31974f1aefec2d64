#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The bytes that pvsvpn's netlink family returns, and a search in them.

    esp_netlink.py dump            every dump of the family, raw, on stdout
    esp_netlink.py listen          the messages of group "events", raw, on
                                   stdout; "ready" on stderr once subscribed
    esp_netlink.py find KEY FILE...
                                   exit status 1 and a line for each file that
                                   holds a part of the key in file KEY (hex)

Works in the namespace where it is started; does not need pvsvpnctl.
"""
import os
import re
import socket
import struct
import sys

NETLINK_GENERIC = 16
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP = 1
GENL_ID_CTRL = 16
CTRL_CMD_GETFAMILY = 3
CTRL_ATTR_FAMILY_ID = 1
CTRL_ATTR_FAMILY_NAME = 2
CTRL_ATTR_MCAST_GROUPS = 7
GROUP_NAME = 1
GROUP_ID = 2
NLM_F_REQUEST = 1
NLM_F_DUMP = 0x300
NLMSG_ERROR = 2
NLMSG_DONE = 3
COMMANDS_MAX = 16
# "counters" is a flag among these in each attribute set of the family.
FLAGS_MAX = 48
# A match of this many key bytes is not an accident.
PART = 5
SALT_LEN = 4


def constants():
    """Values of uapi/linux/pvsvpn.h: {name without PVSVPN_: number}."""
    found, number = {}, 0
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../uapi/linux/pvsvpn.h")
    with open(path, encoding="ascii") as file:
        for line in file:
            if re.match(r"enum\b", line):
                number = 0
            entry = re.match(r"\tPVSVPN_(\w+)(?: = (\d+))?,$", line)
            if entry:
                number = int(entry[2] or number)
                found[entry[1]] = number
                number += 1
    return found


def attributes(data):
    """(type, payload) of each attribute."""
    while len(data) >= 4:
        length, kind = struct.unpack("=HH", data[:4])
        if length < 4:
            return
        yield kind & 0x3fff, data[4:length]
        data = data[(length + 3) & ~3:]


def attribute(kind, payload=b""):
    """One attribute."""
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def u8(kind, value):
    """Attribute with one byte."""
    return attribute(kind, struct.pack("=B", value))


def u16(kind, value):
    """Attribute with two bytes."""
    return attribute(kind, struct.pack("=H", value))


def u32(kind, value):
    """Attribute with four bytes."""
    return attribute(kind, struct.pack("=I", value))


def u64(kind, value):
    """Attribute with eight bytes."""
    return attribute(kind, struct.pack("=Q", value))


def text(kind, value):
    """Attribute with a string."""
    return attribute(kind, value.encode() + b"\0")


def request(sock, family, command, flags, payload=b""):
    """Send a generic netlink request."""
    sock.send(struct.pack("=IHHIIBBH", 20 + len(payload), family, NLM_F_REQUEST | flags,
                          1, 0, command, 1, 0) + payload)


def answers(sock):
    """Complete datagrams, up to the end of a dump or to an error, which is not included."""
    while True:
        data = sock.recv(1 << 20)
        kinds, rest = [], data
        while len(rest) >= 16:
            length, kind = struct.unpack("=IH", rest[:6])
            kinds.append(kind)
            rest = rest[(length + 3) & ~3:]
        if NLMSG_ERROR in kinds:
            return
        yield data
        if NLMSG_DONE in kinds:
            return


def family_of(sock):
    """(id of the family, id of its group "events")."""
    request(sock, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0,
            attribute(CTRL_ATTR_FAMILY_NAME, b"pvsvpn\0"))
    found = dict(attributes(sock.recv(65536)[20:]))
    for _, group in attributes(found[CTRL_ATTR_MCAST_GROUPS]):
        group = dict(attributes(group))
        if group[GROUP_NAME] == b"events\0":
            return (struct.unpack("=H", found[CTRL_ATTR_FAMILY_ID])[0],
                    struct.unpack("=I", group[GROUP_ID])[0])
    raise LookupError('no group "events"')


def opened():
    """A socket, and the family's ids."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
    sock.bind((0, 0))
    return sock, *family_of(sock)


def dump():
    """Request a dump of every command, with each flag and without flags."""
    sock, family, _ = opened()
    for command in range(1, COMMANDS_MAX):
        for kind in range(FLAGS_MAX):
            request(sock, family, command, NLM_F_DUMP, attribute(kind) if kind else b"")
            for data in answers(sock):
                sys.stdout.buffer.write(data)


def listen():
    """Record events until killed."""
    sock, _, group = opened()
    sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
    print("ready", file=sys.stderr, flush=True)
    while True:
        os.write(1, sock.recv(1 << 20))


def parts(key):
    """The search patterns: every piece of the key and the whole salt."""
    return {key[at:at + PART] for at in range(len(key) - PART + 1)} | {key[-SALT_LEN:]}


def holds(data, key):
    """True if it contains a part of the key, as bytes or as hex digits."""
    text = re.sub(rb"[\s:]|0x", b"", data).lower()
    return any(part in data or part.hex().encode() in text for part in parts(key)
               if len(part) == PART) or key[-SALT_LEN:] in data


def find(name, *files):
    """Exit status: 1 if a file holds a part of the key."""
    with open(name, encoding="ascii") as file:
        key = bytes.fromhex(file.read())
    status = 0
    for file_name in files:
        with open(file_name, "rb") as file:
            if holds(file.read(), key):
                print(f"{file_name} holds a part of {name}")
                status = 1
    return status


if __name__ == "__main__":
    ACTIONS = {"dump": dump, "listen": listen, "find": find}
    if len(sys.argv) < 2 or sys.argv[1] not in ACTIONS:
        sys.exit("usage: esp_netlink.py dump|listen|find KEY FILE...")
    sys.exit(ACTIONS[sys.argv[1]](*sys.argv[2:]))
