"""The tailscale command: finds it, runs it, and names whatever goes wrong."""

import asyncio
import contextlib
import errno
import os
import resource
import selectors
import shutil
import signal
import threading
import time
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired
from typing import Final, NamedTuple

from ollama_locate.core.constants import KILL_GRACE, STATUS_DEADLINE, STATUS_MAX_BYTES, STDERR_MAX_BYTES
from ollama_locate.core.tailnet import Absence, Tailnet, Unavailable, parse_status
from ollama_locate.core.text import shown

_PLACES: Final = (
    "/usr/bin/tailscale",
    "/usr/local/bin/tailscale",
    "/opt/homebrew/bin/tailscale",
    "/Applications/Tailscale.app/Contents/MacOS/Tailscale",
)
_CHUNK: Final = 2**20
_STOP_SEEN: Final = 0.2
"""Seconds between two looks at whether anybody still wants the answer."""


class Look(NamedTuple):
    """One look at the tailnet, and the CPU seconds that it cost, the command's included."""

    found: Tailnet | Unavailable
    cpu: float


class Said(NamedTuple):
    """What the command printed, and how it ended."""

    code: int
    out: bytes
    err: bytes


def find(configured: str = "") -> str | None:
    """The executable: what the config says, else PATH, else the usual places, else WSL's; None: not there."""
    if configured:
        return str(Path(configured).expanduser())
    for name in ("tailscale", *_PLACES, "tailscale.exe"):
        if path := shutil.which(name):
            return path
    return None


async def look(configured: str = "") -> Look:
    """Run `tailscale status --json` and read it. Never raises for what tailscale does.

    The command is run in a thread, as its output may come slowly; when this task is cancelled it is killed.
    """
    stop = threading.Event()
    try:
        return await asyncio.to_thread(_timed, configured, stop)
    finally:
        stop.set()


def _timed(configured: str, stop: threading.Event) -> Look:
    before = _cpu()
    found = _status(configured, stop)
    return Look(found, _cpu() - before)


def _status(configured: str, stop: threading.Event) -> Tailnet | Unavailable:
    said = _run(configured, ("status", "--json"), stop)
    return said if isinstance(said, Unavailable) else judge(said)


async def command(configured: str, *words: str, deadline: float, first_line: bool = False) -> Said | Unavailable:
    """Run another tailscale command, of constant words and checked addresses; killed after `deadline` seconds.

    `first_line`: no more than that is wanted, and the command is ended when it has come.
    """
    stop = threading.Event()
    try:
        async with asyncio.timeout(deadline):
            return await asyncio.to_thread(_run, configured, words, stop, first_line=first_line)
    except TimeoutError:
        return Unavailable(Absence.HUNG, f"no end after {deadline:g} s")
    finally:
        stop.set()


def _run(
    configured: str, words: tuple[str, ...], stop: threading.Event, *, first_line: bool = False
) -> Said | Unavailable:
    executable = find(configured)
    if executable is None:
        return Unavailable(Absence.NOT_INSTALLED)
    try:
        process = Popen(  # noqa: S603 - the user's own tailscale, by its path, with checked words
            [executable, *words],
            bufsize=0,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            # The macOS app starts its window from a LaunchAgent unless it is told not to.
            env={**os.environ, "TAILSCALE_BE_CLI": "1"},
            start_new_session=True,
        )
    except OSError as error:
        missing = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES)
        reason = Absence.NOT_INSTALLED if missing else Absence.EXIT_CODE
        return Unavailable(reason, shown(f"{executable}: {error.strerror}"))
    with process:
        try:
            out, err = _read(process, stop, first_line=first_line)
            if first_line:
                _end(process)
            code = process.wait(KILL_GRACE)
        except (TimeoutError, TimeoutExpired):
            return Unavailable(Absence.HUNG, f"no end after {STATUS_DEADLINE:g} s")
        except _TooLargeError:
            return Unavailable(Absence.TOO_LARGE)
        finally:
            _end(process)
    return Said(code, out, err)


class _TooLargeError(Exception):
    pass


def _read(process: Popen[bytes], stop: threading.Event, *, first_line: bool) -> tuple[bytes, bytes]:
    """All of stdout, or as much as has its first line, and the beginning of stderr.

    Raises TimeoutError, or _TooLargeError where stdout is longer than its limit.
    """
    ends = time.monotonic() + STATUS_DEADLINE
    chunks: dict[object, list[bytes]] = {process.stdout: [], process.stderr: []}
    size = 0
    with selectors.DefaultSelector() as ready:
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                ready.register(stream, selectors.EVENT_READ)
        while ready.get_map() and not (first_line and b"\n" in b"".join(chunks[process.stdout])):
            if stop.is_set() or time.monotonic() > ends:
                raise TimeoutError
            for key, _ in ready.select(_STOP_SEEN):
                chunk = os.read(key.fd, _CHUNK)
                if not chunk:
                    ready.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    size += len(chunk)
                    chunks[key.fileobj].append(chunk)
                elif not chunks[key.fileobj]:
                    chunks[key.fileobj].append(chunk[:STDERR_MAX_BYTES])
            if size > STATUS_MAX_BYTES:
                raise _TooLargeError
    return b"".join(chunks[process.stdout]), b"".join(chunks[process.stderr])


def _end(process: Popen[bytes]) -> None:
    """Make sure that the command and whatever it forked are gone: the whole group, SIGTERM, then SIGKILL."""
    if process.poll() is not None and _group_gone(process.pid, signal.SIGTERM):
        return
    with contextlib.suppress(TimeoutExpired):
        _group_gone(process.pid, signal.SIGTERM)
        process.wait(KILL_GRACE)
    _group_gone(process.pid, signal.SIGKILL)
    process.wait()


def _group_gone(group: int, sent: signal.Signals) -> bool:
    try:
        os.killpg(group, sent)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        return True
    return False


def judge(answer: Said) -> Tailnet | Unavailable:
    """What `tailscale status --json` has said."""
    code, out, err = answer
    said = shown((err or out[:STDERR_MAX_BYTES]).decode(errors="replace"))
    if code == 0:
        found = parse_status(out)
        if isinstance(found, Unavailable) and found.reason in (Absence.GARBAGE, Absence.TRUNCATED) and _is_gui(said):
            return Unavailable(Absence.GUI_NOT_CLI, said)
        return found
    if _is_gui(said):
        return Unavailable(Absence.GUI_NOT_CLI, said)
    if "Access denied" in said or "permission denied" in said:
        return Unavailable(Absence.NO_PERMISSION, said)
    if "failed to connect to local" in said or "not running" in said:
        return Unavailable(Absence.NOT_RUNNING)
    return Unavailable(Absence.EXIT_CODE, f"exit code {code}: {said or 'it said nothing'}")


def _is_gui(said: str) -> bool:
    return "CLIError" in said or "GUI" in said


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.thread_time() + children.ru_utime + children.ru_stime
