# SPDX-License-Identifier: GPL-2.0
"""From root to an ordinary user, and then to root of the user's own namespaces."""
import ctypes
import os
import signal

from hostile_netlink import Route

NOBODY = 65534
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
LIBC = ctypes.CDLL(None, use_errno=True)


def call(function, *args):
    """A call of libc that must succeed."""
    if function(*args) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def write(path, what):
    """A small file of proc."""
    with open(path, "w", encoding="ascii") as file:
        file.write(what)


def become_nobody():
    """An ordinary process without a capability."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    call(LIBC.prctl, PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # As if the user's shell had started it: /proc/self belongs to the user again
    call(LIBC.prctl, PR_SET_DUMPABLE, 1, 0, 0, 0)
    with open("/proc/self/status", encoding="ascii") as file:
        assert "CapEff:\t0000000000000000\n" in file.read()


def unshare():
    """Root in the user's own namespaces."""
    uid = os.geteuid()
    call(LIBC.unshare, CLONE_NEWUSER | CLONE_NEWNET)
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"0 {uid} 1")
    write("/proc/self/gid_map", f"0 {uid} 1")


def another_namespace():
    """Create another network namespace of the user's. Return: the previous one."""
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    call(LIBC.unshare, CLONE_NEWNET)
    return before


def own_host(addresses=()):
    """Sockets of a namespace with lo up and dummy d0."""
    route = Route()
    route.up("lo")
    route.add("d0", "dummy")
    for address, length in (("10.66.0.1", 16), ("fd66::1", 64), *addresses):
        route.address("d0", address, length)
    route.up("d0")
    return route
