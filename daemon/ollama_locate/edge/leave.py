"""Taking the state folder away: what this program wrote there and nothing else, whoever's folder it is."""

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

from ollama_locate.core import hook, render
from ollama_locate.core.errors import StateFolderError

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


def remove_state(folder: Path) -> list[str]:
    """Remove the folder with all of that in it; returns the names of what is not ours and stays, and so the folder.

    Raises StateFolderError.
    """
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names, not paths
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StateFolderError(f"cannot read {folder}: {error.strerror}") from None
    try:
        for name in names:
            if name in _FILES or (name.startswith(".") and name.endswith(".new")):
                (folder / name).unlink()
        box = folder / _REQUESTS
        if _REQUESTS in names and stat.S_ISDIR(box.lstat().st_mode):
            for one in box.iterdir():
                one.unlink()
            box.rmdir()
        left = sorted(os.listdir(folder))  # noqa: PTH208 - as above
        if not left and not folder.is_symlink():
            folder.rmdir()
    except OSError as error:
        raise StateFolderError(f"cannot remove {error.filename or folder}: {error.strerror}") from None
    with contextlib.suppress(OSError):
        folder.parent.rmdir()  # ~/.local/state, if it was made for this and nothing else is there
    return left
