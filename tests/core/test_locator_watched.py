"""What the sentinel, the forward and readers tell the locator: whom it asks then, and when."""

import pytest

from ollama_locate.core.constants import REPORT_MIN_GAP
from ollama_locate.core.outcome import Outcome, Probe

from .world import Step, World, after, ask, away, decide, key, look, no, ok

GPU = "http://100.64.0.2:11434"
START = (look("gpu", "nas", "mac"), ok("gpu", 5), ok("nas", 40), ok("mac", 60), decide, after(10))


def lost(name: str, alive_at: float | None = None) -> Step:
    return lambda world: world.locator.lost(key(name), world.now, alive_at)


def doubted(name: str) -> Step:
    return lambda world: world.locator.doubted(key(name), world.now)


def unwatchable(name: str) -> Step:
    return lambda world: world.locator.unwatchable(key(name), world.now)


def reported(url: str) -> Step:
    def step(world: World) -> None:
        world.locator.report(url, world.now)

    return step


def due(world: World) -> set[str]:
    """Whose check is due now, to the second."""
    return {track.server.name for track in world.locator.tracks.values() if track.due <= world.now}


def went(*steps: Step) -> World:
    world = World()
    for step in steps:
        step(world)
    return world


@pytest.mark.parametrize(
    ("steps", "asked"),
    [
        pytest.param(
            [lost("gpu")], {"gpu", "nas", "mac"}, id="the chosen one's connection ended: it, and the next best"
        ),
        pytest.param([lost("nas")], {"nas"}, id="another one's: it alone"),
        pytest.param([lost("gpu"), lost("gpu")], {"gpu", "nas", "mac"}, id="twice is once"),
        pytest.param([lost("vm")], set(), id="one that is gone: nobody"),
        pytest.param([unwatchable("gpu")], {"gpu"}, id="a connection that cannot be had"),
        pytest.param([unwatchable("vm")], set(), id="of one that is gone"),
        pytest.param([doubted("gpu")], {"gpu"}, id="a request that failed"),
        pytest.param([doubted("vm")], set(), id="to one that is gone"),
        pytest.param([reported(GPU)], {"gpu"}, id="a report"),
        pytest.param([reported(GPU + "/v1/")], {"gpu"}, id="a report with the path that OpenAI's clients have"),
        pytest.param([reported("http://nobody:1")], set(), id="a report about nobody"),
    ],
)
def test_who_is_asked_at_once(steps: list[Step], asked: set[str]) -> None:
    world = went(*START, *steps)
    assert due(world) == asked


def test_the_end_of_a_connection_to_one_that_is_down_says_nothing_new() -> None:
    world = went(*START, no("nas", Outcome.REFUSED, times=3))
    before = world.track("nas").due
    lost("nas")(world)
    assert world.track("nas").due == before


def test_who_was_asked_a_moment_ago_is_not_asked_again_for_each_request() -> None:
    world = went(*START, ok("gpu", 5), doubted("gpu"))
    assert world.track("gpu").due == world.now + REPORT_MIN_GAP


def test_reports_that_come_at_once_are_one() -> None:
    world = went(*START, reported(GPU), ok("gpu", 5))
    later = world.track("gpu").due
    world.locator.report(GPU, world.now + REPORT_MIN_GAP / 2)
    assert world.track("gpu").due == later


def test_the_last_sign_of_life_is_the_later_one() -> None:
    world = went(*START, lost("gpu", 1003.0))
    assert world.track("gpu").alive_at == 1003.0
    world.locator.lost(key("gpu"), world.now, 1001.0)
    assert world.track("gpu").alive_at == 1003.0


@pytest.mark.parametrize(
    ("act", "watched"),
    [
        pytest.param(after(0), "gpu", id="the chosen one"),
        pytest.param(lost("gpu"), None, id="not one whose connection has just ended"),
        pytest.param(away(), None, id="nobody while the tailnet is away"),
    ],
)
def test_to_whom_a_connection_is_held(act: Step, watched: str | None) -> None:
    world = went(*START)
    act(world)
    found = world.locator.watch(world.now)
    assert (found.key if found else None) == (key(watched) if watched else None)


def test_nobody_is_watched_before_somebody_is_chosen() -> None:
    world = World()
    assert world.locator.watch(world.now) is None
    assert world.locator.watch_again() is None


def test_a_connection_that_stands_and_is_lost_is_tried_again_when_the_server_has_answered() -> None:
    world = went(*START)
    world.locator.watching(key("gpu"), world.now)
    lost("gpu")(world)
    world.now += 0.1
    world.ok("gpu", 5)
    again = world.locator.watch_again()
    assert again is not None
    assert world.locator.watch(again) is not None


@pytest.mark.parametrize("outcome", [Outcome.ALIVE, Outcome.SILENT])
def test_a_check_that_was_under_way_when_the_connection_was_lost_says_nothing_and_is_made_again(
    outcome: Outcome,
) -> None:
    world = went(*START, ask("gpu"), after(0.5), lost("gpu"))
    assert world.locator.finish(key("gpu"), Probe(outcome, world.now - 0.5), world.now)
    track = world.track("gpu")
    assert (track.health.misses, track.due) == (1, world.now)
