"""The machine under test: the real locator, driven as located/daemon.py drives it, on a virtual clock.

Events wait in a heap by the core's time.
"""

import heapq
import itertools
from random import Random

from msgspec.structs import replace

from ollama_locate.core import cadence, render
from ollama_locate.core.bounds import OPENING_GAP, REARM_DELAY, SETTLE_GAP
from ollama_locate.core.constants import LOOK_ON_DOUBT, SYN_PATIENCE_KNOWN, SYN_PROVISIONAL, TICK
from ollama_locate.core.locator import Locator
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.taking import Clock, Run, take
from ollama_locate.core.track import Decision, Track
from ollama_locate.edge.templates import templates

from . import budgets, library
from .nature import LOOK_CPU, Act, Nature
from .network import Flight
from .referee import Accounts
from .sentinel import Sentinel
from .world import World

MODELS_CHECKED = 60.0
TEMPLATES = {"OLLAMA_ENDPOINT": "{url}"}


class Machine:
    """One run of one world from one seed."""

    def __init__(self, world: World, seed: int, days: float) -> None:
        self.now = 0.0
        self._world = world
        self._rng = Random(f"machine {world.name} {seed}")
        self._heap: list[tuple[float, int, Act, tuple[object, ...]]] = []
        self._count = itertools.count()
        self.nature = Nature(world, seed, days, self, self._rng)
        self.referee, self._paths = self.nature.referee, self.nature.paths
        self.locator = Locator(self.nature.settings(), 0.0)
        self._sentinel = Sentinel(self, self._paths, self._rng)
        self._flights: dict[str, tuple[int, float, float | None]] = {}
        self._decision: Decision | None = None
        self._jitter = 0.0
        self._settling = self._rearming = self._doubted = False
        self._settled_at = self._look_again_from = float("-inf")
        self._armed: float | None = None
        self._look_at: float | None = None

    # --- what the world does to it

    @property
    def shift(self) -> float:
        """How far the world's clock is ahead."""
        return self.nature.shift

    @property
    def sentinel(self) -> Sentinel:
        """Its connection to the chosen server."""
        return self._sentinel

    def track(self, key: str) -> Track:
        """What it knows of a server."""
        return self.locator.tracks[key]

    def rung(self) -> None:
        """Something has changed in the tailnet, or with tailscaled."""
        if self._world.rings:
            self._look_soon()

    def stepped(self) -> None:
        """Its wall clock was set."""
        self._snapshot()

    def suspended(self) -> None:
        """What was under way is lost."""
        for key, (_, sent, _) in list(self._flights.items()):
            end = max(self.now, sent + SYN_PATIENCE_KNOWN)
            self._fly(key, Flight(None, end - sent, Probe(Outcome.SILENT, sent)), sent)

    def woken(self) -> None:
        """The clocks show it within a tick."""
        self.after(self._rng.uniform(0, TICK), self._woke)

    def _woke(self) -> None:
        self.nature.note("resumes", "")
        self.locator.resume(self.now)
        self._arm_look(max(self.now, self._look_again_from))
        self._armed = None
        self._probe_due()
        self._changed()

    # --- the loop

    def after(self, seconds: float, act: Act, *args: object) -> None:
        """Do it later."""
        heapq.heappush(self._heap, (self.now + seconds, next(self._count), act, args))

    def run(self) -> Accounts:
        """Live through all the days."""
        heap, nature = self._heap, self.nature
        end = nature.days * budgets.DAY
        self._arm_look(0.0)
        self._probe_due()
        self._hourly()
        self._check_models()
        while True:
            at = heap[0][0]
            if nature.upcoming - nature.shift <= at:
                self.now = max(self.now, nature.upcoming - nature.shift)
                if nature.upcoming >= end:
                    break
                nature.happen()
                continue
            if at + nature.shift >= end:
                break
            _, _, act, args = heapq.heappop(heap)
            self.now = at
            act(*args)
        self.referee.finish(self.now)
        return self.referee.accounts

    # --- what located/daemon.py does

    def _arm_look(self, at: float) -> None:
        self._look_at = at
        self.after(at - self.now, self._look, at)

    def _look_soon(self) -> None:
        soon = max(self.now, self._look_again_from)
        if self._look_at is None or soon < self._look_at:
            self._arm_look(soon)

    def _look(self, armed: float) -> None:
        if armed != self._look_at:
            return
        self.locator.see(self.nature.look(), self.now)
        self._look_again_from = self.now + LOOK_CPU * 100
        away, rings = self.locator.roster.away, self._world.rings and self.nature.away is None
        wait = cadence.look_wait(30.0, LOOK_CPU, self._rng.uniform(-1, 1), away=away, rings=rings)
        self._arm_look(self.now + wait)
        self._probe_due()
        self._changed()

    def _probe(self, armed: float) -> None:
        if armed == self._armed:
            self._armed = None
            self._probe_due()

    def _probe_due(self) -> None:
        now, locator = self.now, self.locator
        servers = locator.due(now)
        if servers:
            for server in servers:
                key = server.key
                path = self.nature.path(key)
                locator.begin(key, now)
                self._fly(key, path.probe(now, self.nature.shift, locator.terms(key)), now)
            self._jitter = self._rng.uniform(-1, 1)
        self._rearm()

    def _fly(self, key: str, flight: Flight, sent: float) -> None:
        number = next(self._count)
        connected, ends, probe = flight
        self._flights[key] = number, sent, None if connected is None else sent + connected
        if (connected is None or connected > SYN_PROVISIONAL) and ends > SYN_PROVISIONAL and sent == self.now:
            heapq.heappush(self._heap, (sent + SYN_PROVISIONAL, number, self._quiet, (key, number)))
        heapq.heappush(self._heap, (sent + ends, number, self._finish, (key, number, probe)))

    def _rearm(self) -> None:
        self._rearming = False
        due = self.locator.next_due()
        if due is not None and (self._armed is None or due < self._armed):
            self._armed = due
            heapq.heappush(self._heap, (max(due, self.now), next(self._count), self._probe, (due,)))

    def _quiet(self, key: str, number: int) -> None:
        if key in self._flights and self._flights[key][0] == number:
            self.locator.quiet(key)
            self._changed()

    def _finish(self, key: str, number: int, probe: Probe) -> None:
        if key not in self._flights or self._flights[key][0] != number:
            return
        del self._flights[key]
        if not key.startswith("stranger"):
            self.nature.note(probe.outcome.word, key)
        if probe.outcome is Outcome.ALIVE:
            probe = replace(probe, models=library.names(key))
        changed = self.locator.finish(key, probe, self.now, self._jitter)
        if probe.outcome is Outcome.ALIVE:
            changed |= self.locator.stocked(key, library.stock(key, self.now + self.shift))
        if changed:
            self._changed()
        elif not self._rearming:
            self._rearm_soon()

    def _rearm_soon(self) -> None:
        self._rearming = True
        self.after(REARM_DELAY, self._rearm)

    def _changed(self) -> None:
        if not self._settling:
            self._settling = True
            self.after(max(0.0, self._settled_at + SETTLE_GAP - self.now), self._settle)
        if not self._rearming:
            self._rearm_soon()

    def _settle(self) -> None:
        now, locator = self.now, self.locator
        self._settling, self._settled_at = False, now
        doubted, self._doubted = self._doubted, locator.board.in_doubt()
        if self._doubted and not doubted:
            self.after(LOOK_ON_DOUBT, self._look_on_doubt)
        if locator.board.opening is not None:
            for key, (_, _, connected) in self._flights.items():
                if connected is not None and connected <= now:
                    locator.connected(key)
        decision = locator.decide(now)
        if decision is None:
            self._settling = True
            self.after(OPENING_GAP, self._settle)
            return
        self._sentinel.watch(locator.watch(now))
        self._follow_watch()
        self._decision = decision
        chosen = decision.server.key if decision.server is not None else None
        if self.referee.decided(chosen, decision.verdict, decision.reason.word, now):
            self._snapshot()
        elif now > self.referee.deadline:
            self.referee.check_time(now)

    def _look_on_doubt(self) -> None:
        if self._doubted:
            self._look_soon()

    def _follow_watch(self) -> None:
        again = self.locator.watch_again()
        if self._sentinel.idle and again is not None and again > self.now:
            self.after(again - self.now, self._watch, again)

    def _watch(self, again: float) -> None:
        if self.locator.watch_again() == again:
            self._sentinel.watch(self.locator.watch(self.now))

    def watching(self, key: str) -> None:
        """The sentinel's connection stands."""
        self.nature.note("sentinel stands", key)
        self.locator.watching(key, self.now)

    def unwatchable(self, key: str) -> None:
        """It could not be had."""
        self.nature.note("sentinel refused", key)
        self.locator.unwatchable(key, self.now)
        self._changed()

    def lost(self, key: str, alive_at: float) -> None:
        """It has ended."""
        self.nature.note("sentinel lost", key)
        self.locator.lost(key, self.now, alive_at)
        self._probe_due()
        self._changed()

    # --- what is written

    def _hourly(self) -> None:
        self._snapshot()
        self.after(3600.0, self._hourly)

    def _check_models(self) -> None:
        self.referee.models(self.locator.catalogue.best(self.now), self.now, self.now + self.shift)
        self.after(MODELS_CHECKED, self._check_models)

    def _snapshot(self) -> None:
        """No file is ever empty of an endpoint, and `since` is not in the future, however the wall clock steps."""
        if self._decision is None or self._decision.server is None:
            return
        clock = Clock(self.now, self.nature.wall())
        snapshot = take(self.locator, self._decision, TEMPLATES, clock, Run(1))
        files = render.files(snapshot, templates())
        url = self._decision.server.url
        if files["endpoint"] != f"{url}\n".encode() or url.encode() not in files["env"]:
            self.referee.fail(self.now, f"the files do not say {url}")
        if snapshot.decision.since > snapshot.written_at:
            self.referee.fail(self.now, "chosen later than written")
