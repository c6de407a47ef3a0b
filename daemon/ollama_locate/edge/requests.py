"""Requests to the daemon: small files in `requests/`, then SIGUSR1. Nothing listens on any port."""

import contextlib
import os
import signal
import stat
import time
from pathlib import Path
from typing import Final

import msgspec

from ollama_locate.core.bounds import REQUEST_HALF, REQUEST_MAX_BYTES, REQUESTS_MAX, SCHEMA
from ollama_locate.core.errors import StateFolderError

from .files import StateFolder, check_owner, is_believed
from .folders import SYSTEM_STATE

_FOLDER: Final = "requests"
KINDS: Final = frozenset({"refresh", "failed"})


class Request(msgspec.Struct, frozen=True):
    """What a reader asks for: `refresh`, everything again; `failed`, a check of the server at `url`."""

    kind: str
    schema: int = SCHEMA
    url: str = ""


_DECODER = msgspec.json.Decoder(Request)


def send(folder: Path, request: Request, pid: int) -> None:
    """Leave a request for the daemon and wake it. Raises StateFolderError."""
    box = folder / _FOLDER
    name = f"{request.kind}-{os.getpid()}-{time.monotonic_ns()}"
    try:
        check_owner(folder, folder.stat())
        box.mkdir(mode=0o700, exist_ok=True)
        _leave(box, name, msgspec.json.encode(request))
        os.kill(pid, signal.SIGUSR1)
    except ProcessLookupError:
        raise StateFolderError("the daemon ended just now; start it again") from None
    except OSError as error:
        mend = "; it is the system service's, so that root asks it (sudo)" if folder == SYSTEM_STATE else ""
        raise StateFolderError(f"cannot ask the daemon through {box}: {error.strerror}{mend}") from None


def _leave(box: Path, name: str, data: bytes) -> None:
    """Whole, or not at all."""
    half = box / f".{name}"
    fd = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        half.rename(box / name)
    except OSError:  # the disk is full
        half.unlink(missing_ok=True)
        raise


def receive(folder: StateFolder) -> tuple[set[Request], int]:
    """Take all requests, each kind for each URL once, and count the files that were no request of this user.

    At most REQUESTS_MAX files are looked at; all of those are removed. One that is half-written is let be, until it is
    so old that its sender was killed.
    """
    found: set[Request] = set()
    refused = 0
    try:
        box = os.open(_FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder.fd)
    except OSError:
        return found, refused
    try:
        names = os.listdir(box)  # noqa: PTH208 - by descriptor
        _forget_halves(box, [name for name in names if name.startswith(".")])
        for name in [name for name in names if not name.startswith(".")][:REQUESTS_MAX]:
            request = _read(box, name)
            found.update({request} if request else ())
            with contextlib.suppress(OSError):  # a folder, which nobody of ours puts there, stays unmentioned
                os.unlink(name, dir_fd=box)
                refused += request is None
    finally:
        os.close(box)
    return found, refused


def _forget_halves(box: int, names: list[str]) -> None:
    for name in names[:REQUESTS_MAX]:
        with contextlib.suppress(OSError):
            if abs(time.time() - os.stat(name, dir_fd=box, follow_symlinks=False).st_mtime) > REQUEST_HALF:
                os.unlink(name, dir_fd=box)


def waiting(folder: StateFolder) -> bool:
    """Whether more have come, or were left by `receive`, than were taken."""
    try:
        return any(not name.startswith(".") for name in os.listdir(folder.path / _FOLDER))  # noqa: PTH208 - names
    except OSError:
        return False


def _read(box: int, name: str) -> Request | None:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=box)
    except OSError:
        return None
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode) or not is_believed(info):
            return None
        request = _DECODER.decode(os.read(fd, REQUEST_MAX_BYTES))
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    finally:
        os.close(fd)
    return request if request.kind in KINDS else None
