"""A pin comes and goes with the config: what was published stays until the pinned one has been asked."""

from dataclasses import replace

import pytest

from ollama_locate.core.outcome import Outcome
from ollama_locate.core.pin import Pin
from ollama_locate.core.selection import Reason

from .world import Step, World, after, away, decide, key, look, no, ok

REFUSED = Outcome.REFUSED
NAS = Pin("nas", "http://100.64.0.3:11434", "n3:11434")
GONE = Pin("vm", "http://100.64.0.6:11434", "n6:11434")


def pin(chosen: Pin | None) -> Step:
    return lambda world: world.locator.reconfigure(replace(world.locator.settings, pin=chosen), world.now)


BOTH = (look("gpu", "nas"), ok("gpu", 30), ok("nas", 40), decide)


@pytest.mark.parametrize(
    ("steps", "want"),
    [
        pytest.param([*BOTH, pin(NAS)], ("fresh", "nas", "pinned"), id="one that answered: at once"),
        pytest.param([look("gpu", "nas"), ok("gpu"), pin(NAS)], None, id="one that was not asked yet is waited for"),
        pytest.param(
            [look("gpu"), ok("gpu"), decide, look("gpu", "nas"), pin(NAS)], None, id="outside the first round too"
        ),
        pytest.param(
            [look("gpu"), ok("gpu"), decide, look("gpu", "nas"), pin(NAS), no("nas", REFUSED)],
            ("stale", "nas", "pinned_dead"),
            id="dead, it is published all the same, and said to be so",
        ),
        pytest.param([*BOTH, pin(NAS), away()], ("stale", "nas", "tailnet_away"), id="while the tailnet is away"),
        pytest.param([*BOTH, pin(GONE)], ("fresh", "gpu", "fastest"), id="one that is no server is not followed"),
        pytest.param(
            [*BOTH, pin(NAS), decide, no("nas"), no("nas"), no("nas")],
            ("stale", "nas", "pinned_dead"),
            id="whoever else answers",
        ),
        pytest.param(
            [*BOTH, pin(NAS), decide, pin(None)],
            ("fresh", "gpu", "fastest"),
            id="taken back: no dead band protects who was not chosen for its merits",
        ),
        pytest.param(
            [*BOTH, ok("nas", 25), pin(None)],
            ("fresh", "gpu", "kept"),
            id="another config without a pin protects the current one as before",
        ),
        pytest.param(
            [*BOTH, ok("nas", 25), pin(NAS), ok("gpu", 24), decide, pin(NAS)],
            ("fresh", "nas", "pinned"),
            id="another config with the same pin",
        ),
    ],
)
def test_what_a_pin_does(steps: list[Step], want: tuple[str, str, str] | None) -> None:
    world = World()
    for step in steps:
        step(world)
    assert world.decide() == want


def test_a_pin_opens_no_round_in_a_round() -> None:
    world = World(before="old")
    world.look("gpu", "nas")
    opening = world.locator.board.opening
    pin(NAS)(world)
    assert world.locator.board.opening is opening
    pin(None)(world)
    assert world.locator.board.opening is opening


def test_only_a_pin_that_is_taken_back_opens_a_round() -> None:
    world = World()
    for step in BOTH:
        step(world)
    pin(None)(world)
    assert world.locator.board.opening is None
    pin(NAS)(world)
    assert world.locator.board.opening is None, "it has been asked"
    pin(NAS)(world)
    assert world.locator.board.opening is None
    pin(None)(world)
    opening = world.locator.board.opening
    assert opening is not None
    assert (opening.pending, opening.awaited, opening.since) == (set(), None, world.now)


def test_the_choice_of_a_pinned_one_ranks_the_others() -> None:
    world = World()
    for step in (*BOTH, pin(NAS)):
        step(world)
    decision = world.locator.decide(world.now)
    assert decision is not None
    assert (decision.choice.reason, decision.choice.key) == (Reason.PINNED, key("nas"))
    assert [one.key for one in decision.choice.ranked] == [key("gpu"), key("nas")]


@pytest.mark.parametrize(
    ("steps", "ranked"),
    [
        pytest.param([pin(NAS), decide, no("nas", REFUSED, 3), ok("gpu")], ["gpu"], id="the pinned one is dead"),
        pytest.param([no("gpu", times=3)], ["gpu", "nas"], id="nobody answers"),
        pytest.param([no("gpu", REFUSED, 3), no("nas", REFUSED, 3)], [], id="all are lost"),
    ],
)
def test_whatever_is_decided_says_how_the_healthy_stand(steps: list[Step], ranked: list[str]) -> None:
    world = World()
    for step in (*BOTH, after(1), *steps):
        step(world)
    decision = world.locator.decide(world.now)
    assert decision is not None
    assert [one.key for one in decision.choice.ranked] == [key(name) for name in ranked]
    assert decision.choice.reason is not Reason.NONE_YET or not ranked
