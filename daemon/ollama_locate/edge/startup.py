"""A person's start-up files: read, never run."""

import glob
import os
import pwd
import stat
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ollama_locate.core.bounds import STARTUP_MAX_BYTES
from ollama_locate.core.startup import File, Home, Kind, Line, find, scan

OURS: Final = (Kind.HOOK, Kind.ENV)


class Scanned(NamedTuple):
    """A start-up file that is there, and its lines of interest."""

    file: File
    lines: list[Line]


def scanned(shell: str, home: Home, folder: str = "") -> list[Scanned]:
    """The start-up files of a shell that are there, in order."""
    found = []
    for file in find(shell, home):
        for path in sorted(glob.glob(file.path)) if "*" in file.path else [file.path]:  # noqa: PTH207 - text paths
            text = _text(path)
            if text is not None:
                found.append(Scanned(file._replace(path=path), scan(text, folder)))
    return found


def login_shell(environment: Mapping[str, str]) -> str:
    """The path of the user's shell: $SHELL, else what the user database says; empty: none."""
    try:
        return environment.get("SHELL") or pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        return ""


def loading(shell: str, files: Sequence[Scanned]) -> list[Line]:
    """The lines by which a new terminal of this shell gets what we publish."""
    return [
        line
        for file in files
        if in_terminals(file, files)
        for line in file.lines
        if line.kind in OURS and line.name in ("", shell)
    ]


def follows(shell: str, files: Sequence[Scanned]) -> bool:
    """Whether a new terminal of this shell follows what we publish."""
    return any(line.kind is Kind.HOOK for line in loading(shell, files))


def in_terminals(file: Scanned, every: Sequence[Scanned]) -> bool:
    """Whether each new terminal reads it: by itself, or as a file that it does read says so."""
    if file.file.terminal:
        return True
    read_on = any(line.kind is Kind.BASHRC for one in every if one.file.terminal for line in one.lines)
    return read_on and file.file.path.endswith("/.bashrc")


def _text(path: str) -> str | None:
    """The beginning of a regular file; None where there is none that can be read. A pipe is not waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = os.read(fd, STARTUP_MAX_BYTES) if stat.S_ISREG(os.fstat(fd).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(fd)
    return None if data is None else data.decode(errors="replace")
