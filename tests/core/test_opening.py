"""The opening round: who is still to be heard of, and who is waited for."""

import pytest

from ollama_locate.core.opening import Opening
from ollama_locate.core.selection import Contender
from ollama_locate.core.server import Kind, Server

LEADER = Contender("a", 5, 0.040, None)


def server(key: str, kind: Kind = Kind.PEER) -> Server:
    return Server(key, key, kind, "100.64.0.2", 1, "http://100.64.0.2:1", tier=9)


def test_a_round_ends_when_everybody_was_heard_of_or_is_quiet() -> None:
    opening = Opening(["a", "b", "c"], 0.0, awaited="c")
    opening.heard("a", alive=True)
    opening.quiet("b")
    opening.quiet("c")
    assert opening.pending == {"c"}
    opening.heard("c", alive=False)
    assert opening.pending == set()


@pytest.mark.parametrize(
    ("key", "alive", "awaited"),
    [
        pytest.param("a", False, "b", id="another one failed"),
        pytest.param("b", True, "b", id="it answered"),
        pytest.param("b", False, None, id="it failed: there is nobody to wait for"),
    ],
)
def test_who_failed_is_awaited_no_more(key: str, awaited: str | None, *, alive: bool) -> None:
    opening = Opening(["a", "b"], 0.0, awaited="b")
    opening.heard(key, alive=alive)
    assert opening.awaited == awaited


def test_who_appears_is_to_be_heard_of_and_who_goes_is_not() -> None:
    opening = Opening(["a", "b"], 0.0, None)
    opening.heard("a", alive=True)
    opening.join(["c"], ["a", "c"])
    assert opening.pending == {"c"}


@pytest.mark.parametrize(
    ("pending", "elapsed", "want"),
    [
        pytest.param(server("x"), 0.0, True, id="who comes later in the order is not waited for"),
        pytest.param(server("b"), 0.9, False, id="the awaited one is, whatever its place"),
        pytest.param(server("b"), 1.0, True, id="for a second"),
        pytest.param(server("s", Kind.SELF_CHECK), 0.9, False, id="so is the self-check, which says our own place"),
    ],
)
def test_who_is_waited_for(pending: Server, elapsed: float, *, want: bool) -> None:
    opening = Opening(["b", "s", "x"], 0.0, awaited="b")
    found = opening.may_publish(LEADER, [pending], lambda _: (10.0, False), lambda one: one.tier or 0, 10.0 + elapsed)
    assert found is want


def test_a_look_at_the_tailnet_is_waited_for_a_second() -> None:
    opening = Opening([], 10.0, None)
    assert opening.waits_for_the_tailnet(10.9)
    assert not opening.waits_for_the_tailnet(11.0)
