"""setup.json in the state folder: what `setup` is about to do, noted before each step, so that none is forgotten."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ollama_locate.core.bounds import CONFIG_MAX_BYTES
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.setup import Appended, Record, Step, appended, parse, render, without

from .files import StateFolder, read
from .userfiles import append, put, text_of

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


def planned(path: Path, text: str) -> Appended:
    """What `do` will put at the end of a file of the user's, a link or not. Raises OperatorError."""
    target = Path(os.path.realpath(path))
    return Appended(str(target), appended(text_of(target), text), made=not target.exists())


def do(step: Appended) -> None:
    """Put it there. Raises OperatorError; then the file is as it was."""
    append(Path(step.file), step.text)


def take_out(step: Appended, valid: Callable[[str], bool]) -> bool:
    """Take it out again, and the file if nothing else is in it. Raises OperatorError.

    Returns false where it is not there any more, or where the rest would not be `valid` without it: nothing is changed.
    """
    path = Path(step.file)
    now = text_of(path)
    rest = without(now, step.text)
    if rest is None or not valid(rest):
        return False
    if step.made and not rest and not path.is_symlink():
        path.unlink()
    else:
        put(path, rest, expected=now)
    return True


def forget_last(folder: Path) -> None:
    """The last step was not done after all. Raises StateFolderError."""
    write(folder, Record(recorded(folder).steps[:-1]))
