"""setup.json in the state folder: what `setup` has done, written after each step, so that none is forgotten."""

from pathlib import Path
from typing import Final

from ollama_locate.core.bounds import CONFIG_MAX_BYTES
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.setup import Appended, Record, Step, appended, parse, render, without

from .files import StateFolder, read
from .userfiles import put, text_of

NAME: Final = "setup.json"


def recorded(folder: Path) -> Record:
    """What was done; nothing where there is no such file. Raises StateFolderError."""
    data = read(folder, NAME, CONFIG_MAX_BYTES)
    try:
        return parse(data) if data is not None else Record()
    except ValueError as error:
        raise StateFolderError(f"{folder / NAME}: {error}; remove it, and undo by hand") from None


def record(folder: Path, step: Step) -> None:
    """Add a step. Raises StateFolderError."""
    write(folder, Record((*recorded(folder).steps, step)))


def write(folder: Path, what: Record) -> None:
    """Note that this was done, and nothing else. Raises StateFolderError."""
    if not what.steps:
        (folder / NAME).unlink(missing_ok=True)
        return
    state = StateFolder(folder)
    try:
        state.publish({NAME: render(what)}, durable=(NAME,))
    finally:
        state.close()


def append(path: Path, text: str) -> Appended:
    """Put this at the end of a file of the user's; a symlink is followed. Raises OperatorError."""
    made = not path.exists()
    before = text_of(path)
    added = appended(before, text)
    put(path, before + added)
    return Appended(str(path), added, made)


def take_out(step: Appended) -> bool:
    """Take it out again, and the file if nothing else is in it; returns whether it was there. Raises OperatorError."""
    path = Path(step.file)
    rest = without(text_of(path), step.text)
    if rest is None:
        return False
    if step.made and not rest:
        path.unlink()
    else:
        put(path, rest)
    return True
