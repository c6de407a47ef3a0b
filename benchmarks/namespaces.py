"""Network namespaces, a client's and its peers', named after this run and removed on any exit.

What a killed run leaves behind is removed by the next one: leftovers.py.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "olb"
NETNS = Path("/run/netns")
CLONE_NEWNET = 0x40000000


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def remove(name: str) -> None:
    """Ends what runs in the namespace, each by its own pid, then removes it."""
    found = subprocess.run(["ip", "netns", "pids", name], check=False, capture_output=True, text=True)
    for pid in {int(word) for word in found.stdout.split()} - {os.getpid()}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@contextlib.contextmanager
def spaces(*roles: str) -> Iterator[list[str]]:
    """One namespace for each role, empty but for `lo`."""
    made = [f"{PREFIX}-{os.getpid()}-{role}" for role in roles]
    try:
        for name in made:
            remove(name)
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        yield made
    finally:
        for name in made:
            remove(name)


def enter(name: str) -> None:
    """Moves this thread into a namespace (`os.setns` came with Python 3.12)."""
    handle = os.open(NETNS / name, os.O_RDONLY)
    try:
        move(handle)
    finally:
        os.close(handle)


def move(handle: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(handle, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """What is started in this block starts in the namespace, with no `ip netns exec` in its time."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    enter(name)
    try:
        yield
    finally:
        move(home)
        os.close(home)
