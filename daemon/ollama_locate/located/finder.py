"""The locator with its hands: looks at the tailnet, sends probes, feeds what they find to the core."""

import asyncio
import contextlib
import random
import resource
import time
from collections.abc import Callable
from typing import Protocol

from ollama_locate.core.bounds import FILES_MODEST, FILES_RESERVED, FILES_WANTED, FORWARD_DESCRIPTORS, FORWARD_SHARE
from ollama_locate.core.bounds_models import SHOWS_AT_A_TIME
from ollama_locate.core.config import Config, Followed
from ollama_locate.core.inventory import Model
from ollama_locate.core.locator import Locator
from ollama_locate.core.net import Net
from ollama_locate.core.outcome import Probe
from ollama_locate.core.snapshot import Snapshot, last_good
from ollama_locate.core.taking import Clock
from ollama_locate.edge import tailscale
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.probe import Prober
from ollama_locate.edge.sentinel import Sentinel


class Changed(Protocol):
    """Called when the decision may be another one; `news`: there is something to publish in any case."""

    def __call__(self, *, news: bool = False) -> None:
        """Take note."""


class Finder:
    """Owns the locator. `changed` is called after each result, `round_over` with its number when a batch is through.

    A server is through when its probe has ended, or when it has been silent for so long that it is called
    silent for now. `before`: what an earlier run published. `shows`: of how many
    models ten machines together may ask a server at a time what they can do.
    """

    def __init__(
        self,
        followed: Followed,
        changed: Changed,
        round_over: Callable[[int], None],
        *,
        wire: Wire | None = None,
        before: Snapshot | None = None,
    ) -> None:
        self.followed = followed
        self._changed, self._round_over = changed, round_over
        self._loop = asyncio.get_running_loop()
        self.locator = Locator(followed.settings(), self.now(), last_good(before) if before else None)
        if followed.config.forward is None:
            self.locator.forwards(None)
        wire = wire or Wire()
        self.prober = Prober(self, followed.config.timeout, wire)
        for server in before.servers if before else ():
            self.prober.stock(server.key).recall(server.inventory or (), server.version)
        self.locator.catalogue.recall(before.best if before else {})
        self._sentinel = Sentinel(self, wire)
        self._watch_again: asyncio.TimerHandle | None = None
        self._batches: dict[str, tuple[int, set[str]]] = {}
        self.number, self._jitter = 0, 0.0
        self.shows = SHOWS_AT_A_TIME
        self._capacity = int(_raise_file_limit() * (1.0 - FORWARD_SHARE)) // 2

    @property
    def config(self) -> Config:
        """The config that is followed."""
        return self.followed.config

    def now(self) -> float:
        """Monotonic seconds."""
        return self._loop.time()

    def clock(self) -> Clock:
        """This moment on both clocks."""
        return Clock(self.now(), time.time())

    def follow(self, followed: Followed) -> None:
        """Decide by this from now on."""
        self.followed = followed
        self.prober.timeout = followed.config.timeout
        self.locator.reconfigure(followed.settings(), self.now())
        self.prober.keep(self.locator.tracks)

    async def look(self, net: Net) -> float:
        """Look at a tailnet once; returns the CPU seconds that it cost."""
        found, cpu = await tailscale.look(self.config.tailscale, net)
        if any(net.same_daemon(one) for one in self.config.nets):  # else the config has changed meanwhile
            self.locator.see(found, self.now(), net.name)
            self.prober.shows = self.locator.roster.crowd.share(self.shows)
            self.prober.keep(self.locator.tracks)
        return cpu

    async def look_at_all(self) -> None:
        """Look at every tailnet at the same time; what one says is taken in whatever the others do."""
        await asyncio.gather(*(self.look(net) for net in self.config.nets))

    def forwards(self, url: str | None) -> None:
        """The stable address listens at this URL, or (None) not any more."""
        self.locator.forwards(url)
        self._changed(news=True)

    def probe_due(self) -> int:
        """Begin the probes that are due, as many as there are descriptors for; the batch's number, 0: nobody is due."""
        batch: set[str] = set()
        number = self.number + 1
        for server in self.locator.due(self.now())[: self._room()]:
            batch.add(server.key)
            self._batches[server.key] = number, batch
            self.locator.begin(server.key, self.now())
            self.prober.probe(server, self.locator.terms(server.key))
        if batch:
            self.number = number
            # One draw for the whole batch: many daemons are spread, and one daemon's servers stay together.
            self._jitter = random.uniform(-1, 1)  # noqa: S311 - no secret
        return number if batch else 0

    def connections(self) -> int:
        """How many connections the forward may have, by the descriptors that there are."""
        return max(1, int(2 * self._capacity * FORWARD_SHARE) // FORWARD_DESCRIPTORS)

    def _room(self) -> int:
        """How many more probes the descriptors allow."""
        return max(0, self._capacity - self.locator.under_way())

    def full(self) -> bool:
        """Whether no more can be asked until somebody has been heard."""
        return self._room() == 0

    def idle(self) -> bool:
        """Whether every batch is through."""
        return not self._batches

    async def stop(self) -> None:
        """End all probes, and the sentinel's connection."""
        self._sentinel.stop()
        if self._watch_again is not None:
            self._watch_again.cancel()
        await self.prober.stop()

    # --- the sentinel

    def watch(self) -> None:
        """Hold a connection to the server that the core names, now and when it says another one by time alone."""
        wanted, again = self.locator.watch(self.now()), self.locator.watch_again()
        self._sentinel.watch(wanted)
        if self._watch_again is not None:
            self._watch_again.cancel()
            self._watch_again = None
        if wanted is None and again is not None and again > self.now():
            self._watch_again = self._loop.call_at(again, self.watch)

    def watching(self, key: str) -> None:
        """The connection stands."""
        self.locator.watching(key, self.now())

    def unwatchable(self, key: str) -> None:
        """It could not be had."""
        self.locator.unwatchable(key, self.now())
        self._changed()

    def lost(self, key: str, alive_at: float) -> None:
        """It has ended: whoever is to be asked now is asked now."""
        self.locator.lost(key, self.now(), alive_at)
        self.probe_due()
        self._changed()

    def doubted(self, key: str) -> None:
        """A program found it dead: check it now."""
        self.locator.doubted(key, self.now())
        self.probe_due()
        self._changed()

    # --- what probes say

    def connected(self, key: str) -> None:
        """A connection stands."""
        self.locator.connected(key)

    def quiet(self, key: str) -> None:
        """A server is silent so far."""
        self.locator.quiet(key)
        self._changed()
        self._through(key)

    def finish(self, key: str, probe: Probe) -> None:
        """A probe has ended."""
        full = self.full()
        if self.locator.finish(key, probe, self.now(), self._jitter) or full:
            self._changed()
        self._through(key)

    def listed(self, key: str, models: tuple[str, ...] | None) -> None:
        """A list of models came late."""
        self.locator.listed(key, models)
        self._changed(news=models is not None)

    def stocked(self, key: str, models: tuple[Model, ...]) -> None:
        """What is installed and loaded there."""
        if self.locator.stocked(key, models):
            self._changed(news=True)

    def _through(self, key: str) -> None:
        if (entry := self._batches.pop(key, None)) is not None:
            number, batch = entry
            batch.discard(key)
            if not batch:
                self._round_over(number)


def _raise_file_limit() -> int:
    """Raise the soft limit of open files; returns how many probes may use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, FILES_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        for tried in (wanted, FILES_MODEST):
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (tried, hard))
                break
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return (wanted if allowed == resource.RLIM_INFINITY else allowed) - FILES_RESERVED
