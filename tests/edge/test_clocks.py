"""The clocks of this machine, as they are."""

import sys
import time

import pytest

from ollama_locate.core.constants import TICK
from ollama_locate.core.disturbance import compare
from ollama_locate.edge import clocks


def test_a_reading_is_of_now() -> None:
    before, found, after = time.monotonic(), clocks.read(), time.monotonic()
    assert before <= found.monotonic <= after
    assert abs(found.wall - time.time()) < 1
    assert found.boot >= found.monotonic - 1e-3


def test_the_clocks_go_forward_together() -> None:
    first = clocks.read()
    while (second := clocks.read()).monotonic - first.monotonic < 0.01:
        pass
    passed = second.monotonic - first.monotonic
    assert abs((second.boot - first.boot) - passed) < 0.05
    assert compare(first, second, passed) is None
    assert compare(first, second._replace(monotonic=second.monotonic + TICK, boot=second.boot + TICK), passed)


def test_where_no_clock_tells_of_sleep_none_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "freebsd14")
    found = clocks.read()
    assert found.boot == found.monotonic
