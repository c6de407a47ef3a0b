"""What a doubt about the current server sets going."""

from dataclasses import replace

import pytest

from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.selection import Local

from .world import Step, World, after, alive, ask, away, decide, key, last_good, look, no, ok, settings

REFUSED = Outcome.REFUSED
PEERS = ("gpu", "nas", "mac")
START = (look(*PEERS), *(ok(name, 5.0 * place) for place, name in enumerate(PEERS, 1)), decide, after(1))
LATER = 99.0


def went(*steps: Step, world: World | None = None) -> World:
    world = world or World()
    for step in steps:
        step(world)
    return world


def at_rest(world: World) -> None:
    """Nobody is due."""
    for track in world.locator.tracks.values():
        track.due = world.now + LATER


@pytest.mark.parametrize(
    ("steps", "pending"),
    [
        pytest.param([ask("nas")], {"nas"}, id="one is under way"),
        pytest.param([lambda world: setattr(world.track("mac"), "due", world.now)], {"mac"}, id="one is due now"),
        pytest.param([], None, id="nobody is to be heard of"),
    ],
)
def test_when_the_current_one_falls_those_who_were_asked_are_waited_for(
    steps: list[Step], pending: set[str] | None
) -> None:
    world = went(*START, no("gpu", REFUSED), no("gpu", REFUSED), at_rest, *steps)
    world.locator._succession.wait_for_successors(world.now)
    opening = world.locator.board.opening
    assert (None if opening is None else opening.pending) == (pending and {key(name) for name in pending})
    assert opening is None or (opening.succession and opening.awaited is None and opening.since == world.now)


def test_a_round_that_is_open_goes_on() -> None:
    world = went(*START)
    world.locator.resume(world.now)
    opening = world.locator.board.opening
    world.locator._succession.wait_for_successors(world.now)
    assert world.locator.board.opening is opening


def test_after_a_silence_of_all_the_last_good_one_is_asked_at_once_when_somebody_answers() -> None:
    world = went(*START, away(), look(*PEERS), no("gpu"), no("nas"), no("mac"), at_rest)
    world.locator.board.opening = None
    world.ok("nas")
    assert world.track("gpu").due == world.now
    world.track("gpu").due = world.now - 5
    world.locator._succession.wait_for_the_last_good(world.now)
    assert world.track("gpu").due == world.now - 5, "nor later than it was due"


def test_one_that_is_up_and_in_doubt_is_no_such_case() -> None:
    world = went(*START, no("gpu"), at_rest)
    world.locator.board.opening = None
    world.locator._succession.wait_for_the_last_good(world.now)
    assert world.locator.board.opening is None


def test_nor_one_that_was_not_asked_yet() -> None:
    world = went(*START, away(), look(*PEERS), at_rest)
    world.locator.board.opening = None
    world.locator._succession.wait_for_the_last_good(world.now)
    assert world.locator.board.opening is None


def test_who_failed_while_nobody_answered_is_asked_anew_once() -> None:
    world = went(*START, no("gpu", times=5), at_rest)
    track = world.track("gpu")
    assert (track.health.misses, track.health.fails) == (5, 1)
    assert world.locator._succession.doubt_anew(world.now)
    assert (track.health.hurried, track.due) == (True, world.now)
    at_rest(world)
    assert not world.locator._succession.doubt_anew(world.now), "it hurries already"
    assert track.due == world.now + LATER


def test_who_is_due_earlier_stays_so() -> None:
    world = went(*START, no("gpu", times=5))
    world.track("gpu").due = world.now - 3
    assert world.locator._succession.doubt_anew(world.now)
    assert world.track("gpu").due == world.now - 3


def test_whose_failures_all_count_is_in_no_hurry() -> None:
    world = went(*START, no("gpu"), at_rest)
    assert not world.locator._succession.doubt_anew(world.now)
    assert not world.track("gpu").health.hurried


@pytest.mark.parametrize(
    ("sent", "outcome", "again"),
    [
        pytest.param(-0.5, Outcome.ALIVE, True, id="sent before the current one's first failure"),
        pytest.param(0.0, Outcome.ALIVE, False, id="sent with it"),
        pytest.param(0.0, Outcome.SILENT, False, id="silent as the others"),
    ],
)
def test_a_result_that_came_too_early_is_asked_for_again(sent: float, outcome: Outcome, *, again: bool) -> None:
    world = went(*START)
    since = world.now
    world.no("gpu")
    probe = alive(since + sent) if outcome is Outcome.ALIVE else Probe(outcome, since + sent)
    assert world.locator._succession.is_to_be_asked_again(world.track("nas"), probe) is again


@pytest.mark.parametrize(
    ("steps", "name", "again"),
    [
        pytest.param([no("nas")], "nas", True, id="one in doubt"),
        pytest.param([], "nas", False, id="one that is up: its next check comes soon enough"),
        pytest.param([lambda world: world.locator.resume(world.now)], "gpu", True, id="the awaited one"),
        pytest.param([lambda world: world.locator.resume(world.now)], "nas", False, id="while another is awaited"),
    ],
)
def test_a_silence_of_a_network_that_has_come_back_is_asked_for_again(
    steps: list[Step], name: str, *, again: bool
) -> None:
    world = went(*START, *steps)
    silence = Probe(Outcome.SILENT, world.now)
    world.locator.board.last_good = world.locator.board.last_good if name == "gpu" else None
    world.locator._evidence.note(world.track("mac").server, alive(world.now + 1))
    assert world.locator._succession.is_to_be_asked_again(world.track(name), silence) is again


def test_this_machine_is_no_network() -> None:
    world = went(look("gpu"), no("gpu"), ok("local"), decide, world=World(settings(local=Local.LAST)))
    assert world.locator.board.is_current(key("local"))
    assert not world.locator._succession.is_to_be_asked_again(world.track("gpu"), Probe(Outcome.SILENT, world.now))


# --- among thousands of machines


def crowded(*steps: Step) -> World:
    """gpu has answered, nas refused, mac was silent, pi was not asked; nobody is due."""
    world = World(replace(settings(local=Local.LAST), machines=10_000))
    start = (look("gpu", "nas", "mac", "pi"), ok("gpu"), no("nas", REFUSED), no("mac"), no("local"), decide)
    return went(*start, after(1), at_rest, *steps, world=world)


def due(world: World) -> set[str]:
    """Who is due earlier than `at_rest` has left them."""
    return {track.server.name for track in world.locator.tracks.values() if track.due < world.now + LATER}


def test_when_nobody_is_up_all_who_are_known_are_asked() -> None:
    world = crowded()
    succession, crowd = world.locator._succession, world.locator.roster.crowd
    succession.ask_everybody_known(world.now, fell=False)  # after the few of the start
    at_rest(world)
    succession.ask_everybody_known(world.now, fell=False)
    assert due(world) == set()
    succession.ask_everybody_known(world.now, fell=True)
    assert due(world) == {"gpu", "nas"}
    for name in ("gpu", "nas"):
        track = world.track(name)
        assert track.checked is not None
        assert track.due == max(crowd.soon(track.server, world.now), track.checked + crowd.again)
        track.due = world.now - 1
    succession.ask_everybody_known(world.now, fell=True)
    assert world.track("gpu").due == world.now - 1, "never later than it was due"


def test_after_a_few_have_failed_all_who_are_known_are_asked_once() -> None:
    world = crowded()
    succession = world.locator._succession
    assert succession.ask_a_few(world.now)
    assert due(world) == {"gpu", "nas", "this machine"}
    at_rest(world)
    succession.ask_everybody_known(world.now, fell=False)
    assert due(world) == {"gpu", "nas"}
    at_rest(world)
    succession.ask_everybody_known(world.now, fell=False)
    assert due(world) == set()


def test_without_a_crowd_there_are_no_few() -> None:
    world = went(*START, at_rest)
    assert not world.locator._succession.ask_a_few(world.now)
    assert due(world) == set()


@pytest.mark.parametrize(("watched", "asked"), [(True, set()), (False, {"gpu"})])
def test_who_is_current_and_not_watched_is_asked_in_time(asked: set[str], *, watched: bool) -> None:
    world = crowded()
    world.locator.board.last_good = last_good("gpu")
    world.locator._succession.keep_asking_the_unwatched(watched=watched)
    assert due(world) == asked
    world.locator.board.last_good = None
    world.locator._succession.keep_asking_the_unwatched(watched=False)
    world.locator.board.last_good = last_good("pi")
    world.locator._succession.keep_asking_the_unwatched(watched=False)
    assert due(world) == asked


def test_without_a_crowd_the_next_turn_is_soon_enough() -> None:
    world = went(*START, at_rest)
    world.locator._succession.keep_asking_the_unwatched(watched=False)
    assert due(world) == set()


def test_who_is_or_will_be_asked_by_then() -> None:
    world = went(*START, at_rest, ask("nas"))
    world.track("mac").due = world.now + 5
    assert world.locator._succession.asked_by(world.now + 5) == {key("nas"), key("mac")}
