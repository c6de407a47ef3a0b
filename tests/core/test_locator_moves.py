"""Servers that leave, move or change hands, and configs that change: what is known of whom stays."""

from dataclasses import replace

import pytest

from ollama_locate.core.health import Status
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.patterns import parse_pattern
from ollama_locate.core.tailnet import Absence
from tests.standins.tailscale import node

from .world import PLAIN, Step, World, after, alive, ask, away, decide, key, look, no, ok, settings, tailnet

REFUSED = Outcome.REFUSED


def test_the_result_of_a_server_that_left_is_ignored() -> None:
    world = World()
    world.look("gpu")
    world.ask("gpu")
    world.look()
    world.locator.finish(key("gpu"), alive(world.now), world.now)
    assert (world.locator.tracks, world.locator.under_way()) == ({}, 0)


def test_the_result_of_an_old_address_says_nothing_of_the_new_one() -> None:
    world = World()
    world.look("gpu")
    world.ask("gpu")
    world.look("gpu", TailscaleIPs=["100.64.0.99"])
    world.locator.finish(key("gpu"), alive(world.now), world.now)
    assert world.track("gpu").health.status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("step", "want"),
    [
        pytest.param(ok("gpu"), ("fresh", "gpu", "fastest"), id="it answers there: at once"),
        pytest.param(no("gpu"), ("fresh", "nas", "only"), id="it does not answer there: the next best"),
        pytest.param(ask("gpu"), ("stale", "gpu", "moved"), id="it is waited for"),
    ],
)
def test_a_server_that_moved_is_asked_and_waited_for(step: Step, want: tuple[str, str, str]) -> None:
    world = World()
    for before in (look("gpu", "nas"), ok("gpu", 5), ok("nas", 9), decide):
        before(world)
    peers = [node("gpu", 2, TailscaleIPs=["100.64.0.99"]), node("nas", 3)]
    world.locator.see(tailnet(*peers), world.now)
    step(world)
    assert world.decide() == want


def test_a_server_that_moves_while_a_round_is_open_is_a_part_of_that_round() -> None:
    world = World()
    for before in (look("gpu", "nas"), ok("gpu", 5), ok("nas", 9), decide):
        before(world)
    world.locator.resume(world.now)
    opening = world.locator.board.opening
    world.locator.see(tailnet(node("gpu", 2, TailscaleIPs=["100.64.0.99"]), node("nas", 3)), world.now)
    assert world.locator.board.opening is opening
    world.ok("nas", 9)
    assert world.decide() == ("stale", "gpu", "moved"), "it is awaited"
    world.ok("gpu", 5)
    assert world.decide() == ("fresh", "gpu", "fastest")


def test_a_server_that_moved_is_waited_for_before_it_was_asked_at_all() -> None:
    """The round is as old as the move, however long the daemon has run."""
    world = World()
    for before in (look("gpu", "nas"), ok("gpu", 5), ok("nas", 9), decide, after(60)):
        before(world)
    world.locator.see(tailnet(node("gpu", 2, TailscaleIPs=["100.64.0.99"]), node("nas", 3)), world.now)
    assert world.decide() == ("stale", "gpu", "moved")


def test_an_old_address_is_decided_for_no_more() -> None:
    """It may be another's by now."""
    world = World()
    for step in (look("gpu"), ok("gpu"), decide, look("gpu", TailscaleIPs=["100.64.0.99"])):
        step(world)
    assert world.decide() == ("stale", "gpu", "moved")
    world.ok("gpu")
    decision = world.locator.decide(world.now)
    assert decision is not None
    assert decision.server is not None
    assert decision.server.url == "http://100.64.0.99:11434"


def test_a_server_that_moves_while_successors_are_waited_for_opens_a_round_of_its_own() -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("gpu"), ok("nas"), decide, after(1), no("gpu", REFUSED), ask("nas")):
        step(world)
    for _ in range(2):
        world.no("gpu", REFUSED)
    opening = world.locator.board.opening
    assert opening is not None
    assert opening.succession
    world.locator.see(tailnet(node("gpu", 2, TailscaleIPs=["100.64.0.99"]), node("nas", 3)), world.now)
    opening = world.locator.board.opening
    assert opening is not None
    assert (opening.awaited, opening.succession) == (key("gpu"), False)


def test_who_is_trusted_no_more_is_awaited_no_more() -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("gpu"), ok("nas"), decide):
        step(world)
    world.locator.resume(world.now)
    opening = world.locator.board.opening
    assert opening is not None
    assert opening.awaited == key("gpu")
    world.locator.see(tailnet(node("gpu", 2, UserID=2), node("nas", 3)), world.now)
    assert world.locator.last_good is None
    assert world.locator.board.opening is opening
    assert opening.awaited != key("gpu")


def test_a_new_address_begins_a_new_life() -> None:
    world = World()
    for step in (look("gpu"), no("gpu", REFUSED), look("gpu", TailscaleIPs=["100.64.0.99"])):
        step(world)
    track = world.track("gpu")
    assert (track.health.status, track.due, track.server.host) == (Status.UNKNOWN, world.now, "100.64.0.99")


def test_another_config_keeps_what_is_known_of_those_who_stay() -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("gpu"), ok("nas"), decide):
        step(world)
    world.locator.reconfigure(settings(replace(PLAIN, deny=(parse_pattern("gpu"),))), world.now)
    assert world.decide() == ("fresh", "nas", "only")
    assert world.track("nas").health.status is Status.UP


def test_another_config_s_interval_holds_at_once() -> None:
    world = World(settings(interval=3600.0))
    for step in (look("gpu"), ok("gpu")):
        step(world)
    world.locator.reconfigure(settings(interval=10.0), world.now)
    assert world.locator.next_due() == world.now + 10.0


def test_without_a_tailnet_too_a_server_taken_out_of_the_config_is_published_no_more() -> None:
    world = World(settings(static={"den": "192.168.7.7"}))
    for step in (away(Absence.NOT_INSTALLED), ok("static:den"), decide):
        step(world)
    world.locator.reconfigure(settings(), world.now)
    assert world.decide() == ("none", None, "none_yet")


def test_a_tailnet_of_two_users_leaves_the_other_s_nodes_alone() -> None:
    world = World()
    world.locator.see(tailnet(node("gpu", 2), node("bobs", 9, UserID=2)), world.now)
    assert set(world.locator.tracks) == {key("gpu")}
    assert [one.peer.name for one in world.locator.roster.rejected] == ["bobs"]
