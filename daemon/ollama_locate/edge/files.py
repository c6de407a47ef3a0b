"""The state folder on disk: whole files or none, and only in a folder that nobody else can write.

A file is written beside its target, flushed, and renamed: a reader sees the old one or the new one.
"""

import contextlib
import os
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from ollama_locate.core.bounds import CONFIG_MAX_BYTES
from ollama_locate.core.errors import ConfigError, StateFolderError

from .folders import SYSTEM_STATE

_FOLDER_MODE: Final = 0o700
FILE_MODES: Final = 0o640
"""Who may enter the folder may read the files: 0600 in a user's own, 0640 in the system service's, which is 0750."""
_OTHERS_WRITE: Final = 0o022
_SUFFIX: Final = ".new"


class StateFolder:
    """The writer's side. Owns the folder through a descriptor, so that a swapped path changes nothing."""

    def __init__(self, path: Path) -> None:
        """Make or check the folder; raises StateFolderError."""
        self.path = path
        self._written: dict[str, tuple[int, int]] = {}
        self.fd = _open_own(path)

    def clean(self) -> None:
        """Remove what a killed writer left half-written. Only for who holds the lock."""
        for name in os.listdir(self.fd):  # noqa: PTH208 - by descriptor
            if name.startswith(".") and name.endswith(_SUFFIX):
                with contextlib.suppress(OSError):
                    os.unlink(name, dir_fd=self.fd)

    def renew(self) -> bool:
        """Make the folder again if somebody removed or moved it; returns whether that was so."""
        mine = os.fstat(self.fd)
        try:
            there = self.path.stat()
        except OSError:
            there = None
        if there is not None and (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino):
            if mine.st_mode & _OTHERS_WRITE:
                raise StateFolderError(_open_to_others(self.path))
            return False
        fresh = _open_own(self.path)
        os.close(self.fd)
        self.fd, self._written = fresh, {}
        return True

    def close(self) -> None:
        """Give the folder back."""
        os.close(self.fd)

    def publish(self, files: Mapping[str, bytes], durable: Collection[str] = ()) -> list[str]:
        """Write what changed and return its names. Raises StateFolderError; then no file has changed.

        `durable` files are flushed to the disk before they are renamed, so that a power cut leaves one
        or the other. All are written before the first is renamed: a full disk leaves the old set whole.
        """
        changed = [name for name, data in files.items() if self._differs(name, data)]
        ready: list[str] = []
        try:
            for name in changed:
                self._check_target(name)
                ready.append(name)
                self._write(_temporary(name), files[name], flush=name in durable)
            for name in changed:
                os.rename(_temporary(name), name, src_dir_fd=self.fd, dst_dir_fd=self.fd)
                self._written[name] = _mark(files[name])
            if any(name in durable for name in changed):
                os.fsync(self.fd)
        except OSError as error:
            raise StateFolderError(f"cannot write in {self.path}: {error.strerror}; the old files stay") from None
        finally:
            for name in ready:
                with contextlib.suppress(OSError):
                    os.unlink(_temporary(name), dir_fd=self.fd)
        return changed

    def touch(self, name: str) -> None:
        """Set the file's time to now: the heartbeat."""
        with contextlib.suppress(OSError):
            os.utime(name, dir_fd=self.fd)

    def _differs(self, name: str, data: bytes) -> bool:
        try:
            if name not in self._written and self._read(name) == data:
                self._written[name] = _mark(data)  # of an earlier run
            size = os.stat(name, dir_fd=self.fd, follow_symlinks=False).st_size
        except OSError:
            return True
        return self._written.get(name) != _mark(data) or size != len(data)

    def _read(self, name: str) -> bytes | None:
        """A file's content, if it is one that this program could have written."""
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self.fd)
        with os.fdopen(fd, "rb") as file:
            info = os.fstat(fd)
            ours = stat.S_ISREG(info.st_mode) and stat.S_IMODE(info.st_mode) == self.file_mode()
            return file.read() if ours and info.st_uid == os.geteuid() else None

    def file_mode(self) -> int:
        """The mode of the files in it."""
        return os.fstat(self.fd).st_mode & FILE_MODES

    def _check_target(self, name: str) -> None:
        try:
            mode = os.stat(name, dir_fd=self.fd, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISREG(mode):
            raise StateFolderError(f"{self.path / name} is not a regular file; remove it, and it will be written")

    def _write(self, name: str, data: bytes, *, flush: bool) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.fd)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        mode = self.file_mode()
        fd = os.open(name, flags, mode, dir_fd=self.fd)
        with os.fdopen(fd, "wb") as file:
            os.fchmod(fd, mode)
            file.write(data)
            file.flush()
            if flush:
                os.fsync(fd)


def _open_own(path: Path) -> int:
    """A descriptor of the folder, made if it is missing; raises StateFolderError unless only its owner writes it."""
    try:
        path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (NotADirectoryError, FileExistsError):
        raise StateFolderError(f"{path} is not a folder; move it away") from None
    except OSError as error:
        raise StateFolderError(f"cannot use the state folder {path}: {error.strerror}") from None
    info = os.fstat(fd)
    problem = None
    if info.st_uid != os.geteuid() and path == SYSTEM_STATE:
        problem = f"{path} is the system service's: only root changes what it does (sudo)"
    elif info.st_uid != os.geteuid():
        problem = f"{path} belongs to uid {info.st_uid}, not to you; remove it or use your own"
    elif info.st_mode & _OTHERS_WRITE:
        problem = _open_to_others(path)
    if problem is not None:
        os.close(fd)
        raise StateFolderError(problem)
    return fd


def _open_to_others(path: Path) -> str:
    return f"others can write {path}; mend it with: chmod go-w '{path}'"


def _mark(data: bytes) -> tuple[int, int]:
    """What is kept of a content to tell it from another: with thousands of models the files are megabytes."""
    return len(data), hash(data)


def _temporary(name: str) -> str:
    return f".{name}{_SUFFIX}"


def read(folder: Path, name: str, limit: int) -> bytes | None:
    """A reader's look at a published file; None where there is none.

    Raises StateFolderError where the folder or the file could have been written by somebody else.
    """
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StateFolderError(f"cannot read the state folder {folder}: {error.strerror}") from None
    try:
        check_owner(folder, os.fstat(fd))
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=fd)
        with os.fdopen(file, "rb") as opened:
            info = os.fstat(file)
            if not stat.S_ISREG(info.st_mode):
                raise StateFolderError(f"{folder / name} is not a regular file")
            if info.st_size > limit:
                raise StateFolderError(f"{folder / name} is too large ({info.st_size} bytes)")
            return opened.read(limit)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateFolderError(f"cannot read {folder / name}: {error.strerror}") from None
    finally:
        os.close(fd)


def is_believed(info: os.stat_result) -> bool:
    """Whether it is one's own or root's: what another user put there may say anything."""
    return info.st_uid in (os.geteuid(), 0)


def check_owner(folder: Path, info: os.stat_result) -> None:
    """Refuse a folder that another user owns or can write. Root's is taken, and the system service's own."""
    if not is_believed(info) and folder != SYSTEM_STATE:
        raise StateFolderError(f"{folder} belongs to uid {info.st_uid}: what it says is not believed")
    if info.st_mode & _OTHERS_WRITE:
        raise StateFolderError(f"others can write {folder}: what it says is not believed; chmod go-w '{folder}'")


def read_config(path: Path) -> bytes:
    """The config's bytes, empty where there is no such file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            info = os.fstat(file.fileno())
            data = file.read(CONFIG_MAX_BYTES + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    if not is_believed(info):
        raise ConfigError(f"{path} belongs to uid {info.st_uid}, not to you: it is not believed")
    if info.st_mode & stat.S_IWOTH:
        raise ConfigError(f"everybody can write {path}: it is not believed; chmod o-w '{path}'")
    if len(data) > CONFIG_MAX_BYTES:
        raise ConfigError(f"{path} is larger than 1 MiB: that is no config of ollama-locate")
    return data
