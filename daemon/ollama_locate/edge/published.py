"""What a living daemon has published, read back."""

import time
from pathlib import Path
from typing import NamedTuple

from ollama_locate.core import render
from ollama_locate.core.bounds import HEARTBEAT_DEAD, STATE_MAX_BYTES
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.snapshot import Snapshot

from .files import read
from .lock import holder


class Seen(NamedTuple):
    """A snapshot; the living daemon's pid; the seconds since the last heartbeat, None if it was looked up just now."""

    snapshot: Snapshot
    pid: int | None = None
    age: float | None = None


def published(folder: Path) -> Seen | None:
    """What a living daemon published; None where its heart does not beat. Raises StateFolderError."""
    try:
        age = time.time() - (folder / "verdict").stat().st_mtime
    except OSError:
        return None
    if abs(age) >= HEARTBEAT_DEAD:
        return None
    data = read(folder, "state.json", STATE_MAX_BYTES)
    if data is None:
        return None
    try:
        snapshot = render.read_snapshot(data)
    except ValueError as error:
        raise StateFolderError(f"{folder / 'state.json'}: {error}") from None
    return Seen(snapshot, holder(folder), max(0.0, age))
