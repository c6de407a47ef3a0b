"""speeds.json in the state folder: what `models --bench` has measured, for the commands and for the daemon."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ollama_locate.core.bounds import SPEEDS_MAX_BYTES
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.speed import Speed, merged, parse_speeds, render_speeds

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
    """Put these to those that are there, and return all. Raises StateFolderError; then the old file stays as it is."""
    known = merged(read_speeds(folder), new)
    state = StateFolder(folder)
    try:
        state.publish({NAME: render_speeds(known)}, durable=(NAME,))
    finally:
        state.close()
    return known
