"""When a tailnet is looked at: by a job, when something rings, and when the current server is in doubt."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from ollama_locate.core import cadence
from ollama_locate.core.constants import LOOK_CPU_SHARE, LOOK_ON_DOUBT
from ollama_locate.core.net import Net

from .finder import Finder
from .jobs import Jobs


class Bell(Protocol):
    """What rings for this tailnet: how often it has rung, and whether it can."""

    rung: int

    @property
    def connected(self) -> bool:
        """Whether tailscaled says by itself when something changes."""


class Looks:
    """One look at a time, and none sooner than 100 times what the last one cost.

    `seen` is called after each, and told whether the tailnet is another one.
    """

    def __init__(
        self,
        net: Net,
        finder: Finder,
        jobs: Jobs,
        bell: Bell,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        seen: Callable[[bool], None],
    ) -> None:
        self._net, self._finder, self._jobs, self._bell, self._spawn, self._seen = net, finder, jobs, bell, spawn, seen
        self._name = net.key("look")
        self._loop = asyncio.get_running_loop()
        self._at: float | None = None
        self._not_before = float("-inf")
        self._looking = self._doubted = self._closed = False

    def close(self) -> None:
        """Look no more."""
        self._closed = True
        self._jobs.drop(self._name)

    def arm(self, wait: float) -> None:
        """Look in so many seconds, and not when it was planned."""
        if self._closed:
            return
        self._at = self._finder.now() + wait
        self._jobs.once(self._name, wait, self._job)

    def rearm(self) -> None:
        """Look when it was planned: the wall clock, by which jobs are due, was set."""
        self.arm(max(0.0, (self._at or 0.0) - self._finder.now()))

    def at_once(self) -> None:
        """Look as soon as that is not too often, though another look may be planned."""
        self.arm(max(0.0, self._not_before - self._finder.now()))

    def soon(self) -> None:
        """The same, unless one is under way or planned for then."""
        soon = max(self._finder.now(), self._not_before)
        if not self._looking and (self._at is None or soon < self._at):
            self.arm(soon - self._finder.now())

    def on_doubt(self) -> None:
        """The current server failed: is it Tailscale that is away? Once for each doubt that lasts."""
        doubted, self._doubted = self._doubted, self._finder.locator.board.in_doubt()
        if self._doubted and not doubted:
            self._loop.call_later(LOOK_ON_DOUBT, self._if_doubted)

    def _if_doubted(self) -> None:
        if self._doubted:
            self.soon()

    async def _job(self) -> None:
        """In a task of its own: a job that takes long would be run twice."""
        if not self._looking:
            self._looking = True
            self._spawn(self._look())

    async def _look(self) -> None:
        cpu, rung, before = 0.0, self._bell.rung, self._looked()
        try:
            cpu = await self._finder.look(self._net)
        finally:
            self._looking = False
            jitter = random.uniform(-1, 1)  # noqa: S311 - no secret
            away, rings = self._looked()[0], self._bell.connected
            self._not_before = self._finder.now() + cpu * LOOK_CPU_SHARE
            self.arm(cadence.look_wait(self._finder.config.interval, cpu, jitter, away=away, rings=rings))
        if self._bell.rung != rung:
            self.soon()
        self._seen(before != self._looked())

    def _looked(self) -> tuple[bool, object]:
        """Whether this tailnet is away, and what the last look at it has found."""
        looked = self._finder.locator.roster.nets.get(self._net.name)
        return (looked.away, looked.look) if looked is not None else (False, None)
