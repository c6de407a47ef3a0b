"""What is known of everybody, and whom that leaves: the healthy, the doubtful, and who comes next."""

from dataclasses import replace

import pytest

from ollama_locate.core.complaints import Complaints
from ollama_locate.core.inventory import Model
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.selection import LAST_TIER, Local, Standing
from ollama_locate.core.speed import Speed
from ollama_locate.core.trust import Policy

from .world import Step, World, after, ask, away, decide, key, look, no, ok, settings

REFUSED = Outcome.REFUSED
BAD = Complaints(until=9e9)


def went(*steps: Step, world: World | None = None) -> World:
    world = world or World()
    for step in steps:
        step(world)
    return world


def blamed(name: str) -> Step:
    """Its readers say that it fails them."""

    def step(world: World) -> None:
        world.track(name).complaints = BAD

    return step


def names(world: World, keys: list[str]) -> list[str]:
    return [world.locator.tracks[one].server.name for one in keys]


TRIO = (look("gpu", "nas", "mac"), ok("gpu", 5), ok("nas", 40), ok("mac", 60), decide, after(1))


@pytest.mark.parametrize(
    ("steps", "healthy"),
    [
        pytest.param([], "gpu nas mac", id="all of them"),
        pytest.param([no("nas")], "gpu mac", id="one is in doubt"),
        pytest.param([no("gpu")], "gpu nas mac", id="the current one may be"),
        pytest.param([no("gpu", REFUSED, 3)], "", id="it is down: nobody has answered since"),
        pytest.param([no("gpu", REFUSED, 3), ok("mac")], "mac", id="one has"),
        pytest.param([away()], "", id="out of reach"),
    ],
)
def test_who_is_chosen_among(steps: list[Step], healthy: str) -> None:
    world = went(*TRIO, *steps)
    found = [one.key for one in world.locator.board.choice(world.now).ranked]
    assert names(world, found) == healthy.split()


def test_whom_readers_blame_comes_last() -> None:
    world = went(*TRIO, blamed("gpu"))
    assert names(world, [one.key for one in world.locator.board.choice(world.now).ranked]) == ["nas", "mac", "gpu"]
    assert names(world, list(world.locator.board.successors(world.now, healthy=True))) == ["nas", "mac"]
    blamed("nas")(world)
    assert names(world, list(world.locator.board.successors(world.now, healthy=True))) == ["mac", "nas"]


def test_a_hold_is_over_when_its_time_has_come() -> None:
    world = went(*TRIO, no("nas", REFUSED, 3), ok("nas"), ok("nas"))
    until = world.track("nas").health.held_until
    assert until == world.now + 60
    held = {one.key: one.held for one in world.locator.board.contenders(until)}
    assert held == {key("gpu"): False, key("nas"): False, key("mac"): False}
    assert next(one for one in world.locator.board.contenders(until - 1) if one.key == key("nas")).held


@pytest.mark.parametrize(
    ("steps", "doubtful"),
    [
        pytest.param([], "", id="nobody"),
        pytest.param([no("nas")], "nas", id="one"),
        pytest.param([no("gpu")], "", id="the current one is no such case"),
        pytest.param([no("nas", REFUSED, 3)], "", id="one that is down"),
        pytest.param([no("gpu", REFUSED, 3)], "nas mac", id="those not asked since the current one failed"),
        pytest.param([no("nas"), away()], "", id="one that is out of reach"),
        pytest.param([no("nas"), look("gpu", "mac")], "", id="one that has gone"),
    ],
)
def test_who_is_doubtful(steps: list[Step], doubtful: str) -> None:
    world = went(*TRIO, *steps)
    board = world.locator.board
    assert names(world, [one.key for one in board.doubtful(board.contenders(world.now))]) == doubtful.split()
    assert world.locator.board.doubted <= world.locator.tracks.keys()


@pytest.mark.parametrize(
    ("steps", "healthy", "reached"),
    [
        pytest.param([], "nas mac", "nas mac", id="the next best, never the current one"),
        pytest.param([no("gpu"), ok("nas", 40)], "mac", "mac", id="who was asked since had its turn"),
        pytest.param([no("mac", REFUSED, 3)], "nas", "nas mac", id="who is down, but reached, comes after the healthy"),
        pytest.param(
            [look("gpu", "nas", "mac", "pi"), no("pi")], "nas mac", "nas mac", id="who is down and silent: never"
        ),
        pytest.param([look("gpu", "nas", "mac", "pi")], "nas mac", "nas mac", id="nor who was not asked"),
        pytest.param([away()], "", "", id="nor who is out of reach"),
    ],
)
def test_who_comes_next(steps: list[Step], healthy: str, reached: str) -> None:
    world = went(*TRIO, *steps)
    board = world.locator.board
    assert names(world, list(board.successors(world.now, healthy=True))) == healthy.split()
    assert names(world, list(board.successors(world.now, healthy=False))) == reached.split()


def test_who_was_asked_with_the_first_failure_had_its_turn() -> None:
    world = went(*TRIO, ask("nas"), ask("gpu"))
    world.locator.finish(key("gpu"), Probe(REFUSED, world.now), world.now)
    world.locator.finish(key("nas"), Probe(Outcome.ALIVE, world.now, rtt=0.04), world.now)
    assert names(world, list(world.locator.board.successors(world.now, healthy=True))) == ["mac"]


def test_before_anybody_is_chosen_everybody_may_come_next() -> None:
    world = went(look("gpu", "nas"), ok("gpu"), ok("nas", 40))
    assert names(world, list(world.locator.board.successors(world.now, healthy=True))) == ["gpu", "nas"]
    assert not world.locator.board.in_doubt()


def test_by_speed_who_answers_soonest_comes_next() -> None:
    speeds = tuple(Speed(key(name), "a:1", "d" * 12, 1e9, 0.1, rate) for name, rate in (("nas", 9.0), ("mac", 90.0)))
    world = went(*TRIO, world=World(replace(settings(), speeds=speeds)))
    for name in ("nas", "mac"):
        world.stock(name, Model("a:1", "d" * 12))
    assert names(world, [one.key for one in world.locator.board.choice(world.now).ranked]) == ["mac", "nas", "gpu"]
    assert names(world, list(world.locator.board.successors(world.now, healthy=True))) == ["mac", "nas"]


def test_what_is_required_is_looked_for_in_the_choice() -> None:
    world = World(replace(settings(), require=(("a:1",),)))
    for step in (look("gpu", "nas"), ok("gpu", 1), ok("nas", 90, ("a:1",))):
        step(world)
    choice = world.locator.board.choice(world.now)
    assert (choice.key, choice.required) == (key("nas"), (("a:1",),))


def test_one_port_at_which_this_machine_serves_the_tailnet_is_enough() -> None:
    world = World(settings(Policy((11434, 11435)), local=Local.AUTO))
    world.look()
    world.ok("local")
    local = world.track("local").server
    assert world.locator.board.tier(local) == LAST_TIER
    world.locator.begin("self:11435", world.now)
    world.locator.finish("self:11435", Probe(Outcome.ALIVE, world.now), world.now)
    assert world.locator.board.serves()
    assert world.locator.board.tier(local) < 0


def test_a_report_finds_nobody_at_an_address_that_a_server_has_left() -> None:
    world = went(look("gpu"), look("gpu", TailscaleIPs=["100.64.0.99"]))
    assert world.locator.board.at("http://100.64.0.2:11434") == []
    assert [track.server.key for track in world.locator.board.at("http://100.64.0.99:11434")] == [key("gpu")]


@pytest.mark.parametrize(
    ("steps", "name", "standing"),
    [
        pytest.param([no("nas", REFUSED, 3)], "nas", Standing.DOWN, id="it fell since the choice"),
        pytest.param([look("gpu", "nas", "mac", "pi")], "pi", Standing.UNCHECKED, id="it came since"),
    ],
)
def test_where_one_stands_in_an_older_choice(steps: list[Step], name: str, standing: Standing) -> None:
    world = went(*TRIO)
    choice = world.locator.board.choice(world.now)
    went(*steps, world=world)
    assert world.locator.board.standing(key(name), choice) is standing
