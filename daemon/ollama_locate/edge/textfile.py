"""The file for node_exporter's textfile collector: whole or not at all, and readable by whoever collects it."""

import contextlib
import os
import stat
from pathlib import Path

from ollama_locate.core.bounds import METRICS_FILE_MODE
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.metrics import FIRST


def write(path: Path, data: bytes) -> None:
    """Write it beside its place, and rename. Raises OperatorError; then what was there is as it was.

    The name of what is not whole yet does not end in .prom: the collector does not read it. The folder may belong to
    anybody who lets us write there: nothing in it is followed or trusted.
    """
    fresh = f".{path.name}.new"
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OperatorError(f"metrics.textfile: cannot use the folder {path.parent}: {error.strerror}") from None
    try:
        with contextlib.suppress(FileNotFoundError):
            if not _is_ours(folder, path.name):
                raise OperatorError(f"metrics.textfile: {path} is another program's; move it away, or choose another")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(fresh, flags, METRICS_FILE_MODE, dir_fd=folder), "wb") as file:
            os.fchmod(file.fileno(), METRICS_FILE_MODE)  # whatever the umask says
            file.write(data)
        os.rename(fresh, path.name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(fresh, dir_fd=folder)
        raise OperatorError(f"metrics.textfile: cannot write {path}: {error.strerror}") from None
    finally:
        os.close(folder)


def remove(path: Path) -> None:
    """Take it away, unless it is another program's by now, or cannot be."""
    with contextlib.suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if _is_ours(folder, path.name):
                os.unlink(path.name, dir_fd=folder)
        finally:
            os.close(folder)


def _is_ours(folder: int, name: str) -> bool:
    """Whether this program wrote it: the path may be a slip. Raises OSError where it cannot be read."""
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(fd, "rb") as file:
        return stat.S_ISREG(os.fstat(fd).st_mode) and file.read(len(FIRST)) in (b"", FIRST.encode())
