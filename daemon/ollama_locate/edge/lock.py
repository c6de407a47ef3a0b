"""One daemon per state folder: a locked file that holds its pid."""

import contextlib
import fcntl
import os
from pathlib import Path

from ollama_locate.core.errors import LockedError, StateFolderError

from .files import StateFolder

_NAME = "lock"


class Lock:
    """Held until the process ends, however it ends."""

    def __init__(self, folder: StateFolder) -> None:
        """Take the lock; raises StateFolderError with the pid of who holds it."""
        self._fd = _take(folder)

    def renew(self, folder: StateFolder) -> None:
        """Take it again in a folder that had to be made again."""
        old, self._fd = self._fd, _take(folder)
        os.close(old)

    def release(self) -> None:
        """Let another daemon in; the pid is removed, so that nobody signals a stranger."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)


def _take(folder: StateFolder) -> int:
    try:
        fd = os.open(_NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder.fd)
    except OSError as error:
        raise StateFolderError(f"cannot write in {folder.path}: lock: {error.strerror}") from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pid = os.read(fd, 32).decode(errors="replace").strip() or "unknown"
        os.close(fd)
        raise LockedError(f"another ollama-located (pid {pid}) already serves {folder.path}") from None
    try:
        os.fchmod(fd, folder.file_mode())
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        os.close(fd)
        raise StateFolderError(f"cannot write in {folder.path}: lock: {error.strerror}") from None
    return fd


def holder(folder: Path) -> int | None:
    """The pid of the daemon that serves a folder, None where none does. A pid alone is not believed.

    Asks who holds the lock without taking it (F_OFD_GETLK would, but macOS lacks it): the shared lock that
    is tried for a moment would make a daemon that starts just then give up, so an empty file is not tried.
    """
    try:
        fd = os.open(folder / _NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        text = os.read(fd, 32).strip()
        if not text.isdigit() or int(text) <= 1:
            return None
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        return int(text)
    finally:
        os.close(fd)
