"""What the daemon publishes, followed: its state file is read when it has become another one."""

import time
from pathlib import Path
from typing import NamedTuple

from ollama_locate.core import render
from ollama_locate.core.bounds import HEARTBEAT_DEAD, STATE_MAX_BYTES
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.text import shown
from ollama_locate.edge.files import read
from ollama_locate.edge.folders import reader_folder
from ollama_locate.edge.lock import holder

from .show import ago

Stamp = tuple[Path, int, int, int]


class Look(NamedTuple):
    """The last snapshot that could be read; the daemon's pid; seconds since its heartbeat, None where it had none.

    `trouble` says why the snapshot cannot be relied on, empty if it can.
    """

    snapshot: Snapshot | None = None
    pid: int | None = None
    age: float | None = None
    trouble: str = ""


class Follower:
    """Looks as often as it is asked; a look at what has not changed is a few stats."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._stamp: Stamp | None = None
        self._unreadable = ""
        self._pid: int | None = None
        self._lock: Stamp | None = None
        self._asked_at = float("-inf")

    def look(self) -> Look:
        """What is known now. Raises StateFolderError only where no folder can be named."""
        folder = reader_folder()
        stamp = _stamp(folder / "state.json")
        if stamp != self._stamp or self._unreadable:
            self._stamp = stamp
            self._read(folder)
        self._ask_for_pid(folder)
        age = _age(folder)
        return Look(self._snapshot, self._pid, age, self._trouble(age))

    def _read(self, folder: Path) -> None:
        self._unreadable = ""
        try:
            data = read(folder, "state.json", STATE_MAX_BYTES)
            self._snapshot = render.read_snapshot(data) if data is not None else None
        except StateFolderError as error:
            self._unreadable = shown(str(error))
        except ValueError as error:
            self._unreadable = shown(f"{folder / 'state.json'}: {error}")

    def _ask_for_pid(self, folder: Path) -> None:
        """Once a second, and not again where nobody held the lock: to ask is to take it for a moment."""
        now, lock = time.monotonic(), _stamp(folder / "lock")
        if now - self._asked_at >= 1.0 and (self._pid is not None or lock != self._lock):
            self._asked_at, self._lock = now, lock
            self._pid = holder(folder)

    def _trouble(self, age: float | None) -> str:
        if self._unreadable:
            return self._unreadable
        if self._pid is None:
            what = f", the last one was heard {ago(age)} ago" if self._snapshot is not None and age is not None else ""
            return f"no daemon runs{what}. Start one: ollama-located"
        if self._snapshot is None or age is None:
            return f"the daemon (pid {self._pid}) has not published anything yet"
        if abs(age) >= HEARTBEAT_DEAD:
            return f"the daemon (pid {self._pid}) has not reported for {ago(abs(age))}"
        return ""


def _age(folder: Path) -> float | None:
    try:
        return time.time() - (folder / "verdict").stat().st_mtime
    except OSError:
        return None


def _stamp(path: Path) -> Stamp | None:
    """What changes when a file is replaced or written: where, when, its inode and size."""
    try:
        info = path.stat()
    except OSError:
        return None
    return path, info.st_mtime_ns, info.st_ino, info.st_size
