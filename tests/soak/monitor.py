"""Reads the files all the time, and keeps account of how long what they said was wrong."""

import asyncio
import time
from collections import defaultdict

from .faults import World
from .promises import BrokenError, judge, read

EVERY = 0.1
BOUND = 90.0
"""Seconds for which it may be wrong. A server that refuses is asked again after 60 s at the most, a frozen or busy
machine adds to that."""


class Monitor:
    """`breaches`: promises that did not hold. `wrong`: seconds, by the faults that were done last."""

    def __init__(self, world: World) -> None:
        self.breaches: list[str] = []
        self.wrong: dict[str, list[float]] = defaultdict(list)
        self.readings = 0
        self.last = "nothing"
        self.now_wrong = ""
        self._world = world
        self._since: float | None = None

    async def run(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(EVERY)

    def look(self) -> None:
        """One reading. While the daemon cannot run or write, only that the files are whole."""
        world, now = self._world, time.monotonic()
        self.readings += 1
        try:
            found = read(world.daemon.state)
        except BrokenError as error:
            self._breach(str(error))
            return
        self.now_wrong = "" if world.stopped or world.full else judge(found, world.tailnet)
        if not self.now_wrong:
            if self._since is not None:
                self.wrong[self.last].append(now - self._since)
            self._since = None
            return
        self._since = self._since if self._since is not None else now
        if now - self._since > BOUND:
            self._breach(f"for {BOUND:.0f} s: {self.now_wrong}")
            self._since = None

    def _breach(self, what: str) -> None:
        said = f"{what} (after: {self.last})"
        if said not in self.breaches:
            self.breaches.append(said)
            print(f"BROKEN: {said}", flush=True)
