"""What becomes of each server, told in advance: spells of trouble, flattened to phases.

A *spell* is one trouble with its beginning and end; *phases* follow each other without a gap. Times are seconds
of the world's clock, which goes on while the machine under test sleeps.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from enum import Enum
from random import Random
from typing import NamedTuple

DAY = 86_400.0


class State(Enum):
    """How a server behaves; of two troubles at once the later in this list shows."""

    UP = 0
    HUNG = 1
    """It accepts and never answers; connections stay."""
    CLOSED = 2
    """`tailscale serve` accepts for a dead one, and closes."""
    KILLED = 3
    """Its machine refuses."""
    SILENT = 4
    """Off, asleep, or the path to it is broken."""


class Spell(NamedTuple):
    """From `start` to `end`: a state, another round trip, or answers that take about `busy` seconds."""

    start: float
    end: float
    state: State = State.UP
    rtt: float | None = None
    busy: float = 0.0


class Phase(NamedTuple):
    """Until the next one begins."""

    start: float
    state: State
    rtt: float
    busy: float


Fault = Callable[[Random, float], Iterable[Spell]]
"""Draws the spells of one server, or of the path to all, until a horizon."""


def flatten(spells: Iterable[Spell], rtt: float) -> list[Phase]:
    """The phases of a server whose round trip is `rtt` where no spell says otherwise."""
    known = sorted(spells, key=lambda spell: spell.start)
    phases = [Phase(0.0, State.UP, rtt, 0.0)]
    active: list[Spell] = []
    place = 0
    for at in sorted({time for spell in known for time in (spell.start, spell.end)}):
        while place < len(known) and known[place].start <= at:
            active.append(known[place])
            place += 1
        active = [spell for spell in active if spell.end > at]
        state = max((spell.state for spell in active), key=lambda one: one.value, default=State.UP)
        slower = next((spell.rtt for spell in reversed(active) if spell.rtt is not None), rtt)
        phase = Phase(at, state, slower, max((spell.busy for spell in active), default=0.0))
        if phase[1:] != phases[-1][1:]:
            phases.append(phase)
    return phases


class Timeline:
    """The phases of one server, asked for any time, mostly for now."""

    def __init__(self, phases: list[Phase]) -> None:
        self.phases = phases
        self._starts = [phase.start for phase in phases]
        self.phase = phases[0]
        self.until = self._starts[1] if len(phases) > 1 else float("inf")

    def enter(self, place: int) -> None:
        """Time has come to this phase."""
        self.phase = self.phases[place]
        self.until = self._starts[place + 1] if place + 1 < len(self.phases) else float("inf")

    def at(self, time: float) -> Phase:
        """The phase at any time."""
        if self.phase.start <= time < self.until:
            return self.phase
        return self.phases[max(0, bisect_right(self._starts, time) - 1)]


# --- faults, by name


def times_a_day(count: float, lasts: tuple[float, float], state: State) -> Fault:
    """So often on average, for a time between two bounds."""

    def spells(rng: Random, horizon: float) -> Iterable[Spell]:
        at = rng.expovariate(count / DAY)
        while at < horizon:
            length = rng.uniform(*lasts)
            yield Spell(at, at + length, state)
            at += length + rng.expovariate(count / DAY)

    return spells


def in_turns(up: float, down: float, state: State, spread: float = 0.1) -> Fault:
    """Up and down by turns, each a little longer or shorter: a Mac in Power Nap is awake 30 s and asleep 15 min."""

    def spells(rng: Random, horizon: float) -> Iterable[Spell]:
        at = rng.uniform(0, up + down)
        while at < horizon:
            length = down * rng.uniform(1 - spread, 1 + spread)
            yield Spell(at, at + length, state)
            at += length + up * rng.uniform(1 - spread, 1 + spread)

    return spells


def every_night(start: float, end: float, state: State = State.SILENT) -> Fault:
    """From one hour of the day to another of the next, half an hour earlier or later."""

    def spells(rng: Random, horizon: float) -> Iterable[Spell]:
        for day in range(int(horizon / DAY) + 1):
            begins = (day * 24 + start + rng.uniform(-0.5, 0.5)) * 3600
            yield Spell(begins, (day * 24 + 24 + end + rng.uniform(-0.5, 0.5)) * 3600, state)

    return spells


def from_day(day: float, state: State = State.SILENT) -> Fault:
    """Gone for good."""
    return lambda _rng, _horizon: [Spell(day * DAY, float("inf"), state)]


def drift(low: float, high: float, days: float, step: float = 900.0) -> Fault:
    """The round trip goes from one bound (seconds) to the other and back, evenly, in so many days."""

    def spells(rng: Random, horizon: float) -> Iterable[Spell]:
        phase = rng.random()
        for place in range(int(horizon / step) + 1):
            turn = (place * step / (days * DAY) + phase) % 1.0
            height = 2 * min(turn, 1 - turn)
            yield Spell(place * step, (place + 1) * step, rtt=low + (high - low) * height)

    return spells


def busy_hours(a_day: float, answers: tuple[float, float]) -> Fault:
    """For an hour its answers take seconds, while its kernel accepts at once."""

    def spells(rng: Random, horizon: float) -> Iterable[Spell]:
        at = rng.expovariate(a_day / DAY)
        while at < horizon:
            yield Spell(at, at + 3600, busy=rng.uniform(*answers))
            at += 3600 + rng.expovariate(a_day / DAY)

    return spells
