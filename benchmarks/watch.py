"""When a file of a folder was replaced, without polling: the two cores are the emulator's and the daemon's.

inotify tells of each rename into the folder; the file is read then, and judged later.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

IN_MOVED_TO = 0x80
HEADER = struct.Struct("iIII")


class Watch:
    """Reports each new content of the folder's files with the time it was seen, in `time.perf_counter`."""

    def __init__(self, folder: Path, handle: int) -> None:
        self.folder = folder
        self.handle = handle

    def changed(self, wait_s: float) -> list[str]:
        """Names of files replaced since the last call; waits for at least one, at most that long."""
        if not select.select([self.handle], [], [], wait_s)[0]:
            return []
        data, names, at = os.read(self.handle, 65536), [], 0
        while at < len(data):
            *_, length = HEADER.unpack_from(data, at)
            at += HEADER.size
            names.append(data[at : at + length].rstrip(b"\0").decode())
            at += length
        return list(dict.fromkeys(names))

    def until(self, seen: Callable[[str, bytes, float], bool], longest_s: float) -> bool:
        """Calls `seen(name, content, when)` for each change until it says true; false if time ran out."""
        deadline = time.perf_counter() + longest_s
        while (left := deadline - time.perf_counter()) > 0:
            names = self.changed(left)
            when = time.perf_counter()
            for name in names:
                with contextlib.suppress(OSError):
                    if seen(name, (self.folder / name).read_bytes(), when):
                        return True
        return False


@contextlib.contextmanager
def watch(folder: Path) -> Iterator[Watch]:
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(os.O_CLOEXEC)
    if handle < 0 or libc.inotify_add_watch(handle, os.fsencode(folder), IN_MOVED_TO) < 0:
        raise OSError(ctypes.get_errno(), "inotify", str(folder))
    try:
        yield Watch(folder, handle)
    finally:
        os.close(handle)
