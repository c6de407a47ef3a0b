"""Rise, fall, hold-down, and whose fault it was: each scenario is a row of answers and failures."""

import pytest

from ollama_locate.core.health import Health, Proof, Status, answered, doubted_anew, failed, forgiven, hold

OK, ALONE, LOCAL, BLAMED, FORGIVEN = "ok", Proof.NONE, Proof.LOOPBACK, Proof.NETWORK, "forgiven"
Event = str | Proof


def play(*events: Event, every: float = 1.0, start: float = 100.0) -> Health:
    """Each event is a probe's end, `every` seconds after the one before; sent 0.1 s earlier."""
    health, now = Health(), start
    for event in events:
        if isinstance(event, Proof):
            health = failed(health, now - 0.1, now, event)
        else:
            health = answered(health, now) if event == OK else forgiven(health, now)
        now += every
    return health


@pytest.mark.parametrize(
    ("events", "status"),
    [
        pytest.param((), Status.UNKNOWN, id="nothing is known of a new server"),
        pytest.param((OK,), Status.UP, id="one answer brings up what was never down"),
        pytest.param((ALONE,), Status.DOWN, id="what never answered is down at once"),
        pytest.param((ALONE, OK), Status.UP, id="the first answer ever brings it up all the same"),
        pytest.param((OK, BLAMED), Status.UP, id="one failure raises suspicion"),
        pytest.param((OK, BLAMED, BLAMED), Status.UP, id="so do two"),
        pytest.param((OK, BLAMED, BLAMED, BLAMED), Status.DOWN, id="three failures in a row bring it down"),
        pytest.param((OK, BLAMED, BLAMED, OK, BLAMED, BLAMED), Status.UP, id="an answer begins the row again"),
        pytest.param((OK, *[ALONE] * 50), Status.UP, id="while nobody answers, the fault may be ours"),
        pytest.param((OK, *[ALONE] * 50, BLAMED), Status.UP, id="when somebody answers, failures begin to count"),
        pytest.param((OK, *[ALONE] * 50, BLAMED, BLAMED), Status.DOWN, id="the first and two that count"),
        pytest.param((OK, LOCAL, LOCAL, LOCAL), Status.DOWN, id="this machine's answer is enough to leave it"),
        pytest.param((OK, *[BLAMED] * 3, OK), Status.DOWN, id="one answer after a fall is not enough"),
        pytest.param((OK, *[BLAMED] * 3, OK, OK), Status.UP, id="two are"),
        pytest.param((OK, *[BLAMED] * 3, OK, ALONE, OK), Status.DOWN, id="two that are not in a row are not"),
        pytest.param((OK, *[BLAMED] * 3, FORGIVEN, OK), Status.UP, id="after the network was away one is enough"),
    ],
)
def test_up_or_down(events: tuple[Event, ...], status: Status) -> None:
    assert play(*events).status is status


@pytest.mark.parametrize(
    ("events", "doubt"),
    [
        pytest.param((OK,), False, id="a healthy one"),
        pytest.param((OK, ALONE), True, id="it failed since"),
        pytest.param((OK, ALONE, OK), False, id="it answered again"),
        pytest.param((OK, *[BLAMED] * 3), False, id="it is down: no doubt is left"),
        pytest.param((ALONE,), False, id="it never was up"),
    ],
)
def test_doubt_is_of_the_healthy_only(events: tuple[Event, ...], *, doubt: bool) -> None:
    assert play(*events).in_doubt is doubt


@pytest.mark.parametrize(
    ("events", "wavers"),
    [
        pytest.param((), False, id="nobody knows it"),
        pytest.param((OK,), False, id="a healthy one"),
        pytest.param((OK, ALONE), True, id="it may be about to fall"),
        pytest.param((OK, ALONE, ALONE, ALONE), False, id="nobody answers: no check decides"),
        pytest.param((OK, *[BLAMED] * 3), False, id="it is down"),
        pytest.param((OK, *[BLAMED] * 3, OK), True, id="it may be about to rise"),
    ],
)
def test_it_wavers_while_the_next_check_may_decide(events: tuple[Event, ...], *, wavers: bool) -> None:
    assert play(*events).wavering is wavers


@pytest.mark.parametrize(
    ("events", "unsettled"),
    [
        pytest.param((OK,), False, id="a healthy one"),
        pytest.param((OK, ALONE), True, id="in doubt"),
        pytest.param((OK, *[BLAMED] * 3), False, id="it is down"),
        pytest.param((OK, *[BLAMED] * 3, OK), True, id="it has answered once since it fell"),
    ],
)
def test_a_pace_of_its_own_while_anything_is_to_be_settled(events: tuple[Event, ...], *, unsettled: bool) -> None:
    assert play(*events).unsettled is unsettled


@pytest.mark.parametrize(
    ("event", "hurried"),
    [
        pytest.param(BLAMED, True, id="somebody still answers"),
        pytest.param(LOCAL, True, id="or this machine does"),
        pytest.param(ALONE, False, id="all are silent again"),
        pytest.param(OK, False, id="it answers itself"),
    ],
)
def test_hurry_lasts_until_an_answer_or_another_silence_of_all(event: Event, *, hurried: bool) -> None:
    health = doubted_anew(play(OK, ALONE))
    health = failed(health, 103.0, 103.1, event) if isinstance(event, Proof) else answered(health, 103.1)
    assert health.hurried is hurried


def test_nobody_is_in_a_hurry_because_somebody_answered() -> None:
    assert not play(OK, ALONE, BLAMED).hurried


def test_suspicion_dates_from_when_the_first_failure_of_the_row_was_sent() -> None:
    assert play(OK, BLAMED, BLAMED, BLAMED, BLAMED).suspect_since == pytest.approx(100.9)
    assert play(OK, BLAMED, OK).suspect_since is None


@pytest.mark.parametrize(
    ("penalty", "seconds"),
    [(1.0, 60.0), (2.0, 120.0), (3.0, 240.0), (5.0, 960.0), (6.0, 1800.0), (5000.0, 1800.0), (0.5, 42.4)],
)
def test_the_hold_doubles_from_a_minute_to_half_an_hour(penalty: float, seconds: float) -> None:
    assert hold(penalty) == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize(
    ("events", "seconds"),
    [
        pytest.param((OK,), 0.0, id="who never fell is not held"),
        pytest.param((ALONE, OK, OK), 0.0, id="nor who was down from the start"),
        pytest.param((OK, *[BLAMED] * 3, OK, OK), 60.0, id="a fall costs a minute"),
        pytest.param((OK, *[BLAMED] * 3, OK, OK, *[BLAMED] * 3, OK, OK), 119.9, id="a second one two"),
        pytest.param((OK, *[LOCAL] * 3, OK, OK), 0.0, id="no blame where only this machine answered"),
    ],
)
def test_who_fell_is_held_when_it_rises(events: tuple[Event, ...], seconds: float) -> None:
    risen_at = 100.0 + len(events) - 1
    assert max(0.0, play(*events).held_until - risen_at) == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize(
    ("life", "penalty"),
    [
        pytest.param(0.0, 2.0, id="at once: the old failure counts in full"),
        pytest.param(1800.0, 1.5, id="half an hour forgives half of it"),
        pytest.param(3600.0, 1.0, id="an hour forgives it all"),
        pytest.param(86400.0, 1.0, id="a day forgives no more than that"),
    ],
)
def test_an_hour_of_life_forgives_the_past(life: float, penalty: float) -> None:
    health = play(OK, *[BLAMED] * 3, OK, OK)
    assert health.up_since is not None
    end = health.up_since + life
    for _ in range(3):
        health = failed(health, end, end, BLAMED)
    assert health.penalty == pytest.approx(penalty)


def test_the_absence_of_the_network_forgives_failures_but_remembers_who_answered() -> None:
    health = forgiven(play(OK, BLAMED, BLAMED), 200.0)
    assert (health.status, health.fails, health.misses, health.rises) == (Status.UNKNOWN, 0, 0, 0)
    assert health.suspect_since is None
    assert health.answered_at == 100.0


def test_the_absence_of_the_network_begins_every_count_anew() -> None:
    health = forgiven(play(OK, OK), 200.0)
    assert (health.rises, health.up_since) == (0, None)


def test_who_is_down_is_forgiven_nothing() -> None:
    assert forgiven(play(OK, *[BLAMED] * 3), 50_000.0).penalty == 1.0


def test_nothing_is_held_against_a_new_server() -> None:
    assert Health() == Health(Status.UNKNOWN, rises=0, fails=0, misses=0, penalty=0.0, held_until=0.0, hurried=False)
    assert play(OK).held_until == 0.0


def test_who_lived_for_hours_is_not_held_because_the_network_was_away() -> None:
    health = play(OK, *[BLAMED] * 3, OK, OK)
    assert health.up_since is not None
    later = health.up_since + 6 * 3600.0
    health = answered(forgiven(answered(health, later), later + 50), later + 60)
    assert health.held_until <= later + 60


def test_when_somebody_answers_at_last_the_checks_that_decide_follow_each_other_at_once() -> None:
    health = play(OK, *[ALONE] * 50)
    assert (health.fails, health.wavering) == (1, False)
    assert (doubted_anew(health).fails, doubted_anew(health).wavering) == (1, True)


def test_after_the_network_was_away_the_first_failure_is_a_doubt_only() -> None:
    health = play(OK, FORGIVEN, ALONE)
    assert (health.status, health.in_doubt, health.wavering) == (Status.UNKNOWN, True, True)
    assert play(OK, FORGIVEN, *[BLAMED] * 3).status is Status.DOWN
