"""The user's files outside the state folder: units, start-up files. Written whole; mode and owner are kept."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from ollama_locate.core.bounds import CONFIG_MAX_BYTES
from ollama_locate.core.errors import OperatorError

_NEW_MODE = 0o644


def text_of(path: Path) -> str:
    """Its text, empty where it is missing; bytes that are no UTF-8 survive. Raises OperatorError."""
    try:
        with path.open("rb") as file:
            data = file.read(CONFIG_MAX_BYTES + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise OperatorError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > CONFIG_MAX_BYTES:
        raise OperatorError(f"{path} is larger than 1 MiB: it is left alone")
    return data.decode("utf-8", "surrogateescape")


def append(path: Path, text: str) -> None:
    """Add to a file, or make it: in place, so that links, owners and rights stay. Raises OperatorError.

    A disk that is full leaves it as it was.
    """
    data = text.encode("utf-8", "surrogateescape")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, _NEW_MODE)
    except OSError as error:
        raise OperatorError(f"cannot write {path}: {error.strerror}") from None
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode) or not info.st_mode & stat.S_IWUSR:
            raise OperatorError(f"{path} is not a file that may be written: it is left alone")
        try:
            whole = os.write(fd, data) == len(data)
            os.fsync(fd)
        except OSError:
            whole = False
        if not whole:
            os.ftruncate(fd, info.st_size)
            raise OperatorError(f"cannot write {path}: is its disk full? It is as it was")
    finally:
        os.close(fd)


def put(path: Path, text: str, expected: str | None = None) -> None:
    """Write it beside its target and rename; a symlink is followed, so that it stays one. Raises OperatorError.

    `expected`: what is there; where somebody has written something else meanwhile, that stays.
    """
    target = Path(os.path.realpath(path))
    beside = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        before = target.stat() if target.exists() else None
        if before is not None and not stat.S_ISREG(before.st_mode):
            raise OperatorError(f"{target} is not a regular file: it is left alone")
        fd, beside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(fd, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fsync(fd)
            os.fchmod(fd, stat.S_IMODE(before.st_mode) if before is not None else _NEW_MODE)
            if before is not None and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(fd, before.st_uid, before.st_gid)
        if expected is not None and text_of(target) != expected:
            raise OperatorError(f"{target} was changed just now: it is left alone; type that again")
        Path(beside).replace(target)
        beside = ""
    except OSError as error:
        raise OperatorError(f"cannot write {target}: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            if beside:
                Path(beside).unlink()
