"""What happens to the machine of the daemon itself: it stands still, it sleeps, its clocks are set.

Several daemons share each disturbance: one of them cannot notice the others.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import re
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.real.clocks import HOUR, Clocks
from tests.real.figures import FULL, RUNS
from tests.real.namespaces import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.real.conftest import Daemons
    from tests.real.figures import Figures
    from tests.real.lab import Lab
    from tests.real.located import Located

pytestmark = pytest.mark.real

TOGETHER = min(RUNS, 5)
TIMES = -(-RUNS // TOGETHER)  # so many times one after the other, where that is quick
PAUSE = 60 if FULL else 20
FRESH = 3.0
ROUND = 5.0  # with an interval of 2 s, a round is over at the latest 2.2 s after the step was noticed
HEARTBEAT, LATE = 30.0, 5.0


def asked_again(several: list[Located], event: float, within: float) -> list[float]:
    """Wait until all have asked gpu since the event, and say so; return the seconds that each needed."""
    took: dict[Located, float] = {}

    def asked(located: Located) -> bool:
        moved = located.clocks.wall if located.clocks else 0.0
        state = located.state()
        fresh = state is not None and (state.decision.verdict, located.verdict()) == ("fresh", "fresh")
        # Set back, the clock has shown that time before: an hour ago is not since then.
        checked = state.server("gpu").checked_at if state else None
        since = dt.datetime.fromisoformat(checked).timestamp() - event - moved if checked else -1.0
        return fresh and 0.0 <= since < HOUR / 2

    def all_asked() -> bool:
        for located in several:
            if located not in took and asked(located):
                took[located] = time.time() - event
        return len(took) == len(several)

    until(all_asked, within, "gpu is asked again by all of them", every=0.01)
    return list(took.values())


def test_stopped_and_continued(lab: Lab, daemons: Daemons, figures: Figures) -> None:
    several = [daemons() for _ in range(TOGETHER)]
    for located in several:
        located.ready(lab.url("gpu"))
    with contextlib.ExitStack() as watching:
        seen = [watching.enter_context(located.watched()) for located in several]
        with contextlib.ExitStack() as pauses:
            for located in several:
                pauses.enter_context(located.paused())
            time.sleep(PAUSE)
            event = time.time()
        for seconds in asked_again(several, event, 40):
            figures.seconds(f"daemon stopped for {PAUSE} s -> asked again, fresh", seconds, FRESH)
    for endpoints in seen:
        figures.changes(f"daemon stopped for {PAUSE} s: changes", len(endpoints) - 1)


def test_what_died_while_the_daemon_was_stopped(lab: Lab, daemons: Daemons, figures: Figures) -> None:
    several = [daemons() for _ in range(TOGETHER)]
    for located in several:
        located.ready(lab.url("gpu"))
    with contextlib.ExitStack() as pauses:
        for located in several:
            pauses.enter_context(located.paused())
        time.sleep(11)
        with lab.ollama_killed("gpu"):
            event = time.time()
            pauses.close()
            for located in several:
                seconds = located.writes(lab.url("nas"), event, 40)
                figures.seconds("server killed while the daemon was stopped -> the other", seconds, FRESH)


class Jump(NamedTuple):
    """How the clocks move, and what the log says of it once."""

    what: str
    move: Callable[[Clocks, float], None]
    seconds: float
    goal: float
    sentence: str


JUMPS = [
    Jump("machine slept for 8 h", Clocks.sleep, 8 * HOUR, FRESH, r"slept for 288\d\d s"),
    Jump("wall clock set 8 h forward", Clocks.step, 8 * HOUR, ROUND, r"clock was set forward by 28[78]\d\d s"),
    Jump("wall clock set 1 h back", Clocks.step, -HOUR, ROUND, r"clock was set back by 3[56]\d\d s"),
]


def with_clocks(daemons: Daemons, **settings: str) -> tuple[Located, Clocks]:
    """Return a daemon whose clocks can be moved."""
    located = daemons(**settings)
    located.clocks = Clocks(located.folder / "clocks")
    return located, located.clocks


def said(located: Located) -> list[int]:
    """Return how often the log has named each kind of jump."""
    return [len(re.findall(jump.sentence, located.log())) for jump in JUMPS]


def all_said(several: list[Located], wanted: list[int]) -> bool:
    return [sum(said(located)) for located in several] == wanted


def test_clocks_jump(lab: Lab, daemons: Daemons, figures: Figures) -> None:
    """One after the other under the same daemons: rounds go on, nothing else is published, and the log says it."""
    several, clocks = zip(*(with_clocks(daemons, interval='"2s"') for _ in range(TOGETHER)), strict=True)
    for located in several:
        located.ready(lab.url("gpu"))
    with contextlib.ExitStack() as watching:
        seen = [watching.enter_context(located.watched()) for located in several]
        for number in range(TIMES * len(JUMPS)):
            jump = JUMPS[number % len(JUMPS)]
            event = time.time()
            for one in clocks:
                jump.move(one, jump.seconds)
            for seconds in asked_again(list(several), event, 10 * jump.goal):
                figures.seconds(f"{jump.what} -> asked again, fresh (interval 2 s)", seconds, jump.goal)
            wanted = [number + 1] * len(several)
            until(functools.partial(all_said, list(several), wanted), 10, f"the logs say: {jump.what}")
    for located, endpoints in zip(several, seen, strict=True):
        assert said(located) == [TIMES] * len(JUMPS)
        figures.changes("clocks jumped: changes", len(endpoints) - 1)


def test_the_heart_beats_on(lab: Lab, daemons: Daemons) -> None:
    """APScheduler's jobs are due by the wall clock; nothing but the heartbeat happens within the hour here."""
    quiet = {"interval": '"1h"', "deny": '["idle", "box", "empty"]', "local": '"off"'}
    several = [with_clocks(daemons, **quiet) for _ in JUMPS]
    for located, _ in several:
        located.ready(lab.url("gpu"))
    for jump, (_, clocks) in zip(JUMPS, several, strict=True):
        jump.move(clocks, jump.seconds)
    end = time.time() + HEARTBEAT + 2 * LATE
    beats = [located.beat() for located, _ in several]
    counts = [0] * len(several)
    while time.time() < end:
        for number, (located, _) in enumerate(several):
            if (beat := located.beat()) != beats[number]:
                beats[number], counts[number] = beat, counts[number] + 1
            assert time.time() - beat < HEARTBEAT + LATE, f"{JUMPS[number].what}: no heartbeat"
        time.sleep(0.1)
    assert min(counts) >= 1, counts
