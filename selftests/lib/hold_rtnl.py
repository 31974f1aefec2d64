#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Holds RTNL until it is killed.

    hold_rtnl.py DEVICE

An ethtool request for the device holds RTNL when it writes its answer to memory, and that memory
never arrives (userfaultfd). Prints "held" at that point; or "no userfaultfd" and the reason, with
exit status 4.
"""
import ctypes
import mmap
import os
import signal
import struct
import sys
import threading

SYS_USERFAULTFD, SIOCETHTOOL, ETHTOOL_GLINK = 323, 0x8946, 0x0A
UFFDIO_API, UFFDIO_REGISTER = 0xC018AA3F, 0xC020AA00
UFFD_API, REGISTER_MISSING, PAGE = 0xAA, 1, 4096
AF_INET, SOCK_DGRAM = 2, 2

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *args):
    """A call of libc that must succeed."""
    result = function(*args)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def request(device, where):
    """Requests the link of a device; the answer goes to an address."""
    sock = call(libc.socket, AF_INET, SOCK_DGRAM, 0)
    ifreq = ctypes.create_string_buffer(struct.pack("=16sQ16x", device.encode(), where))
    call(libc.ioctl, sock, ctypes.c_ulong(SIOCETHTOOL), ifreq)


def main(device):
    """The command is in one page, its answer in the next."""
    try:
        uffd = call(libc.syscall, SYS_USERFAULTFD, os.O_CLOEXEC)
    except OSError as error:
        print(f"no userfaultfd: {error.strerror}")
        return 4
    memory = mmap.mmap(-1, 2 * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    memory[PAGE - 4:PAGE] = struct.pack("=I", ETHTOOL_GLINK)
    call(libc.ioctl, uffd, ctypes.c_ulong(UFFDIO_API),
         ctypes.create_string_buffer(struct.pack("=QQQ", UFFD_API, 0, 0)))
    answer = struct.pack("=QQ", start + PAGE, PAGE)
    call(libc.ioctl, uffd, ctypes.c_ulong(UFFDIO_REGISTER),
         ctypes.create_string_buffer(answer + struct.pack("=QQ", REGISTER_MISSING, 0)))
    threading.Thread(target=request, args=(device, start + PAGE - 4), daemon=True).start()
    os.read(uffd, 32)
    print("held", flush=True)
    signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
