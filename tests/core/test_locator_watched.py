"""What the sentinel, the forward and readers tell the locator: whom it asks then, and when."""

from dataclasses import replace

import pytest

from ollama_locate.core.constants import REPORT_MIN_GAP, SENTINEL_RETRY
from ollama_locate.core.outcome import Outcome, Probe

from .world import Step, World, after, ask, away, decide, key, look, no, ok, settings

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


@pytest.mark.parametrize(
    ("steps", "watched"),
    [
        pytest.param([no("gpu", Outcome.REFUSED, times=3), no("nas", Outcome.REFUSED)], None, id="it is down"),
        pytest.param([no("gpu", Outcome.REFUSED)], "gpu", id="it is in doubt"),
        pytest.param([unwatchable("gpu")], None, id="its connection could not be had"),
        pytest.param(
            [unwatchable("gpu"), look("nas"), look("gpu", "nas"), ok("gpu"), decide], "gpu", id="it is a new one"
        ),
        pytest.param(
            [lost("gpu"), no("gpu", Outcome.REFUSED, times=3), ok("gpu"), ok("gpu")],
            "gpu",
            id="it was dead, and is back",
        ),
        pytest.param([lost("gpu"), ok("gpu")], None, id="it lives and closed the connection: later"),
    ],
)
def test_whose_connection_is_to_be_held_after(steps: list[Step], watched: str | None) -> None:
    found = went(*START, *steps)
    held = found.locator.watch(found.now)
    assert (held.key if held else None) == (key(watched) if watched else None)


def test_a_config_without_the_sentinel_holds_no_connection() -> None:
    off = replace(settings(), sentinel=False)
    world = World(off)
    for step in START:
        step(world)
    assert world.locator.watch(world.now) is None
    world.locator.reconfigure(settings(), world.now)
    assert world.locator.watch(world.now) is not None
    world.locator.reconfigure(off, world.now)
    assert world.locator.watch(world.now) is None


def test_a_connection_that_stands_is_no_refusal_any_more() -> None:
    world = went(*START, unwatchable("gpu"), unwatchable("gpu"))
    world.locator.watching(key("gpu"), world.now)
    unwatchable("gpu")(world)
    assert world.locator.watch_again() == world.now + SENTINEL_RETRY


def test_a_request_that_failed_has_a_server_asked_that_never_was() -> None:
    world = went(*START, look("gpu", "nas", "mac", "pi"))
    world.track("pi").due = world.now + 99
    doubted("pi")(world)
    assert world.track("pi").due == world.now


def test_the_first_sign_of_life_may_be_the_connection_s() -> None:
    world = went(*START)
    world.track("gpu").alive_at = None
    lost("gpu", 1003.0)(world)
    assert world.track("gpu").alive_at == 1003.0


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
