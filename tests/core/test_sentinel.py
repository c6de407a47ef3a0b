"""Whom the sentinel watches, as rows of what became of its connection."""

from collections.abc import Callable

import pytest

from ollama_locate.core.constants import SENTINEL_RETRY_MAX, SENTINEL_STEADY
from ollama_locate.core.sentinel import Sentinel, Watch
from ollama_locate.core.server import Kind, Server

GPU = Server("gpu", "gpu", Kind.PEER, "100.64.0.2", 11434, "http://100.64.0.2:11434")
Step = Callable[[Sentinel], None]


def stands(now: float) -> Step:
    return lambda sentinel: sentinel.stands("gpu", now)


def ended(now: float) -> Step:
    return lambda sentinel: sentinel.ended("gpu", now)


def refused(now: float) -> Step:
    return lambda sentinel: sentinel.refused("gpu", now)


def answered(now: float) -> Step:
    return lambda sentinel: sentinel.answered("gpu", now)


def fell(_now: float) -> Step:
    return lambda sentinel: sentinel.fell("gpu")


def closings(count: int, every: float) -> list[Step]:
    """It closes `count` connections, each when it has stood for a second, and answers a probe each time."""
    times = [1000.0 + place * every for place in range(count)]
    return [step for now in times for step in (stands(now), ended(now + 1), answered(now + 1.1))]


@pytest.mark.parametrize(
    ("steps", "now", "watched", "again"),
    [
        pytest.param([], 0.0, True, None, id="at first: at once"),
        pytest.param([stands(0)], 9.0, True, None, id="while it stands"),
        pytest.param([stands(0), ended(5)], 5.0, False, None, id="it ended: the server is to show itself first"),
        pytest.param([stands(0), ended(5), answered(6)], 6.5, False, 7.0, id="it lives: in a second"),
        pytest.param([stands(0), ended(5), answered(6)], 7.0, True, 7.0, id="then"),
        pytest.param(
            [stands(0), ended(5), fell(6)], 6.0, True, None, id="it was dead: when it is chosen again, at once"
        ),
        pytest.param([refused(0)], 0.5, False, 1.0, id="it could not be had"),
        pytest.param([refused(0), refused(1)], 2.5, False, 3.0, id="twice"),
        pytest.param([refused(0), refused(1), stands(3), refused(4)], 4.5, False, 5.0, id="that it stood ends the row"),
        pytest.param(
            [*closings(5, 10.0), stands(2000), ended(2000 + SENTINEL_STEADY), answered(2601)],
            2601.5,
            False,
            2602.0,
            id="one that stood for just ten minutes",
        ),
        pytest.param(closings(3, 10.0), 1022.0, False, 1025.1, id="the third end in a row: in four seconds"),
        pytest.param(
            closings(50, 2000.0), 99_100.0, False, 99_001.1 + SENTINEL_RETRY_MAX, id="in a quarter of an hour"
        ),
        pytest.param(
            [*closings(5, 10.0), stands(2000), ended(2001 + SENTINEL_STEADY), answered(2602)],
            2602.5,
            False,
            2603.0,
            id="one that stood for ten minutes shows that it keeps them",
        ),
    ],
)
def test_when_a_connection_is_wanted(steps: list[Step], now: float, again: float | None, *, watched: bool) -> None:
    sentinel = Sentinel()
    for step in steps:
        step(sentinel)
    assert sentinel.wanted(GPU, now) == (Watch("gpu", "100.64.0.2", 11434, 2.0) if watched else None)
    assert sentinel.again(GPU) == (None if again is None else pytest.approx(again))


def test_how_long_another_one_s_connection_stood_says_nothing() -> None:
    sentinel = Sentinel()
    for step in closings(2, 10.0):
        step(sentinel)
    sentinel.stands("nas", 1020.0)
    sentinel.ended("gpu", 1021.0 + SENTINEL_STEADY)
    assert sentinel.closes_idle("gpu")


@pytest.mark.parametrize(("times", "said"), [(0, False), (1, False), (2, True)])
def test_one_that_closes_idle_connections_is_known_after_the_second(times: int, *, said: bool) -> None:
    sentinel = Sentinel()
    for step in closings(times, 10.0):
        step(sentinel)
    assert sentinel.closes_idle("gpu") is said


def test_on_battery_it_asks_less_often() -> None:
    sentinel = Sentinel()
    sentinel.on_battery = True
    assert sentinel.wanted(GPU, 0.0) == Watch("gpu", "100.64.0.2", 11434, 10.0)


def test_it_can_be_turned_off() -> None:
    sentinel = Sentinel()
    sentinel.refused("gpu", 0.0)
    sentinel.on = False
    assert (sentinel.wanted(GPU, 99.0), sentinel.again(GPU)) == (None, None)


def test_who_is_gone_is_forgotten() -> None:
    sentinel = Sentinel()
    sentinel.refused("gpu", 0.0)
    sentinel.keep({"nas"})
    assert sentinel.again(GPU) is None
