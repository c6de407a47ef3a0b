"""The tailscale command: finds it, runs it, and names whatever goes wrong."""

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
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


class Look(NamedTuple):
    """One look at the tailnet, and the CPU seconds that it cost, the command's included."""

    found: Tailnet | Unavailable
    cpu: float


def find(configured: str = "") -> str | None:
    """The executable: what the config says, else PATH, else the usual places, else WSL's; None: not there."""
    if configured:
        return str(Path(configured).expanduser())
    for name in ("tailscale", *_PLACES, "tailscale.exe"):
        if path := shutil.which(name):
            return path
    return None


async def look(configured: str = "") -> Look:
    """Run `tailscale status --json` and read it. Never raises for what tailscale does."""
    before = _cpu()
    executable = find(configured)
    if executable is None:
        return Look(Unavailable(Absence.NOT_INSTALLED), 0.0)
    found = await _status(executable)
    return Look(found, _cpu() - before)


async def _status(executable: str) -> Tailnet | Unavailable:
    try:
        process = await asyncio.create_subprocess_exec(
            executable,
            "status",
            "--json",
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            # The macOS app starts its window from a LaunchAgent unless it is told not to.
            env={**os.environ, "TAILSCALE_BE_CLI": "1"},
            start_new_session=True,
            limit=_CHUNK,
        )
    except OSError as error:
        return Unavailable(Absence.NOT_INSTALLED, shown(f"{executable}: {error.strerror}"))
    try:
        async with asyncio.timeout(STATUS_DEADLINE):
            out, err = await asyncio.gather(
                _read(process.stdout, STATUS_MAX_BYTES), _read(process.stderr, STDERR_MAX_BYTES, cut=True)
            )
            code = await process.wait()
    except TimeoutError:
        return Unavailable(Absence.HUNG, f"no end after {STATUS_DEADLINE:g} s")
    except _TooLargeError:
        return Unavailable(Absence.TOO_LARGE)
    finally:
        await _end(process)
    return _judge(code, out, err)


class _TooLargeError(Exception):
    pass


async def _read(stream: asyncio.StreamReader | None, limit: int, *, cut: bool = False) -> bytes:
    """All of a stream; what is beyond the limit is dropped (`cut`) or an error."""
    chunks, size = [], 0
    while stream is not None and (chunk := await stream.read(_CHUNK)):
        if size + len(chunk) > limit and not cut:
            raise _TooLargeError
        chunks.append(chunk[: max(0, limit - size)])
        size += len(chunk)
    return b"".join(chunks)


async def _end(process: Process) -> None:
    """Make sure that the command and whatever it forked are gone: the whole group, SIGTERM, then SIGKILL."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None and sent is signal.SIGTERM:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sent)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KILL_GRACE):
                await process.wait()


def _judge(code: int, out: bytes, err: bytes) -> Tailnet | Unavailable:
    said = shown((err or out[:STDERR_MAX_BYTES]).decode(errors="replace"))
    if code == 0:
        found = parse_status(out)
        if isinstance(found, Unavailable) and found.reason in (Absence.GARBAGE, Absence.TRUNCATED) and _is_gui(said):
            return Unavailable(Absence.GUI_NOT_CLI, said)
        return found
    if _is_gui(said):
        return Unavailable(Absence.GUI_NOT_CLI, said)
    if "failed to connect to local" in said or "not running" in said:
        return Unavailable(Absence.NOT_RUNNING)
    return Unavailable(Absence.EXIT_CODE, f"exit code {code}: {said or 'it said nothing'}")


def _is_gui(said: str) -> bool:
    return "CLIError" in said or "GUI" in said


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
