# SPDX-License-Identifier: GPL-2.0
"""Network namespaces of `ip netns`, and commands, for tests in Python."""
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def checkers_on():
    """The kernel's checkers slow down every packet and process, so tests do less."""
    return os.path.exists("/sys/kernel/debug/kmemleak")


def sampled():
    """True if the test is not named and no checkers limit it: a sample is enough."""
    return not os.environ.get("EVERY") and not checkers_on()


def setns(path):
    """os.setns() is not in Python 3.11."""
    fd = os.open(path, os.O_RDONLY)
    try:
        if LIBC.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {path}")
    finally:
        os.close(fd)


def enter(name):
    """Enter a network namespace."""
    setns(f"/run/netns/{name}")


def in_netns(name, make):
    """make() called in a namespace; its sockets stay there."""
    home = f"/proc/self/fd/{os.open('/proc/self/ns/net', os.O_RDONLY)}"
    enter(name)
    try:
        return make()
    finally:
        setns(home)
        os.close(int(home.rsplit("/", 1)[1]))


def run(*command, stdin=None):
    """Output of a command that must succeed."""
    done = subprocess.run(command, input=stdin, text=True, check=False,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, \
        f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}"
    return done.stdout
