"""How long a probe waits, for the SYN-ACK and for the answer, and when it knocks a second time."""

import asyncio
import time
from typing import Any

import pytest

from ollama_locate.core.constants import SURE_GAP
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.edge.dial import Attempt, Connected
from tests.edge.listener import at, probe, terms
from tests.standins import ollama
from tests.standins.ollama import like_ollama, serving
from tests.standins.wire import EmbeddedWire, Far


class LosesTheFirst(EmbeddedWire):
    """A wire on which the first SYN is lost, as on an idle tunnel."""

    tries = 0

    def attempt(self, host: str, port: int, done: Connected) -> Attempt:
        self.tries += 1
        return super().attempt("0.0.0.0" if self.tries == 1 else host, port, done)


@pytest.mark.parametrize(
    ("rtt", "least", "most"),
    [
        pytest.param(None, 1.9, 2.5, id="unknown: the whole time-out"),
        pytest.param(0.01, 0.9, 1.5, id="known and near: a second"),
        pytest.param(0.5, 1.4, 1.9, id="known and far: three round trips"),
    ],
)
def test_the_wait_for_the_syn_ack(rtt: float | None, least: float, most: float) -> None:
    started = time.monotonic()
    found = asyncio.run(probe(at("100.64.0.2", 1), 2.0, EmbeddedWire({}), terms(rtt)))
    assert found.outcome is Outcome.SILENT
    assert least < time.monotonic() - started < most


@pytest.mark.parametrize("wait", [0.05, 0.3], ids=["one that was quick so far", "one that is slow as a rule"])
def test_a_server_that_does_not_answer_in_its_own_time_is_busy_and_was_reached(wait: float) -> None:
    async def case() -> tuple[Probe, float]:
        async with serving(ollama.says_nothing) as port:
            started = time.monotonic()
            found = await probe(at("127.0.0.1", port), 5.0, on=terms(answer_wait=wait))
            return found, time.monotonic() - started

    found, took = asyncio.run(case())
    assert (found.outcome, found.connected, found.reached) == (Outcome.BUSY, True, True)
    assert wait <= took < wait + 0.4


class Counts(EmbeddedWire):
    """A wire that notes when each connect left."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.left: list[float] = []

    def attempt(self, host: str, port: int, done: Connected) -> Attempt:
        self.left.append(time.monotonic())
        return super().attempt(host, port, done)


def test_a_check_that_confirms_a_silence_is_two_connects_and_two_failures() -> None:
    wire = Counts({})
    started = time.monotonic()
    found = asyncio.run(probe(at("100.64.0.2", 1), 0.5, wire, terms(0.01, sure=True)))
    assert (found.outcome, found.attempts) == (Outcome.SILENT, 2)
    assert len(wire.left) == 2
    assert SURE_GAP <= wire.left[1] - wire.left[0] < SURE_GAP + 0.2
    assert 0.5 + SURE_GAP <= time.monotonic() - started < 0.7 + SURE_GAP, "each connect has its own patience"


@pytest.mark.parametrize(
    ("far", "outcome"),
    [
        pytest.param(Far(None, 0.01), Outcome.REFUSED, id="it refuses"),
        pytest.param(Far(1, 0.01), Outcome.REFUSED, id="its port is closed"),
    ],
)
def test_a_check_that_is_answered_is_one_failure(far: Far, outcome: Outcome) -> None:
    found = asyncio.run(probe(at("100.64.0.2", 1), 1.0, EmbeddedWire({"100.64.0.2": far}), terms(0.01, sure=True)))
    assert (found.outcome, found.attempts) == (outcome, 1)


def test_the_second_connect_of_a_sure_check_may_find_it_alive() -> None:
    async def case() -> Probe:
        async with serving(like_ollama("m")) as port:
            wire = LosesTheFirst({"100.64.0.2": Far(port, 0.02)})
            return await probe(at("100.64.0.2", port), 0.5, wire, terms(0.02, sure=True))

    found = asyncio.run(case())
    assert (found.outcome, found.attempts) == (Outcome.ALIVE, 1)


def test_the_second_socket_saves_a_lost_first_syn() -> None:
    async def case() -> tuple[Probe, float]:
        async with serving(like_ollama("m")) as port:
            started = time.monotonic()
            found = await probe(at("100.64.0.2", port), 2.0, LosesTheFirst({"100.64.0.2": Far(port, 0.02)}))
            return found, time.monotonic() - started

    found, took = asyncio.run(case())
    assert (found.outcome, took < 1.0) == (Outcome.ALIVE, True), found
