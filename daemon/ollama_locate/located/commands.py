"""The user's commands, run in threads of their own, so that nothing that one of them does holds the daemon up."""

import asyncio
import os
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from ollama_locate.core.bounds import COMMAND_MAX_BYTES, COMMANDS_MAX, FEEDS_MAX
from ollama_locate.core.command import Command
from ollama_locate.core.text import shown
from ollama_locate.edge.command import Order, Said, TooMuchError, run


class Spawn(Protocol):
    """What does something beside everything else."""

    def __call__(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin it."""


class Commands:
    """Runs them. Each may run at the same time as the others."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._loop = asyncio.get_running_loop()
        # Not the common threads: a slow command shall not keep them from asking tailscale.
        self._threads = ThreadPoolExecutor(COMMANDS_MAX + FEEDS_MAX, "command")

    @property
    def stopped(self) -> bool:
        """Whether the daemon ends: what a command says then is of no account."""
        return self._stop.is_set()

    async def run(self, command: Command, told: Mapping[str, str]) -> str:
        """Run it with these variables besides the daemon's; returns what went wrong, empty if nothing."""
        return await self._loop.run_in_executor(self._threads, _run, command, told, self._stop)

    def stop(self) -> None:
        """End what runs."""
        self._stop.set()
        self._threads.shutdown(wait=False)


def _run(command: Command, told: Mapping[str, str], stop: threading.Event) -> str:
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
