"""When a server is asked again, as a table of what is known of it."""

import pytest

from ollama_locate.core.cadence import batch_until, look_wait, wait
from ollama_locate.core.health import Health, Status
from ollama_locate.core.outcome import Outcome

UP = Health(Status.UP, answered_at=1.0)
NEVER = Health(Status.DOWN)
FELL = Health(Status.DOWN, answered_at=1.0)
RISING = Health(Status.DOWN, rises=1, answered_at=1.0)


def doubt(misses: int) -> Health:
    return Health(Status.UP, misses=misses, suspect_since=1.0, answered_at=1.0)


@pytest.mark.parametrize(
    ("health", "outcome", "repeats", "online", "seconds"),
    [
        pytest.param(UP, Outcome.ALIVE, 0, True, 30.0, id="a healthy one: the interval"),
        pytest.param(UP, Outcome.ALIVE, 0, False, 30.0, id="whatever the control plane thinks of it"),
        pytest.param(RISING, Outcome.ALIVE, 0, True, 0.4, id="one answer after a fall: at once"),
        pytest.param(doubt(1), Outcome.SILENT, 1, True, 0.4, id="the first failure: at once"),
        pytest.param(doubt(2), Outcome.REFUSED, 2, True, 0.4, id="the second failure: at once"),
        pytest.param(doubt(3), Outcome.SILENT, 3, True, 0.4, id="the third, and nobody answers"),
        pytest.param(doubt(6), Outcome.SILENT, 6, True, 3.2, id="more and more slowly while nobody answers"),
        pytest.param(doubt(60), Outcome.SILENT, 60, True, 30.0, id="but no more slowly than the interval"),
        pytest.param(NEVER, Outcome.REFUSED, 1, True, 30.0, id="it refuses: someone may start it any minute"),
        pytest.param(NEVER, Outcome.REFUSED, 2, True, 60.0, id="still"),
        pytest.param(NEVER, Outcome.REFUSED, 9, False, 60.0, id="a minute at most, online or not"),
        pytest.param(NEVER, Outcome.NOT_OLLAMA, 9, True, 60.0, id="something else answers: a minute at most"),
        pytest.param(NEVER, Outcome.EMPTY, 9, True, 60.0, id="it accepts and says nothing: a minute at most"),
        pytest.param(NEVER, Outcome.FORBIDDEN_HOST, 9, True, 60.0, id="403: a minute at most"),
        pytest.param(NEVER, Outcome.ERROR, 9, True, 60.0, id="an error: a minute at most"),
        pytest.param(NEVER, Outcome.SILENT, 1, True, 30.0, id="silent once"),
        pytest.param(NEVER, Outcome.SILENT, 4, True, 240.0, id="silent again and again"),
        pytest.param(NEVER, Outcome.SILENT, 5000, True, 900.0, id="silent for ever: a quarter of an hour"),
        pytest.param(NEVER, Outcome.SILENT, 1, False, 900.0, id="silent and said to be offline: at once so"),
        pytest.param(FELL, Outcome.SILENT, 99, False, 60.0, id="it answered before, so it is wanted back"),
    ],
)
def test_when_a_server_is_asked_again(
    health: Health, outcome: Outcome, repeats: int, seconds: float, *, online: bool
) -> None:
    assert wait(health, outcome, repeats, interval=30.0, online=online, jitter=0.0) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("health", "outcome", "repeats", "online"),
    [
        pytest.param(NEVER, Outcome.REFUSED, 9, True, id="refusing"),
        pytest.param(NEVER, Outcome.SILENT, 1, True, id="silent"),
        pytest.param(NEVER, Outcome.SILENT, 1, False, id="offline"),
        pytest.param(FELL, Outcome.SILENT, 9, True, id="lost"),
    ],
)
def test_nobody_is_asked_more_often_than_the_interval_says(
    health: Health, outcome: Outcome, repeats: int, *, online: bool
) -> None:
    assert wait(health, outcome, repeats, interval=3600.0, online=online, jitter=0.0) == 3600.0


@pytest.mark.parametrize(("jitter", "seconds"), [(-1.0, 27.0), (0.0, 30.0), (1.0, 33.0)])
def test_waits_are_spread_by_a_tenth(jitter: float, seconds: float) -> None:
    assert wait(UP, Outcome.ALIVE, 0, interval=30.0, online=True, jitter=jitter) == pytest.approx(seconds)


def test_one_that_is_wanted_is_asked_often_though_it_never_answered() -> None:
    seconds = [
        wait(NEVER, Outcome.SILENT, 99, interval=30.0, online=False, jitter=0.0, wanted=wanted)
        for wanted in (True, False)
    ]
    assert seconds == [60.0, 900.0]


def test_what_decides_at_once_is_not_spread() -> None:
    assert wait(doubt(1), Outcome.SILENT, 1, interval=30.0, online=True, jitter=1.0) == 0.4


@pytest.mark.parametrize(
    ("cpu", "jitter", "away", "seconds"),
    [
        pytest.param(0.012, 0.0, False, 30.0, id="a small tailnet: the interval"),
        pytest.param(0.012, 1.0, False, 33.0, id="spread"),
        pytest.param(0.9, 0.0, False, 90.0, id="a large one: a hundred times what it cost"),
        pytest.param(0.012, 0.0, True, 10.0, id="tailscaled does not run: it may be back any moment"),
        pytest.param(0.9, 0.0, True, 90.0, id="that may not cost more either"),
    ],
)
def test_looking_costs_less_than_a_hundredth_of_a_core(
    cpu: float, jitter: float, seconds: float, *, away: bool
) -> None:
    assert look_wait(30.0, cpu, jitter, away=away) == pytest.approx(seconds)


@pytest.mark.parametrize(("interval", "until"), [(30.0, 106.0), (5.0, 101.0), (3600.0, 110.0)])
def test_servers_due_at_nearly_the_same_time_are_asked_together(interval: float, until: float) -> None:
    assert batch_until(100.0, interval) == pytest.approx(until)
