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


def put(path: Path, text: str) -> None:
    """Write it beside its target and rename; a symlink is followed, so that it stays one. Raises OperatorError."""
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
        Path(beside).replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(beside).unlink()
        raise OperatorError(f"cannot write {target}: {error.strerror}") from None
