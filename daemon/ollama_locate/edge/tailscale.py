"""The tailscale command: finds it, runs it, and names whatever goes wrong."""

import asyncio
import errno
import os
import resource
import shutil
import socket
import threading
import time
from pathlib import Path
from typing import Final, NamedTuple

from ollama_locate.core.constants import STATUS_DEADLINE, STATUS_MAX_BYTES, STDERR_MAX_BYTES
from ollama_locate.core.net import Net
from ollama_locate.core.tailnet import Absence, Tailnet, Unavailable, parse_status
from ollama_locate.core.text import shown

from .command import Order, Said, TooMuchError, run
from .files import is_believed

NOBODY: Final = (errno.ENOENT, errno.ECONNREFUSED)
"""By which errno a socket says that no tailscaled is behind it."""

_PLACES: Final = (
    "/usr/bin/tailscale",
    "/usr/local/bin/tailscale",
    "/opt/homebrew/bin/tailscale",
    "/Applications/Tailscale.app/Contents/MacOS/Tailscale",
)


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


async def look(configured: str = "", net: Net = Net()) -> Look:  # noqa: B008 - a value, which nobody changes
    """Run `tailscale status --json`, of this tailnet, and read it. Never raises for what tailscale does.

    The command is run in a thread, as its output may come slowly; when this task is cancelled it is killed.
    """
    stop = threading.Event()
    try:
        return await asyncio.to_thread(_timed, configured, net, stop)
    finally:
        stop.set()


def _timed(configured: str, net: Net, stop: threading.Event) -> Look:
    before = _cpu()
    found = _status(configured, net, stop)
    return Look(found, _cpu() - before)


def _status(configured: str, net: Net, stop: threading.Event) -> Tailnet | Unavailable:
    if net.socket and not Path(net.socket).exists():
        return Unavailable(Absence.NOT_RUNNING)
    if net.socket and _is_another_users(net.socket):
        return Unavailable(Absence.NO_PERMISSION, f"{shown(net.socket)} is another user's")
    said = _run(configured, (*net.words, "status", "--json"), STATUS_DEADLINE, stop)
    if not isinstance(said, Unavailable) and not said.whole:
        said = Unavailable(Absence.HUNG, "it left a process that keeps its output open")
    hung = isinstance(said, Unavailable) and said.reason is Absence.HUNG
    if hung and net.socket and refusal(net.socket) in NOBODY:
        # The command tries again for 5 s where it sees any tailscaled on the machine (Tailscale: safesocket).
        return Unavailable(Absence.NOT_RUNNING)
    return said if isinstance(said, Unavailable) else judge(said)


async def command(configured: str, *words: str, deadline: float, first_line: bool = False) -> Said | Unavailable:
    """Run another tailscale command, of constant words and checked addresses; killed after `deadline` seconds.

    `first_line`: no more than that is wanted, and the command is ended when it has come.
    """
    stop = threading.Event()
    try:
        return await asyncio.to_thread(_run, configured, words, deadline, stop, first_line=first_line)
    finally:
        stop.set()


def _run(
    configured: str, words: tuple[str, ...], deadline: float, stop: threading.Event, *, first_line: bool = False
) -> Said | Unavailable:
    executable = find(configured)
    if executable is None:
        return Unavailable(Absence.NOT_INSTALLED)
    # The macOS app starts its window from a LaunchAgent unless it is told not to.
    environment = {**os.environ, "TAILSCALE_BE_CLI": "1"}
    try:
        return run(Order([executable, *words], environment, deadline, STATUS_MAX_BYTES, first_line), stop)
    except TimeoutError:
        return Unavailable(Absence.HUNG, f"no end after {deadline:g} s")
    except TooMuchError:
        return Unavailable(Absence.TOO_LARGE)
    except OSError as error:
        missing = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES)
        reason = Absence.NOT_INSTALLED if missing else Absence.EXIT_CODE
        return Unavailable(reason, shown(f"{executable}: {error.strerror}"))


def _is_another_users(path: str) -> bool:
    """Or cannot be looked at."""
    try:
        return not is_believed(Path(path).stat())
    except OSError:
        return True


def refusal(path: str) -> int:
    """The errno of opening tailscaled's socket, 0 where it can be opened. Blocks for a second at the most."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.settimeout(1.0)
            probe.connect(str(Path(path).expanduser()))
        except OSError as error:
            return error.errno or errno.EIO
    return 0


def judge(answer: Said) -> Tailnet | Unavailable:
    """What `tailscale status --json` has said."""
    code, out, err, _ = answer
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
