"""What happens without us: the virtual network, and what befalls it and the machine under test, in the world's time.

The world's clock is ahead of the machine's by `shift`, as the machine's stands still while it sleeps.
"""

from collections.abc import Callable
from random import Random
from typing import Protocol

from ollama_locate.core.patterns import parse_pattern
from ollama_locate.core.selection import LAST_TIER, Local
from ollama_locate.core.tailnet import Absence, Peer, Tailnet, Unavailable
from ollama_locate.core.track import Settings, Track
from ollama_locate.core.trust import Policy

from . import budgets
from .network import Path
from .referee import Entrant, Referee
from .sentinel import Sentinel
from .timeline import State, Timeline, flatten
from .world import Fate, Host, World, draw

EPOCH = 1_700_000_000.0
LOOK_CPU = 0.015
UNTRUSTED = "bobs"
HOURS = (-8, -1, 1, 8)
_NEVER = float("inf")

Act = Callable[..., None]


class Subject(Protocol):
    """The machine under test."""

    @property
    def now(self) -> float:
        """Its monotonic seconds."""

    @property
    def sentinel(self) -> Sentinel:
        """Its connection to the chosen server."""

    def after(self, seconds: float, act: Act, *args: object) -> None:
        """Do it later, by its own time."""

    def track(self, key: str) -> Track:
        """What it knows of a server."""

    def rung(self) -> None:
        """Something has changed in the tailnet, or with tailscaled."""

    def stepped(self) -> None:
        """Its wall clock was set."""

    def suspended(self) -> None:
        """It falls asleep; what was under way is lost."""

    def woken(self) -> None:
        """It is run again."""


class Nature:
    """One run of one world from one seed. `upcoming` is the world's time of the next line of its script."""

    def __init__(self, world: World, seed: int, days: float, subject: Subject, rng: Random) -> None:
        self.world, self.days = world, days
        self.shift, self.wall_offset = 0.0, 0.0
        self.away: Absence | None = None
        self.fate = draw(world, seed, days)
        self._subject, self._rng = subject, rng
        self._hosts = [*world.hosts, *(Host(f"stranger{n}", 50.0) for n in range(world.strangers))]
        self._online = dict.fromkeys((host.name for host in world.hosts), True)
        self._looks: dict[tuple[bool, ...], Tailnet] = {}
        self.paths = self._make_paths(self.fate)
        title = f"world {world.name!r}, seed {seed}, {days:g} days"
        self.referee = Referee(title, self._entrants(), subject.track)
        self._keys = {
            f"http://{_address(place)}:11434": key_of(host.name) for place, host in enumerate(world.hosts, 2)
        } | ({"http://localhost:11434": "local:11434"} if world.local else {})
        self._epoch = 0
        self._script: list[tuple[float, Act, tuple[object, ...]]] = []
        self._place, self.upcoming = 0, _NEVER
        self.expect(self._lines(self.fate))

    def _make_paths(self, fate: Fate) -> dict[str, Path]:
        paths = {
            key_of(host.name): Path(
                Timeline(fate.phases[host.name]), self._rng, jitter=host.jitter / 1000, loss=host.loss
            )
            for host in self.world.hosts
        }
        for place in range(self.world.strangers):
            silent = flatten([], 0.05)[0]._replace(state=State.SILENT)
            paths[key_of(f"stranger{place}")] = Path(Timeline([silent]), self._rng, jitter=0.0, loss=0.0)
        if self.world.local:
            paths["local:11434"] = Path(Timeline(flatten([], 0.0001)), self._rng, jitter=0.0001, loss=0.0)
            refuses = flatten([], 0.0001)[0]._replace(state=State.KILLED)
            paths["self:11434"] = Path(Timeline([refuses]), self._rng, jitter=0.0, loss=0.0)
        return paths

    def _entrants(self) -> list[Entrant]:
        found = [
            Entrant(key_of(host.name), self.paths[key_of(host.name)], host.tier, host.jitter / 1000)
            for host in self.world.hosts
        ]
        if self.world.local:
            found.append(Entrant("local:11434", self.paths["local:11434"], LAST_TIER, 0.0))
        return found

    # --- the script

    def _lines(self, fate: Fate) -> list[tuple[float, Act, tuple[object, ...]]]:
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
        lines += [(at, self._step_wall_clock, ()) for at in self.now_and_then(self.world.steps)]
        return lines

    def now_and_then(self, a_day: float) -> list[float]:
        """Times, so many a day on average."""
        found: list[float] = []
        while a_day and (found[-1] if found else 0.0) < self.days * budgets.DAY:
            found.append((found[-1] if found else 0.0) + self._rng.expovariate(a_day / budgets.DAY))
        return found[:-1]

    def expect(self, lines: list[tuple[float, Act, tuple[object, ...]]]) -> None:
        """Write these into what is still to come."""
        self._script = sorted([*self._script[self._place :], *lines], key=lambda line: line[0])
        self._place, self.upcoming = 0, self._script[0][0] if self._script else _NEVER

    def happen(self) -> None:
        """The next line comes true."""
        _, act, more = self._script[self._place]
        self._place += 1
        self.upcoming = self._script[self._place][0] if self._place < len(self._script) else _NEVER
        act(*more)

    def _enter(self, key: str, place: int) -> None:
        """A host enters a phase."""
        path, now = self.paths[key], self._subject.now
        was = path.timeline.phase.state
        path.timeline.enter(place)
        self.referee.truth(now, key, watched=self._subject.sentinel.stands_on == key)
        if path.timeline.phase.state is not was:
            self._subject.sentinel.changed(key)
        self._epoch += 1
        self._subject.after(budgets.SETTLED, self._check_settled, self._epoch)

    def _check_settled(self, epoch: int) -> None:
        now = self._subject.now
        if epoch == self._epoch and (again := self.referee.settled(now)) is not None:
            self._subject.after(again - now, self._check_settled, epoch)

    def _hint(self, name: str, online: bool) -> None:  # noqa: FBT001 - an event's argument
        self.note("hint: online" if online else "hint: offline", name)
        self._online[name] = online
        self._subject.rung()

    def _tailscaled(self, absence: Absence | None) -> None:
        self.note("tailscaled", absence.word if absence else "runs")
        self.away = absence
        self._subject.rung()

    def _step_wall_clock(self) -> None:
        by = self._rng.choice(HOURS) * 3600
        self.note("the wall clock is set", by)
        self.wall_offset += by
        self._subject.stepped()

    def _sleep(self, until: float) -> None:
        """The machine under test is suspended, while the world goes on."""
        now = self._subject.now
        self.note("sleeps", f"{until - now - self.shift:.0f} s")
        self._subject.suspended()
        while self.upcoming <= until:
            self.shift = max(self.shift, self.upcoming - now)
            self.happen()
        self.shift = max(self.shift, until - now)
        self._subject.woken()

    # --- what can be asked

    def note(self, event: str, more: object) -> None:
        """For whoever wants to know what happened before."""
        self.referee.events.append((self._subject.now, event, more))

    def wall(self) -> float:
        """What the machine's wall clock shows."""
        return EPOCH + self._subject.now + self.shift + self.wall_offset

    def path(self, key: str) -> Path:
        """The way to a server that may be asked."""
        if key not in self.paths:
            self.referee.fail(self._subject.now, f"an untrusted server is asked: {key}")
        return self.paths[key]

    def key_at(self, url: str) -> str:
        """Whose URL it is; nobody's that can be trusted: no key of an entrant."""
        return self._keys.get(url, f"untrusted {url}")

    def urls(self) -> list[str]:
        """Of the servers that may be published."""
        return list(self._keys)

    def prefer(self) -> tuple[str, ...]:
        """The user's order, empty where there is none."""
        tiers = sorted(self.world.hosts, key=lambda host: host.tier)
        return tuple(host.name for host in tiers) if any(host.tier for host in tiers) else ()

    def settings(self) -> Settings:
        """What of the user's config decides."""
        prefer, local = tuple(parse_pattern(name) for name in self.prefer()), self.world.local
        policy = Policy((11434,), prefer=prefer, use_local=local, check_self=local)
        return Settings(policy, interval=30.0, local=Local.AUTO if local else Local.OFF)

    def look(self) -> Tailnet | Unavailable:
        """What tailscale says now."""
        if self.away is not None:
            return Unavailable(self.away)
        key = tuple(self._online.values())
        if key not in self._looks:
            peers = [
                _peer(host.name, place, self._online.get(host.name, False)) for place, host in enumerate(self._hosts, 2)
            ]
            peers.append(_peer(UNTRUSTED, 60_000, online=True))
            self._looks[key] = Tailnet(_peer("laptop", 1, online=True), tuple(peers), "tail-lab.ts.net", tun=True)
        return self._looks[key]


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
        addresses=(_address(number),),
        online=online,
        expired=False,
        shared_out=False,
        shared_in=False,
        path="direct",
    )


def _address(number: int) -> str:
    return f"100.64.{number // 250}.{number % 250 + 1}"
