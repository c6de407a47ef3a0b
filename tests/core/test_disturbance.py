"""What two looks at the clocks tell."""

import pytest

from ollama_locate.core.constants import SLEEP, STALL
from ollama_locate.core.disturbance import Disturbance, Reading, compare

BEFORE = Reading(1000.0, 5000.0, 1.7e9)


@pytest.mark.parametrize(
    ("awake", "asleep", "set_by", "want"),
    [
        pytest.param(2.0, 0.0, 0.0, None, id="nothing"),
        pytest.param(2.4, 0.0, 0.1, None, id="a busy machine, and a clock that is slewed"),
        pytest.param(2.0, 28_800.0, 0.0, Disturbance(slept=28_800.0), id="it slept for eight hours"),
        pytest.param(62.0, 0.0, 0.0, Disturbance(stalled=60.0), id="the program was stopped for a minute"),
        pytest.param(5.0, 0.0, 0.0, Disturbance(stalled=3.0), id="the disk held it up"),
        pytest.param(2.0, 0.0, -3600.0, Disturbance(stepped=-3600.0), id="the wall clock went back an hour"),
        pytest.param(2.0, 0.0, 28_800.0, Disturbance(stepped=28_800.0), id="it went forward"),
        pytest.param(2.0, 60.0, 5.0, Disturbance(slept=60.0, stepped=5.0), id="it slept, and was set on waking"),
        pytest.param(2.0 + STALL, 0.0, 0.0, Disturbance(stalled=STALL), id="just late enough"),
        pytest.param(2.0, -3600.0, 0.0, None, id="a boot clock that goes back is no sleep"),
    ],
)
def test_what_happened(awake: float, asleep: float, set_by: float, want: Disturbance | None) -> None:
    now = Reading(BEFORE.monotonic + awake, BEFORE.boot + awake + asleep, BEFORE.wall + awake + asleep + set_by)
    found = compare(BEFORE, now, expected=2.0)
    assert (found and tuple(round(part, 3) for part in found)) == (want and tuple(want))


@pytest.mark.parametrize(
    ("disturbance", "long", "text"),
    [
        pytest.param(
            Disturbance(slept=28_800.0),
            True,
            "this machine slept for 28800 s: everything is looked at again",
            id="sleep",
        ),
        pytest.param(
            Disturbance(stalled=3.0),
            False,
            "this program stood still for 3.0 s: what failed meanwhile is asked again",
            id="a stall",
        ),
        pytest.param(
            Disturbance(stepped=-3600.0),
            False,
            "the wall clock was set back by 3600 s: the jobs are armed anew",
            id="back",
        ),
        pytest.param(
            Disturbance(stalled=SLEEP),
            True,
            f"this program stood still for {SLEEP:.1f} s: everything is looked at again",
            id="a long stall",
        ),
        pytest.param(
            Disturbance(slept=SLEEP),
            True,
            f"this machine slept for {SLEEP:.0f} s: everything is looked at again",
            id="a nap",
        ),
        pytest.param(
            Disturbance(stepped=0.6),
            False,
            "the wall clock was set forward by 1 s: the jobs are armed anew",
            id="a little forward",
        ),
        pytest.param(
            Disturbance(stepped=-0.6),
            False,
            "the wall clock was set back by 1 s: the jobs are armed anew",
            id="a little back",
        ),
        pytest.param(
            Disturbance(slept=60.0, stepped=5.0),
            True,
            "this machine slept for 60 s, and the wall clock was set forward by 5 s: everything is looked at again",
            id="both",
        ),
    ],
)
def test_it_is_said_in_a_sentence(disturbance: Disturbance, text: str, *, long: bool) -> None:
    assert (disturbance.long, disturbance.text()) == (long, text)
