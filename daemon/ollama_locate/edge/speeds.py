"""speeds.json in the state folder: what `models --bench` has measured, for the commands and for the daemon."""

import fcntl
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ollama_locate.core.bounds_models import SPEEDS_MAX_BYTES
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.speed import Speed, is_sane, merged, parse_speeds, render_speeds

from .files import StateFolder, read

NAME: Final = "speeds.json"


def read_speeds(folder: Path) -> tuple[Speed, ...]:
    """The figures, none where there is no such file. Raises StateFolderError."""
    data = read(folder, NAME, SPEEDS_MAX_BYTES)
    if data is None:
        return ()
    try:
        return parse_speeds(data)
    except ValueError as error:
        raise StateFolderError(f"{folder / NAME}: {error}; move it away, and a bench begins a new one") from None


def keep_speeds(folder: Path, new: Iterable[Speed]) -> tuple[Speed, ...]:
    """Put these to those that are there, and return all. Raises StateFolderError; then the old file stays as it is.

    One at a time: two benches at once keep the figures of both.
    """
    state = StateFolder(folder)
    try:
        fcntl.flock(state.fd, fcntl.LOCK_EX)  # until it is closed
        known = merged(read_speeds(folder), (one for one in new if is_sane(one)))
        state.publish({NAME: render_speeds(known)}, durable=(NAME,))
    finally:
        state.close()
    return known
