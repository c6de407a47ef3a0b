"""Taking the state folder away: what this program wrote there and nothing else, whoever's folder it is."""

import contextlib
import os
import re
import stat
from pathlib import Path
from typing import Final

from ollama_locate.core import hook, render
from ollama_locate.core.bounds import STATE_MAX_BYTES
from ollama_locate.core.errors import StateFolderError

from .files import read
from .history import ASIDE, NAME

_FILES: Final = frozenset(
    {
        *render.SOURCED,
        *("models", "verdict", "state.json", "lock", "pin.json", "desktop"),
        *(f"hook.{shell}" for shell in hook.SHELLS),
        *(f"{one}{end}" for one in (NAME, ASIDE) for end in ("", "-wal", "-shm", "-journal")),
    }
)
_REQUESTS: Final = "requests"
_REQUEST: Final = re.compile(r"\.?(?:refresh|failed)-\d+-\d+")


def remove_state(folder: Path) -> list[str]:
    """Remove the folder with all of that in it; returns the names of what is not ours and stays, and so the folder.

    One in which no `state.json` of ours lies is somebody else's, and is left alone. Raises StateFolderError.
    """
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StateFolderError(f"cannot read {folder}: {error.strerror}") from None
    try:
        names = os.listdir(fd)  # noqa: PTH208 - by descriptor
        if names and not _is_ours(folder, names):
            raise StateFolderError(f"{folder} holds other things than ollama-locate's files: it is left alone")
        for name in names:
            if name in _FILES or (name[:1] == "." and name.endswith(".new") and name[1:-4] in _FILES):
                _unlink(name, fd)
        if _REQUESTS in names:
            _remove_requests(fd)
        left = sorted(os.listdir(fd))  # noqa: PTH208 - by descriptor
        if not left and not folder.is_symlink():
            folder.rmdir()
    except OSError as error:
        raise StateFolderError(f"cannot remove what lies in {folder}: {error.strerror}") from None
    finally:
        os.close(fd)
    return left


def _is_ours(folder: Path, names: list[str]) -> bool:
    """By what a daemon has written; a folder in which one never came so far holds its lock, or what `setup` noted."""
    try:
        data = read(folder, "state.json", STATE_MAX_BYTES)
        if data is not None:
            render.read_snapshot(data)
            return True
    except (StateFolderError, ValueError):
        return False
    return set(names) <= {"lock", "setup.json", "expose.json", "pin.json", NAME}


def _unlink(name: str, fd: int) -> None:
    if stat.S_ISREG(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
        os.unlink(name, dir_fd=fd)


def _remove_requests(fd: int) -> None:
    with contextlib.suppress(NotADirectoryError):
        box = os.open(_REQUESTS, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
        try:
            for name in os.listdir(box):  # noqa: PTH208 - by descriptor
                if _REQUEST.fullmatch(name):
                    _unlink(name, box)
            if not os.listdir(box):  # noqa: PTH208 - by descriptor
                os.rmdir(_REQUESTS, dir_fd=fd)
        finally:
            os.close(box)
