"""Runs a command with a deadline and a cap on what it says, and ends it with whatever it started."""

import math
import os
import selectors
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from typing import Final, NamedTuple

from ollama_locate.core.constants import KILL_GRACE, STDERR_MAX_BYTES

_CHUNK: Final = 2**20
_LOOK_AGAIN: Final = 0.01
_STOP_SEEN: Final = 0.2
"""Seconds between two looks at whether the command has ended, and whether anybody still wants its answer."""


class Said(NamedTuple):
    """How it ended: its exit code (negative: the signal), all of stdout, the beginning of stderr.

    `whole` is false where something that it left running kept its output open: that was ended.
    """

    code: int
    out: bytes
    err: bytes
    whole: bool


class TooMuchError(Exception):
    """It said more than it may."""


class Order(NamedTuple):
    """What to run: the words, never for a shell; its whole environment; how long (seconds), how much it may say.

    `first_line`: it is ended when that has come.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    seconds: float
    limit: int
    first_line: bool = False


def run(order: Order, stop: threading.Event) -> Said:
    """Run it in a process group of its own, and wait; for a thread, as output may come slowly.

    Raises OSError where it cannot be started, TimeoutError where it does not end in time or `stop` is set, and
    TooMuchError. However this ends, the whole group is gone afterwards.
    """
    process = Popen(  # noqa: S603 - the caller's words, and no shell
        order.words,
        bufsize=0,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=dict(order.environment),
        start_new_session=True,
    )
    with process:
        try:
            out, err, whole = _read(process, order, stop)
            if order.first_line:
                _end(process)
            return Said(process.wait(KILL_GRACE), out, err, whole)
        except TimeoutExpired:
            raise TimeoutError from None
        finally:
            _end(process)


class _Heard:
    """What it has said so far."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self.out: list[bytes] = []
        self.err = b""

    @property
    def has_line(self) -> bool:
        """Whether a line of stdout has come to its end."""
        return any(b"\n" in chunk for chunk in self.out)

    def add(self, chunk: bytes, *, is_err: bool) -> None:
        """Keep it, of stderr the first of it; raises TooMuchError."""
        self._size += len(chunk)
        if self._size > self._limit:
            raise TooMuchError
        if is_err:
            self.err = self.err or chunk[:STDERR_MAX_BYTES]
        else:
            self.out.append(chunk)


def _read(process: Popen[bytes], order: Order, stop: threading.Event) -> tuple[bytes, bytes, bool]:
    """Both outputs, and whether they were closed: a child that holds them is not waited for once the command ended."""
    heard, held_until = _Heard(order.limit), math.inf
    now = time.monotonic()
    ends = now + order.seconds
    with selectors.DefaultSelector() as ready:
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                ready.register(stream, selectors.EVENT_READ)
        while ready.get_map() and now < held_until and not (order.first_line and heard.has_line):
            if stop.is_set() or now > ends:
                raise TimeoutError
            for key, _ in ready.select(_STOP_SEEN):
                chunk = os.read(key.fd, _CHUNK)
                if not chunk:
                    ready.unregister(key.fileobj)
                heard.add(chunk, is_err=key.fileobj is process.stderr)
            now = time.monotonic()
            if held_until == math.inf and process.poll() is not None:
                held_until = now + KILL_GRACE
        return b"".join(heard.out), heard.err, not ready.get_map()


def _end(process: Popen[bytes]) -> None:
    """Make sure that the command and whatever it forked are gone: the whole group, SIGTERM, then SIGKILL."""
    ended = process.poll() is not None
    if _group_gone(process.pid, signal.SIGTERM) and ended:
        return
    # What it started has as long as itself, though it may have ended already.
    ends = time.monotonic() + KILL_GRACE
    while time.monotonic() < ends:
        if process.poll() is not None and _group_gone(process.pid, 0):
            return
        time.sleep(_LOOK_AGAIN)
    _group_gone(process.pid, signal.SIGKILL)
    process.wait()


def _group_gone(group: int, sent: int) -> bool:
    try:
        os.killpg(group, sent)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        return True
    return False
