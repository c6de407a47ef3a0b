"""What is published while somebody is waited for, and with what reasons."""

import pytest

from ollama_locate.core.outcome import Outcome
from tests.standins.tailscale import node

from .world import Step, World, after, ask, decide, key, look, no, ok, tailnet

REFUSED = Outcome.REFUSED
BOTH = (look("gpu", "nas"), ok("gpu", 5), ok("nas", 50), decide)


def went(*steps: Step) -> World:
    world = World()
    for step in steps:
        step(world)
    return world


def moved(world: World) -> None:
    world.locator.see(tailnet(node("gpu", 2, TailscaleIPs=["100.64.0.99"]), node("nas", 3)), world.now)


def resume(world: World) -> None:
    world.locator.resume(world.now)


@pytest.mark.parametrize(
    ("due", "want"),
    [
        pytest.param(-0.012, None, id="for what its round trip may take, since it was due"),
        pytest.param(-0.02, ("fresh", "nas", "only"), id="no longer: it is not even connected"),
        pytest.param(0.0, None, id="since now"),
        pytest.param(5.0, ("fresh", "nas", "only"), id="who is due later, since the round opened"),
    ],
)
def test_who_was_not_asked_yet_is_waited_for(due: float, want: tuple[str, str, str] | None) -> None:
    world = went(look("gpu", "nas"), after(1), ok("nas", 5))
    world.track("gpu").due = world.now + due
    assert world.decide() == want


def test_once_it_has_answered_at_its_new_address_it_has_not_moved_any_more() -> None:
    world = went(*BOTH, moved)
    decision = world.locator.decide(world.now)
    assert decision is not None
    assert (decision.reason.word, decision.choice.key) == ("moved", key("nas"))
    world.ok("gpu", 5)
    assert world.decide() == ("fresh", "gpu", "fastest")
    resume(world)
    assert world.decide() is None


def test_who_moved_and_went_to_another_user_is_published_no_more() -> None:
    world = went(*BOTH, moved, resume)
    world.locator.see(tailnet(node("gpu", 2, UserID=2), node("nas", 3)), world.now)
    assert world.locator.last_good is None
    assert world.decide() is None


def test_only_the_first_publication_of_a_round_of_all_is_provisional() -> None:
    peers = ("gpu", "nas", "mac")
    world = went(look(*peers), *(ok(name, 5) for name in peers), decide, after(1), no("gpu", REFUSED), ask("nas"))
    world.ok("mac", 5)
    for _ in range(2):
        world.no("gpu", REFUSED)
    world.now += 1
    decision = world.locator.decide(world.now)
    opening = world.locator.board.opening
    assert decision is not None
    assert opening is not None
    assert (decision.server is not None and decision.server.name, opening.succession) == ("mac", True)
    assert not decision.provisional
