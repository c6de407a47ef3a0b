"""The user's commands: run when the files say something else, one at a time each, and never waited for."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from ollama_locate.core import render
from ollama_locate.core.bounds import COMMAND_MAX_BYTES, COMMANDS_MAX, STATE_MAX_BYTES
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.on_change import Command, differs, environment
from ollama_locate.core.snapshot import DecisionState
from ollama_locate.core.text import shown
from ollama_locate.edge.command import Order, Said, TooMuchError, run
from ollama_locate.edge.files import read

from .log import LOGGER


class Spawn(Protocol):
    """What does something beside everything else."""

    def __call__(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin it."""


class OnChange:
    """A change while a command runs makes it run once more afterwards, with what is true then."""

    def __init__(self, folder: Path, spawn: Spawn) -> None:
        self._spawn = spawn
        self._now: DecisionState | None = None
        before = _before(folder)
        self._first = before
        self._told: dict[Command, DecisionState | None] = {}
        self._running: set[Command] = set()
        self._stop = threading.Event()
        self._loop = asyncio.get_running_loop()
        # Threads of their own: a slow command shall not keep the common ones from asking tailscale.
        self._threads = ThreadPoolExecutor(COMMANDS_MAX, "command")

    def published(self, decision: DecisionState, commands: tuple[Command, ...]) -> None:
        """The files say this now."""
        self._now = decision
        self._told = {one: self._told.get(one, self._first) for one in commands}
        self._first = decision  # a command that the config gets later is told of later changes
        for one in self._told.keys() - self._running:
            if differs(self._told[one], decision):
                self._running.add(one)
                self._spawn(self._follow(one))

    def stop(self) -> None:
        """End what runs."""
        self._stop.set()
        self._threads.shutdown(wait=False)

    async def _follow(self, command: Command) -> None:
        """Run it until it has been told what is true."""
        try:
            while (now := self._now) and command in self._told and differs(old := self._told[command], now):
                self._told[command] = now
                told = environment(old, now)
                trouble = await self._loop.run_in_executor(self._threads, _run, command, told, self._stop)
                if self._stop.is_set():
                    return
                if trouble:
                    LOGGER.warning("on_change: %s: %s", shown(command.words[0]), trouble)
        finally:
            self._running.discard(command)


def _run(command: Command, told: dict[str, str], stop: threading.Event) -> str:
    """Returns what went wrong, empty if nothing."""
    words = [os.path.expanduser(command.words[0]), *command.words[1:]]  # noqa: PTH111 - raises without a home
    try:
        said = run(Order(words, {**os.environ, **told}, command.seconds, COMMAND_MAX_BYTES), stop)
    except TimeoutError:
        return f"no end after {command.seconds:g} s; it was ended"
    except TooMuchError:
        return f"it said more than {COMMAND_MAX_BYTES // 2**20} MiB; it was ended"
    except (OSError, ValueError) as error:
        return f"cannot be run: {getattr(error, 'strerror', None) or error}"
    return _judged(said)


def _judged(said: Said) -> str:
    if said.code == 0:
        return ""
    lines = (said.err.strip() or said.out.strip()).decode(errors="replace").splitlines()
    how = f"exit code {said.code}" if said.code > 0 else f"ended by signal {-said.code}"
    return f"{how}: {shown(lines[0])}" if lines else how


def _before(folder: Path) -> DecisionState | None:
    """What an earlier run has published: a restart that changes nothing is no change."""
    with contextlib.suppress(OperatorError, ValueError):
        data = read(folder, "state.json", STATE_MAX_BYTES)
        return render.read_snapshot(data).decision if data else None
    return None
