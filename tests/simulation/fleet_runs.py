"""`python -m tests.simulation.fleet_runs near|alike [MEMBERS BOXES ONE_IN]`: what a fleet asks (`make fleet`).

`near`: every member uses what is near. `alike`: the whole fleet prefers the same servers in the same order, which is
the worst there is. One in so many members lives, and counts for all of those: each has a lot of its own, so that what
they ask adds up. The figures of docs/scale.md are from here.
"""

import gc
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from ollama_locate.core.constants import REQUESTS_A_CHECK, SURGE_A_SECOND

from .fleet import Box, Fleet, Member
from .referee import ViolationError

HOUR: Final = 3600.0
MINUTE: Final = 60.0
LATE_SHARE: Final = 10
"""One in so many comes at nine."""

DEVIATIONS: Final = 5.0
"""Turns and places in a window are drawn: a count may exceed its mean by so many standard deviations."""

SLACK: Final = 2.0
"""Seconds of a failover besides the window: three checks of the dead one, and one of the next."""

SILENCE: Final = 6.0
"""Where it went silent: what is promised."""


@dataclass(frozen=True)
class Phase:
    """What servers saw between two times. `calm`: nothing happens."""

    name: str
    start: float
    end: float
    boxes: tuple[Box, ...]
    calm: bool = False


@dataclass(frozen=True)
class Failover:
    """Seconds from a server's end until each member that used it had published another one."""

    name: str
    seconds: Sequence[float]
    lost: int


@dataclass(frozen=True)
class Report:
    """What a life has shown."""

    phases: Sequence[Phase]
    failovers: Sequence[Failover]
    ages: Sequence[float]
    chosen: Counter[str | None]
    cpu: float


def near(members: int, boxes: int, one_in: int = 1) -> Report:
    """Ten sites; everybody uses what is near."""
    began = time.process_time()
    fleet = Fleet(members // one_in, boxes, members)
    late = fleet.members[::LATE_SHARE]
    everyone = tuple(fleet.boxes)
    _start(fleet, [one for one in fleet.members if one.number % LATE_SHARE], 1.0)
    fleet.run(3 * HOUR)
    _start(fleet, late, MINUTE)
    fleet.run(4 * HOUR)
    first, second = fleet.boxes[0], fleet.boxes[1]
    killed = _fall(fleet, "killed (reset)", first, fleet.kill)
    fleet.run(4.5 * HOUR)
    fleet.revive(first)
    unplugged = _fall(fleet, "unplugged (silence)", second, fleet.unplug)
    fleet.run(4.75 * HOUR)
    fleet.plug(second)
    fleet.run(5 * HOUR)
    for one in late:
        fleet.after(fleet.rng.uniform(0, MINUTE), one.wake)
    fleet.run(5.5 * HOUR)
    phases = [
        Phase("all start in one second", 0, 15 * MINUTE, everyone),
        Phase("calm", HOUR, 3 * HOUR, everyone, calm=True),
        Phase("a tenth starts within a minute", 3 * HOUR, 3.25 * HOUR, everyone),
        Phase("one server is killed: the others", 4 * HOUR, 4.25 * HOUR, (*everyone[1:],)),
        Phase("one is unplugged: the others", 4.5 * HOUR, 4.75 * HOUR, (everyone[0], *everyone[2:])),
        Phase("it comes online: itself", 4.75 * HOUR, 5 * HOUR, (second,)),
        Phase("a tenth wakes within a minute", 5 * HOUR, 5.25 * HOUR, everyone),
    ]
    return _report(fleet, phases, [killed, unplugged], began)


def alike(members: int, boxes: int, one_in: int = 1) -> Report:
    """Everybody prefers the same servers in the same order."""
    began = time.process_time()
    fleet = Fleet(members // one_in, boxes, members, ("box0", "box1", "box2", "box3"))
    _start(fleet, fleet.members, 1.0)
    fleet.run(2 * HOUR)
    killed = _fall(fleet, "all on one server, which is killed", fleet.boxes[0], fleet.kill)
    fleet.run(2.5 * HOUR)
    phases = [
        Phase("all on one server: calm", HOUR, 2 * HOUR, tuple(fleet.boxes), calm=True),
        Phase("it is killed: the next three", 2 * HOUR, 2.25 * HOUR, tuple(fleet.boxes[1:4])),
    ]
    return _report(fleet, phases, [killed], began)


def _start(fleet: Fleet, members: Sequence[Member], within: float) -> None:
    peers = fleet.peers()
    for one in members:
        fleet.after(fleet.rng.uniform(0, within), one.start, peers)


def _fall(fleet: Fleet, name: str, box: Box, falls: Callable[[Box], None]) -> Failover:
    """It falls now; a quarter of an hour later nobody may be on it."""
    users = {one.number for one in fleet.members if one.published == box.key}
    began, before = fleet.now, len(fleet.moved)
    falls(box)
    fleet.run(began + 0.25 * HOUR)
    seconds: dict[int, float] = {}
    for at, number, key in fleet.moved[before:]:
        if number in users and key not in ("", box.key):
            seconds.setdefault(number, at - began)
    return Failover(name, sorted(seconds.values()), len(users) - len(seconds))


def _report(fleet: Fleet, phases: Sequence[Phase], failovers: Sequence[Failover], began: float) -> Report:
    ages = sorted(age for one in fleet.members for age in one.ages())
    chosen = Counter(one.published for one in fleet.members)
    return Report(phases, failovers, ages, chosen, time.process_time() - began)


# --- figures


def busiest(counts: Counter[int], start: float, end: float, width: int) -> int:
    """The most checks in any of the spans of so many seconds."""
    spans: Counter[int] = Counter()
    for second, checks in counts.items():
        if start <= second < end:
            spans[int(second - start) // width] += checks
    return max(spans.values(), default=0)


def between(counts: Counter[int], start: float, end: float) -> int:
    """How many checks."""
    return sum(checks for second, checks in counts.items() if start <= second < end)


def lines(report: Report, one_in: int) -> Iterable[tuple[str, ...]]:
    """A line for each phase: requests that a server answered, on average, and where it was worst."""
    requests = REQUESTS_A_CHECK * one_in
    for one in report.phases:
        totals = [between(box.asked, one.start, one.end) * requests for box in one.boxes]
        an_hour = HOUR / (one.end - one.start)
        minute = max(busiest(box.asked, one.start, one.end, 60) for box in one.boxes) * requests
        second = max(busiest(box.asked, one.start, one.end, 1) for box in one.boxes) * requests
        mean, most = sum(totals) / len(totals), max(totals)
        shown = (mean * an_hour, most * an_hour) if one.calm else (mean, most)
        unit = "an hour" if one.calm else f"in {(one.end - one.start) / MINUTE:.0f} min"
        yield one.name, unit, f"{shown[0]:,.0f}", f"{shown[1]:,.0f}", f"{minute:,}", f"{second:,}"


def table(members: int, boxes: int, report: Report, one_in: int = 1) -> str:
    """What a person reads."""
    rows: list[tuple[str, ...]] = [("REQUESTS ON ONE SERVER", "", "MEAN", "MOST", "WORST MINUTE", "WORST SECOND")]
    rows += lines(report, one_in)
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    said = [f"{members:,} daemons, {boxes} servers"]
    said += [
        "  ".join([row[0].ljust(widths[0]), *(t.rjust(w) for t, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    for one in report.failovers:
        known = one.seconds
        said.append(
            f"{one.name}: {len(known) * one_in:,} daemons have another after {median(known):.2f} s (median), "
            f"{known[int(len(known) * 0.99)]:.2f} s (99 %), {known[-1]:.2f} s (the last)"
        )
    ages = report.ages
    said.append(
        f"an answer of a server that is not the chosen one is {ages[len(ages) // 2]:,.0f} s old (median), "
        f"{ages[-1]:,.0f} s (the oldest); the most used server is used by {max(report.chosen.values()) * one_in:,}; "
        f"one daemon in {one_in} was simulated, in {report.cpu:.0f} s of CPU"
    )
    return "\n".join(said)


def judge(members: int, report: Report, one_in: int = 1) -> None:
    """The bounds that are promised. Raises ViolationError."""
    for one in report.phases:
        for box in one.boxes:
            second = busiest(box.asked, one.start, one.end, 1)
            if second > _at_most(SURGE_A_SECOND / one_in):
                raise ViolationError(f"{one.name}: box{box.number} was checked {second} times in one second")
            if one.calm:
                _judge_calm(one, box, one_in)
    window = members / SURGE_A_SECOND
    for fall in report.failovers:
        if not fall.seconds or fall.lost:
            raise ViolationError(f"{fall.name}: {fall.lost} have no other server")
        silence = SILENCE if "silence" in fall.name else 0.0
        if fall.seconds[-1] > window + silence + SLACK:
            raise ViolationError(f"{fall.name}: the last one had another after {fall.seconds[-1]:.2f} s")
    if report.chosen[None]:
        raise ViolationError(f"{report.chosen[None]} have no server at the end")


def _judge_calm(phase: Phase, box: Box, one_in: int) -> None:
    """A request a second, over the whole and in each minute."""
    for width in (int(phase.end - phase.start), 60):
        checks = busiest(box.asked, phase.start, phase.end, width)
        if checks > _at_most(width / REQUESTS_A_CHECK / one_in):
            raise ViolationError(f"{phase.name}: box{box.number} was checked {checks} times in {width} s")


def _at_most(mean: float) -> float:
    return mean + DEVIATIONS * math.sqrt(mean)


LIVES: Final = {"near": near, "alike": alike}


def main() -> None:
    """Print it, or fail."""
    life = LIVES[sys.argv[1]]
    members, boxes, one_in = (int(word) for word in sys.argv[2:]) if len(sys.argv) > 2 else (10_000, 50, 5)
    gc.disable()  # nothing here is freed before the end
    report = life(members, boxes, one_in)
    print(table(members, boxes, report, one_in))
    judge(members, report, one_in)


if __name__ == "__main__":
    main()
