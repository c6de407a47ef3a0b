"""Two network namespaces, a client's and its peers', named after this run and removed on any exit.

A run that was killed leaves its namespaces behind: the next one ends what still runs in them and removes
them. Nothing outside the `olb-PID-*` namespaces of dead runs is ever touched.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "olb"
OURS = re.compile(rf"{PREFIX}-(\d+)-(client|peers)")
NETNS = Path("/run/netns")
CLONE_NEWNET = 0x40000000


def names() -> tuple[str, str]:
    """The client's and the peers' namespace of this run."""
    return f"{PREFIX}-{os.getpid()}-client", f"{PREFIX}-{os.getpid()}-peers"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def alive(pid: int) -> bool:
    """Whether that process is a run of the benchmarks: a pid may have been given to another program since."""
    try:
        return b"benchmarks" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def remove(name: str) -> None:
    """Ends what runs in the namespace, each by its own pid, then removes it."""
    found = subprocess.run(["ip", "netns", "pids", name], check=False, capture_output=True, text=True)
    for word in found.stdout.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(word), signal.SIGKILL)
    subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def remove_leftovers() -> list[str]:
    """Namespaces whose run is dead."""
    gone = []
    for found in sorted(NETNS.glob(f"{PREFIX}-*")) if NETNS.is_dir() else []:
        match = OURS.fullmatch(found.name)
        if match and not alive(int(match[1])):
            remove(found.name)
            gone.append(found.name)
    return gone


@contextlib.contextmanager
def pair() -> Iterator[tuple[str, str]]:
    """Both namespaces, empty but for `lo`."""
    made = names()
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
