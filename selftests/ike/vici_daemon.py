#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Stands in for strongSwan's daemon at its VICI socket, and is unsuitable in one way.

vici_daemon.py SOCKET old|poor|refuses|silent|stops|busy|garbage|torn
"""
import socket
import struct
import sys
import time

CMD_REQUEST, CMD_RESPONSE, EVENT_REGISTER, EVENT_UNREGISTER, EVENT_CONFIRM = 0, 1, 3, 4, 5


def value(key, text):
    return b"\3" + bytes([len(key)]) + key.encode() + struct.pack("!H", len(text)) + text.encode()


def section(name, content):
    return b"\1" + bytes([len(name)]) + name.encode() + content + b"\2"


ALGORITHMS = {"encryption": ["AES_CBC"], "integrity": ["HMAC_SHA2_256_128"], "ke": ["ECP_256"]}


def algorithms(kinds):
    return b"".join(section(kind, b"".join(value(name, "openssl") for name in names))
                    for kind, names in kinds.items())


def work(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def answer(mode, command):
    """The message for a command, or None for no answer at all."""
    if mode == "silent":
        return None
    if mode == "stops" and command == "load-conn":
        return None
    if mode == "busy" and command == "version":
        work(13)
    if mode == "torn":
        return b"\3\7success\xff\xffyes"
    if command == "version":
        return value("version", "5.7.2" if mode == "old" else "5.9.8")
    if command == "get-algorithms":
        kinds = dict(ALGORITHMS)
        if mode == "poor":
            kinds["integrity"] = ["HMAC_SHA1_96"]
        return algorithms(kinds)
    if mode in ("busy", "refuses") and command == "load-conn":
        return value("success", "no") + value("errmsg", "invalid value for: \x1b[31mid")
    return value("success", "yes")


def packets(connection):
    stream = connection.makefile("rb")
    while head := stream.read(4):
        yield stream.read(struct.unpack("!I", head)[0])


def serve(connection, mode):
    for packet in packets(connection):
        if mode == "garbage":
            connection.sendall(b"SSH-2.0-whatever\r\n")
            return
        if packet[0] == CMD_REQUEST:
            command = packet[2:2 + packet[1]].decode()
            print(command, flush=True)
            message = answer(mode, command)
            if message is None:
                continue
            reply = bytes([CMD_RESPONSE]) + message
        else:
            reply = bytes([EVENT_CONFIRM])
        connection.sendall(struct.pack("!I", len(reply)) + reply)


def main():
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(sys.argv[1])
    listener.listen()
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                serve(connection, sys.argv[2])
            except (BrokenPipeError, ConnectionResetError):
                pass


main()
