"""A file for another program to read: whole or not at all, and never in the place of what is not ours."""

import contextlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from ollama_locate.core.errors import OperatorError


class Target(NamedTuple):
    """Where, who may read it, and what every file of ours begins with. `setting` is the config's, for messages.

    `durable`: it is flushed to the disk before it is renamed, for files that the other program cannot start without.
    """

    setting: str
    path: Path
    mode: int
    first: bytes
    durable: bool = False


def write(target: Target, data: bytes, held: bool = False) -> bool:  # noqa: FBT001, FBT002 - for a thread
    """Write it beside its place, and rename; returns whether it was another one. Raises OperatorError, and keeps it.

    `held`: only where there is none yet.
    The name of what is not whole yet has another end: node_exporter reads all that ends in .prom. The folder may
    belong to anybody who lets us write there: nothing in it is followed or trusted.
    """
    path, fresh = target.path, f".{target.path.name}.new"
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OperatorError(f"{target.setting}: cannot use the folder {path.parent}: {error.strerror}") from None
    try:
        before = _there(target, folder)
        if before == data or (held and before is not None):
            return False
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(fresh, flags, target.mode, dir_fd=folder), "wb") as file:
            os.fchmod(file.fileno(), target.mode)  # whatever the umask says
            file.write(data)
            if target.durable:
                file.flush()
                os.fsync(file.fileno())
        os.rename(fresh, path.name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(fresh, dir_fd=folder)
        raise OperatorError(f"{target.setting}: cannot write {path}: {error.strerror}") from None
    finally:
        os.close(folder)
    return True


def remove(target: Target) -> None:
    """Take it away, unless it is another program's by now, or cannot be."""
    with contextlib.suppress(OSError):
        folder = os.open(target.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with contextlib.suppress(OperatorError):
                if _there(target, folder) is not None:
                    os.unlink(target.path.name, dir_fd=folder)
        finally:
            os.close(folder)


def _there(target: Target, folder: int) -> bytes | None:
    """What is there, None if nothing. Raises OperatorError where another program wrote it, OSError where unread."""
    try:
        mode = os.stat(target.path.name, dir_fd=folder, follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "a symbolic link" if stat.S_ISLNK(mode) else "no regular file"
            raise OperatorError(f"{target.setting}: {target.path} is {kind}; move it away, or choose another path")
        fd = os.open(target.path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(fd, "rb") as file:
        found = file.read(len(target.first))
        if found not in (b"", target.first):
            raise OperatorError(
                f"{target.setting}: {target.path} is another program's; move it away, or choose another path"
            )
        return found + file.read()
