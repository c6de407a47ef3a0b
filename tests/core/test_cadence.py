"""When a server is asked again, as a table of what is known of it."""

import pytest

from ollama_locate.core.cadence import Place, batch_until, look_wait, until_it_returns, wait
from ollama_locate.core.health import Health, Status
from ollama_locate.core.outcome import Outcome, Probe

UP = Health(Status.UP, answered_at=1.0)
NEVER = Health(Status.DOWN)
FELL = Health(Status.DOWN, answered_at=1.0)
RISING = Health(Status.DOWN, rises=1, answered_at=1.0)


def when(health: Health, outcome: Outcome, repeats: int, place: Place, interval: float = 30.0) -> float:
    return wait(health, Probe(outcome, 0.0), repeats, place, interval=interval, jitter=0.0)


def doubt(misses: int) -> Health:
    return Health(Status.UP, misses=misses, suspect_since=1.0, answered_at=1.0)


@pytest.mark.parametrize(
    ("health", "outcome", "repeats", "online", "seconds"),
    [
        pytest.param(UP, Outcome.ALIVE, 0, True, 30.0, id="a healthy one: the interval"),
        pytest.param(UP, Outcome.ALIVE, 0, False, 30.0, id="whatever the control plane thinks of it"),
        pytest.param(RISING, Outcome.ALIVE, 0, True, 0.4, id="one answer after a fall: at once"),
        pytest.param(doubt(1), Outcome.SILENT, 1, True, 0.0, id="a silence: the check that confirms it, at once"),
        pytest.param(doubt(1), Outcome.REFUSED, 1, True, 0.05, id="a refusal: almost at once"),
        pytest.param(doubt(2), Outcome.EMPTY, 2, True, 0.05, id="it closed the connection: almost at once"),
        pytest.param(doubt(1), Outcome.BUSY, 1, True, 0.4, id="no answer on a connection that stands: soon"),
        pytest.param(doubt(1), Outcome.ERROR, 1, True, 0.4, id="an error: soon"),
        pytest.param(doubt(3), Outcome.SILENT, 3, True, 0.4, id="the third, and nobody answers"),
        pytest.param(doubt(6), Outcome.SILENT, 6, True, 3.2, id="more and more slowly while nobody answers"),
        pytest.param(doubt(60), Outcome.SILENT, 60, True, 30.0, id="but no more slowly than the interval"),
        pytest.param(NEVER, Outcome.REFUSED, 1, True, 30.0, id="it refuses: someone may start it any minute"),
        pytest.param(NEVER, Outcome.REFUSED, 2, True, 60.0, id="still"),
        pytest.param(NEVER, Outcome.REFUSED, 9, False, 60.0, id="a minute at most, online or not"),
        pytest.param(NEVER, Outcome.NOT_OLLAMA, 9, True, 60.0, id="something else answers: a minute at most"),
        pytest.param(NEVER, Outcome.EMPTY, 9, True, 60.0, id="it accepts and closes: a minute at most"),
        pytest.param(NEVER, Outcome.BUSY, 9, True, 60.0, id="it accepts and says nothing: a minute at most"),
        pytest.param(NEVER, Outcome.FORBIDDEN_HOST, 9, True, 60.0, id="403: a minute at most"),
        pytest.param(NEVER, Outcome.ERROR, 9, True, 60.0, id="an error: a minute at most"),
        pytest.param(NEVER, Outcome.SILENT, 1, True, 30.0, id="silent once"),
        pytest.param(NEVER, Outcome.SILENT, 4, True, 240.0, id="silent again and again"),
        pytest.param(NEVER, Outcome.SILENT, 5000, True, 900.0, id="silent for ever: a quarter of an hour"),
        pytest.param(NEVER, Outcome.SILENT, 1, False, 900.0, id="silent and said to be offline: at once so"),
        pytest.param(FELL, Outcome.SILENT, 99, True, 60.0, id="it answered before, so it is wanted back"),
        pytest.param(FELL, Outcome.SILENT, 99, False, 300.0, id="but tailscale says when it comes online"),
    ],
)
def test_when_a_server_is_asked_again(
    health: Health, outcome: Outcome, repeats: int, seconds: float, *, online: bool
) -> None:
    assert when(health, outcome, repeats, Place(online=online)) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("health", "outcome", "place", "seconds"),
    [
        pytest.param(UP, Outcome.ALIVE, Place(relayed=True), 60.0, id="by a relay: gently"),
        pytest.param(UP, Outcome.ALIVE, Place(relayed=True, wanted=True), 30.0, id="the current one by a relay"),
        pytest.param(UP, Outcome.ALIVE, Place(crowd=10_000), 30.0, id="a live one among 10,000"),
        pytest.param(NEVER, Outcome.REFUSED, Place(crowd=100), 60.0, id="a stranger among 100"),
        pytest.param(NEVER, Outcome.REFUSED, Place(crowd=5000), 500.0, id="5,000 strangers share ten checks a second"),
        pytest.param(NEVER, Outcome.REFUSED, Place(crowd=50_000), 900.0, id="but each has its turn in a quarter hour"),
        pytest.param(FELL, Outcome.SILENT, Place(crowd=5000), 60.0, id="a known one does not wait for strangers"),
        pytest.param(UP, Outcome.ALIVE, Place(turn=900.0), 900.0, id="many share it: this machine's turn"),
        pytest.param(FELL, Outcome.REFUSED, Place(turn=900.0), 900.0, id="whatever it said"),
        pytest.param(UP, Outcome.ALIVE, Place(turn=31.0, relayed=True), 60.0, id="by a relay: gently, though it is"),
        pytest.param(FELL, Outcome.REFUSED, Place(again=100.0), 100.0, id="thousands have no server: not all at once"),
        pytest.param(doubt(60), Outcome.SILENT, Place(again=100.0), 100.0, id="thousands doubt it: the same"),
    ],
)
def test_where_a_server_is_says_how_often_it_is_asked(
    health: Health, outcome: Outcome, place: Place, seconds: float
) -> None:
    assert when(health, outcome, 9, place) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("away", "seconds"),
    [
        pytest.param(0.0, 2.0, id="just lost"),
        pytest.param(60.0, 2.0, id="for a minute"),
        pytest.param(600.0, 12.0, id="for ten minutes: 2 % of that"),
        pytest.param(86_400.0, 30.0, id="for a day: no more slowly than the interval"),
    ],
)
def test_the_last_good_one_is_asked_the_more_often_the_shorter_it_is_away(away: float, seconds: float) -> None:
    assert until_it_returns(away, 30.0) == pytest.approx(seconds)


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
    assert when(health, outcome, repeats, Place(online=online), interval=3600.0) == 3600.0


@pytest.mark.parametrize(("jitter", "seconds"), [(-1.0, 27.0), (0.0, 30.0), (1.0, 33.0)])
def test_waits_are_spread_by_a_tenth(jitter: float, seconds: float) -> None:
    assert wait(UP, Probe(Outcome.ALIVE, 0.0), 0, Place(), interval=30.0, jitter=jitter) == pytest.approx(seconds)


def test_one_that_is_wanted_is_asked_often_though_it_never_answered() -> None:
    seconds = [when(NEVER, Outcome.SILENT, 99, Place(online=False, wanted=wanted)) for wanted in (True, False)]
    assert seconds == [60.0, 900.0]


def test_what_decides_at_once_is_not_spread() -> None:
    assert wait(doubt(1), Probe(Outcome.BUSY, 0.0), 1, Place(), interval=30.0, jitter=1.0) == 0.4


@pytest.mark.parametrize(
    ("cpu", "jitter", "away", "rings", "seconds"),
    [
        pytest.param(0.012, 0.0, False, False, 30.0, id="a small tailnet: the interval"),
        pytest.param(0.012, 1.0, False, False, 33.0, id="spread"),
        pytest.param(0.9, 0.0, False, False, 90.0, id="a large one: a hundred times what it cost"),
        pytest.param(0.012, 0.0, True, False, 10.0, id="tailscaled does not run: it may be back any moment"),
        pytest.param(0.9, 0.0, True, False, 90.0, id="that may not cost more either"),
        pytest.param(0.012, 0.0, False, True, 300.0, id="tailscaled rings: a safety net"),
        pytest.param(0.012, 0.0, True, True, 10.0, id="it rings, and does not run"),
    ],
)
def test_looking_costs_less_than_a_hundredth_of_a_core(
    cpu: float, jitter: float, seconds: float, *, away: bool, rings: bool
) -> None:
    assert look_wait(30.0, cpu, jitter, away=away, rings=rings) == pytest.approx(seconds)


@pytest.mark.parametrize(("interval", "until"), [(30.0, 106.0), (5.0, 101.0), (3600.0, 110.0)])
def test_servers_due_at_nearly_the_same_time_are_asked_together(interval: float, until: float) -> None:
    assert batch_until(100.0, interval) == pytest.approx(until)
