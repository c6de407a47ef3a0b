"""What a world consists of: the servers, what befalls them, and what befalls the machine under test."""

from dataclasses import dataclass
from random import Random

from .timeline import DAY, Fault, Phase, Spell, State, flatten

NOTICED_OFFLINE = (20.0, 60.0)
"""The control server calls a silent peer offline after this many seconds ..."""

NOTICED_ONLINE = (0.3, 2.0)
"""... and one that is back online after this many."""

WIFI = (0.5, 5.0)
"""A machine that wakes has its network back after this many seconds."""


@dataclass(frozen=True)
class Host:
    """A server. `rtt`, `jitter` (the scale of a heavy tail) in milliseconds, `loss` a share of the round trips."""

    name: str
    rtt: float
    faults: tuple[Fault, ...] = ()
    jitter: float = 0.5
    loss: float = 0.0
    tier: int = 0
    """Its place in `prefer`, 0 the first; all are 0 where the world has no order."""


@dataclass(frozen=True)
class Site:
    """Hosts that share a fate: one power strip, one uplink."""

    names: tuple[str, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class World:
    """A named world. `days` is how much of 3,000 it gets.

    `path`: faults of the way to everybody. `sleeps`: when this machine is suspended. `restarts`: when tailscaled
    is away here. `strangers`: peers that never answer. `rings`: tailscaled says when something changes; else it
    is asked every 30 s.
    """

    name: str
    days: float
    hosts: tuple[Host, ...]
    sites: tuple[Site, ...] = ()
    path: tuple[Fault, ...] = ()
    sleeps: tuple[Fault, ...] = ()
    restarts: tuple[Fault, ...] = ()
    strangers: int = 0
    rings: bool = True
    local: bool = False
    """This machine has an Ollama of its own, which is the last resort."""

    steps: float = 0.0
    """The wall clock is set by hours, so many times a day."""

    stalls: float = 0.0
    """The program under test is not run for some seconds, so many times a day (with the real loop only, as below)."""

    requests: float = 0.0
    """Programs ask for a refresh, or report a failure, so many times a day."""

    rewrites: float = 0.0
    """The user edits the config so many times a day."""

    history: bool = False
    stationary: bool = True
    """Nothing happens for which a person would change: one change a day at most."""

    share: float = 0.99
    why_less: str = ""
    """What in the world's nature forbids 99 %."""


@dataclass(frozen=True)
class Fate:
    """A world's future, drawn from a seed. Phases by host, the hints of the control server, this machine's spells."""

    phases: dict[str, list[Phase]]
    hints: list[tuple[float, str, bool]]
    sleeps: list[Spell]
    restarts: list[Spell]
    path: list[Spell]
    falls: dict[str, list[Spell]]
    """The times in which a host is down by its own fault."""


def draw(world: World, seed: int, days: float) -> Fate:
    """What will happen in `days`."""
    rng, horizon = Random(f"{world.name} {seed}"), days * DAY
    sleeps = _apart(_spells(world.sleeps, rng, horizon))
    restarts = _apart(_spells(world.restarts, rng, horizon))
    path = _spells(world.path, rng, horizon)
    path += [Spell(one.start, one.end + rng.uniform(*WIFI), State.SILENT) for one in (*sleeps, *restarts)]
    phases, falls = {}, {}
    shared = [(site.names, _spells(site.faults, rng, horizon)) for site in world.sites]
    hints: list[tuple[float, str, bool]] = []
    for host in world.hosts:
        own = _spells(host.faults, rng, horizon)
        own += [spell for names, spells in shared if host.name in names for spell in spells]
        phases[host.name] = flatten([*own, *path], host.rtt / 1000)
        downs = falls[host.name] = _downs(flatten(own, host.rtt / 1000))
        for down in downs:
            after = rng.uniform(*NOTICED_OFFLINE)
            if down.state is State.SILENT and down.end - down.start > after:
                hints += [
                    (down.start + after, host.name, False),
                    (down.end + rng.uniform(*NOTICED_ONLINE), host.name, True),
                ]
    return Fate(phases, hints, sleeps, restarts, path, falls)


def _apart(spells: list[Spell]) -> list[Spell]:
    """The same time, with one spell where several overlap."""
    found: list[Spell] = []
    for spell in spells:
        if found and spell.start <= found[-1].end:
            found[-1] = found[-1]._replace(end=max(found[-1].end, spell.end))
        else:
            found.append(spell)
    return found


def _spells(faults: tuple[Fault, ...], rng: Random, horizon: float) -> list[Spell]:
    return sorted((spell for fault in faults for spell in fault(rng, horizon)), key=lambda spell: spell.start)


def _downs(phases: list[Phase]) -> list[Spell]:
    found: list[Spell] = []
    for phase, after in zip(phases, [*phases[1:], None], strict=True):
        if phase.state is not State.UP:
            found.append(Spell(phase.start, after.start if after else float("inf"), phase.state))
    return found
