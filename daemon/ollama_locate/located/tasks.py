"""What is done beside everything else. A mistake in it is logged, and the daemon goes on."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from .log import LOGGER


class Tasks:
    """All that are under way."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._all: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin it."""
        task = self._loop.create_task(work)
        self._all.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """End all of them."""
        for task in self._all:
            task.cancel()
        await asyncio.gather(*self._all, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._all.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOGGER.error("internal error; the daemon goes on", exc_info=error)
