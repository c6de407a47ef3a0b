"""The machine under test: the real locator, driven as located/daemon.py drives it, on a virtual clock.

Events wait in a heap by the core's time. The world's clock is ahead of it by `shift`, as the core's stands still
while this machine sleeps.
"""

import heapq
import itertools
from collections.abc import Callable
from random import Random

from ollama_locate.core import cadence, render
from ollama_locate.core.constants import (
    LOOK_ON_DOUBT,
    OPENING_GAP,
    REARM_DELAY,
    SETTLE_GAP,
    SYN_PATIENCE_KNOWN,
    SYN_PROVISIONAL,
    TICK,
)
from ollama_locate.core.locator import Locator
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.patterns import parse_pattern
from ollama_locate.core.selection import LAST_TIER, Local
from ollama_locate.core.snapshot import Clock, Run, take
from ollama_locate.core.tailnet import Absence, Peer, Tailnet, Unavailable
from ollama_locate.core.track import Decision, Settings
from ollama_locate.core.trust import Policy

from . import budgets
from .network import Flight, Path
from .referee import Accounts, Entrant, Referee
from .sentinel import Sentinel
from .timeline import State, Timeline, flatten
from .world import Fate, Host, World, draw

EPOCH = 1_700_000_000.0
LOOK_CPU = 0.015
UNTRUSTED = "bobs"
TEMPLATES = {"OLLAMA_ENDPOINT": "{url}"}

Act = Callable[..., None]


class Machine:
    """One run of one world from one seed."""

    def __init__(self, world: World, seed: int, days: float) -> None:
        self.now, self.shift = 0.0, 0.0
        self._world, self._days = world, days
        self._rng = Random(f"machine {world.name} {seed}")
        self._heap: list[tuple[float, int, Act, tuple[object, ...]]] = []
        self._count = itertools.count()
        fate = draw(world, seed, days)
        self._hosts = [*world.hosts, *(Host(f"stranger{n}", 50.0) for n in range(world.strangers))]
        self._online = dict.fromkeys((host.name for host in world.hosts), True)
        self._paths = self._make_paths(fate)
        self._script = self._write_script(fate)
        self._place = 0
        self._away: Absence | None = None
        self._looks: dict[tuple[bool, ...], Tailnet] = {}
        self._wall_offset = 0.0
        self.locator = Locator(self._settings(), 0.0)
        self._sentinel = Sentinel(self, self._paths, self._rng)
        self._flights: dict[str, tuple[int, float, float | None]] = {}
        title = f"world {world.name!r}, seed {seed}, {days:g} days"
        self.referee = Referee(title, self._entrants(), lambda key: self.locator.tracks[key])
        self._decision: Decision | None = None
        self._jitter = 0.0
        self._settling = self._rearming = self._doubted = False
        self._settled_at = self._look_again_from = float("-inf")
        self._armed: float | None = None
        self._look_at: float | None = None
        self._epoch = 0

    # --- the world

    def _make_paths(self, fate: Fate) -> dict[str, Path]:
        paths = {
            key_of(host.name): Path(
                Timeline(fate.phases[host.name]), self._rng, jitter=host.jitter / 1000, loss=host.loss
            )
            for host in self._world.hosts
        }
        for place in range(self._world.strangers):
            silent = flatten([], 0.05)[0]._replace(state=State.SILENT)
            paths[key_of(f"stranger{place}")] = Path(Timeline([silent]), self._rng, jitter=0.0, loss=0.0)
        if self._world.local:
            paths["local:11434"] = Path(Timeline(flatten([], 0.0001)), self._rng, jitter=0.0001, loss=0.0)
            refuses = flatten([], 0.0001)[0]._replace(state=State.KILLED)
            paths["self:11434"] = Path(Timeline([refuses]), self._rng, jitter=0.0, loss=0.0)
        return paths

    def _entrants(self) -> list[Entrant]:
        found = [
            Entrant(key_of(host.name), self._paths[key_of(host.name)], host.tier, host.jitter / 1000)
            for host in self._world.hosts
        ]
        if self._world.local:
            found.append(Entrant("local:11434", self._paths["local:11434"], LAST_TIER, 0.0))
        return found

    def _write_script(self, fate: Fate) -> list[tuple[float, int, Act, tuple[object, ...]]]:
        """What happens without us, by the world's time."""
        lines: list[tuple[float, Act, tuple[object, ...]]] = []
        for name, phases in fate.phases.items():
            lines += [(phase.start, self._enter, (key_of(name), place)) for place, phase in enumerate(phases) if place]
        lines += [(at, self._hint, (name, online)) for at, name, online in fate.hints]
        lines += [(spell.start, self._sleep, (spell.end,)) for spell in fate.sleeps]
        for spell in fate.restarts:
            half = (spell.start + spell.end) / 2
            lines += [
                (spell.start, self._tailscaled, (Absence.NOT_RUNNING,)),
                (half, self._tailscaled, (Absence.STARTING,)),
                (spell.end, self._tailscaled, (None,)),
            ]
        if self._world.steps:
            at = 0.0
            while (at := at + self._rng.expovariate(self._world.steps / budgets.DAY)) < self._days * budgets.DAY:
                lines.append((at, self._step_wall_clock, ()))
        lines.sort(key=lambda line: line[0])
        return [(at, place, act, more) for place, (at, act, more) in enumerate(lines)]

    def _settings(self) -> Settings:
        tiers = sorted(self._world.hosts, key=lambda host: host.tier)
        ordered = any(host.tier for host in tiers)
        prefer = tuple(parse_pattern(host.name) for host in tiers) if ordered else ()
        policy = Policy((11434,), prefer=prefer, use_local=self._world.local, check_self=self._world.local)
        return Settings(policy, interval=30.0, local=Local.AUTO if self._world.local else Local.OFF)

    def _tailnet(self) -> Tailnet:
        key = tuple(self._online.values())
        if key not in self._looks:
            peers = [
                _peer(host.name, place, self._online.get(host.name, False)) for place, host in enumerate(self._hosts, 2)
            ]
            peers.append(_peer(UNTRUSTED, 60_000, online=True))
            self._looks[key] = Tailnet(_peer("laptop", 1, online=True), tuple(peers), "tail-lab.ts.net", tun=True)
        return self._looks[key]

    def _enter(self, key: str, place: int) -> None:
        """A host enters a phase."""
        path = self._paths[key]
        was = path.timeline.phase.state
        path.timeline.enter(place)
        self.referee.truth(self.now, key, watched=self._sentinel.stands_on == key)
        if path.timeline.phase.state is not was:
            self._sentinel.changed(key)
        self._epoch += 1
        self.after(budgets.SETTLED, self._check_settled, self._epoch)

    def _check_settled(self, epoch: int) -> None:
        if epoch == self._epoch and (again := self.referee.settled(self.now)) is not None:
            self.after(again - self.now, self._check_settled, epoch)

    def _hint(self, name: str, online: bool) -> None:  # noqa: FBT001 - an event's argument
        self.referee.events.append((self.now, "hint: online" if online else "hint: offline", name))
        self._online[name] = online
        self._ring()

    def _tailscaled(self, absence: Absence | None) -> None:
        self.referee.events.append((self.now, "tailscaled", absence.word if absence else "runs"))
        self._away = absence
        self._ring()

    def _ring(self) -> None:
        if self._world.rings:
            self._look_soon()

    def _step_wall_clock(self) -> None:
        self._wall_offset += self._rng.choice((-8, -1, 1, 8)) * 3600
        self._snapshot()

    def _sleep(self, until: float) -> None:
        """This machine is suspended; what was under way is lost."""
        self.referee.events.append((self.now, "sleeps", f"{until - self.now - self.shift:.0f} s"))
        for key, (_, sent, _) in list(self._flights.items()):
            end = max(self.now, sent + SYN_PATIENCE_KNOWN)
            self._fly(key, Flight(None, end - sent, Probe(Outcome.SILENT, sent)), sent)
        while self._place < len(self._script) and self._script[self._place][0] <= until:
            at, _, act, more = self._script[self._place]
            self._place += 1
            self.shift = max(self.shift, at - self.now)
            act(*more)
        self.shift = max(self.shift, until - self.now)
        self.after(self._rng.uniform(0, TICK), self._woke)

    def _woke(self) -> None:
        self.referee.events.append((self.now, "resumes", ""))
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
        heap, script = self._heap, self._script
        end = self._days * budgets.DAY
        self._arm_look(0.0)
        self._probe_due()
        self._hourly()
        while True:
            at = heap[0][0]
            if self._place < len(script) and script[self._place][0] - self.shift <= at:
                line = script[self._place]
                self._place += 1
                self.now = max(self.now, line[0] - self.shift)
                if line[0] >= end:
                    break
                line[2](*line[3])
                continue
            if at + self.shift >= end:
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
        look = Unavailable(self._away) if self._away is not None else self._tailnet()
        self.locator.see(look, self.now)
        self._look_again_from = self.now + LOOK_CPU * 100
        away, rings = self.locator.roster.away, self._world.rings and self._away is None
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
                if key not in self._paths:
                    self.referee.fail(now, f"an untrusted server is asked: {key}")
                locator.begin(key, now)
                self._fly(key, self._paths[key].probe(now, self.shift, locator.terms(key)), now)
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
            self.referee.events.append((self.now, probe.outcome.word, key))
        if self.locator.finish(key, probe, self.now, self._jitter):
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
        if self.referee.decided(decision, now):
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
        self.referee.events.append((self.now, "sentinel stands", key))
        self.locator.watching(key, self.now)

    def unwatchable(self, key: str) -> None:
        """It could not be had."""
        self.referee.events.append((self.now, "sentinel refused", key))
        self.locator.unwatchable(key, self.now)
        self._changed()

    def lost(self, key: str, alive_at: float) -> None:
        """It has ended."""
        self.referee.events.append((self.now, "sentinel lost", key))
        self.locator.lost(key, self.now, alive_at)
        self._probe_due()
        self._changed()

    # --- what is written

    def _hourly(self) -> None:
        self._snapshot()
        self.after(3600.0, self._hourly)

    def _snapshot(self) -> None:
        """No file is ever empty of an endpoint, and `since` is not in the future, however the wall clock steps."""
        if self._decision is None or self._decision.server is None:
            return
        clock = Clock(self.now, EPOCH + self.now + self.shift + self._wall_offset)
        snapshot = take(self.locator, self._decision, TEMPLATES, clock, Run(1))
        files = render.files(snapshot)
        url = self._decision.server.url
        if files["endpoint"] != f"{url}\n".encode() or url.encode() not in files["env"]:
            self.referee.fail(self.now, f"the files do not say {url}")
        if snapshot.decision.since > snapshot.written_at:
            self.referee.fail(self.now, "chosen later than written")


def key_of(name: str) -> str:
    """The server's key."""
    return f"{name}:11434"


def _peer(name: str, number: int, online: bool) -> Peer:  # noqa: FBT001 - zipped from tables
    mine = name != UNTRUSTED
    return Peer(
        id=name,
        name=name,
        dns_name=f"{name}.tail-lab.ts.net.",
        host_name=name,
        os="linux",
        user_id=1 if mine else 2,
        login="me@example.com" if mine else "bob@example.com",
        tags=(),
        addresses=(f"100.64.{number // 250}.{number % 250 + 1}",),
        online=online,
        expired=False,
        shared_out=False,
        shared_in=False,
        path="direct",
    )
