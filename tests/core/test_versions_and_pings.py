"""Versions of other programs, and what `tailscale ping` says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.ping import Pong, parse_ping
from ollama_locate.core.versions import number, older


@pytest.mark.parametrize(
    ("version", "than", "is_older"),
    [
        pytest.param("0.1.33", "0.1.34", True, id="older by one"),
        pytest.param("0.1.34", "0.1.34", False, id="the same"),
        pytest.param("0.17.4", "0.1.34", False, id="numbers, not letters"),
        pytest.param("0.9.9", "0.17.1", True, id="and the other way round"),
        pytest.param("1.50.1-t8a9", "1.52", True, id="two numbers are enough"),
        pytest.param("v1.102.5-ERR-BuildInfo", "1.52", False, id="what follows does not count"),
        pytest.param("0.0.0", "0.1.34", False, id="built without a version: not known, so not old"),
        pytest.param("", "1.52", False, id="not said"),
        pytest.param("nonsense", "1.52", False, id="no version"),
    ],
)
def test_older(version: str, than: str, is_older: bool) -> None:  # noqa: FBT001 - a table
    assert older(version, than) is is_older


@pytest.mark.parametrize(
    ("version", "found"),
    [("v1.102.5", (1, 102, 5)), ("2.3", (2, 3, 0)), ("0.0.1", (0, 0, 1)), ("0.0", None), ("7", None)],
)
def test_the_numbers_of_a_version(version: str, found: tuple[int, int, int] | None) -> None:
    assert number(version) == found
    assert not older(version, "no version")


@pytest.mark.parametrize(
    ("took", "ms"),
    [
        ("1h", 3.6e6),
        ("1m", 6e4),
        ("1s", 1e3),
        ("1ms", 1.0),
        ("1us", 1e-3),
        ("1µs", 1e-3),
        ("1ns", 1e-6),
        ("1m2.5s", 62_500.0),
    ],
)
def test_the_units_of_a_ping(took: str, ms: float) -> None:
    found = parse_ping(f"pong from gpu (100.64.0.2) via 198.18.0.11:41641 in {took}\n")
    assert found is not None
    assert not found.relayed
    assert found.ms == pytest.approx(ms, rel=1e-9)


@given(st.text())
def test_any_text_is_a_version_or_none(text: str) -> None:
    found = number(text)
    assert found is None or any(found)


@pytest.mark.parametrize(
    ("text", "pong"),
    [
        pytest.param(
            "pong from gpu (100.64.0.2) via 198.18.0.11:41641 in 0s\n",
            Pong(relayed=False, region="", ms=0.0),
            id="recorded: directly",
        ),
        pytest.param('ping "100.64.0.8" timed out\nping "100.64.0.8" timed out\n', None, id="recorded: nobody"),
        pytest.param(
            "pong from nas (100.64.0.3) via DERP(fra) in 41ms\n",
            Pong(relayed=True, region="fra", ms=41.0),
            id="by DERP",
        ),
        pytest.param(
            "pong from nas (100.64.0.3) via peer-relay(203.0.113.7:7777:vni:3) in 12ms\n",
            Pong(relayed=True, region="", ms=12.0),
            id="by another machine of the tailnet",
        ),
        pytest.param(
            "pong from a via [fd7a::1]:41641 in 1.204s\n",
            Pong(relayed=False, region="", ms=1204.0),
            id="a slow one, over IPv6",
        ),
        pytest.param(
            "pong from a via DERP(x) in 1m2s\ndirect connection not established\n",
            Pong(relayed=True, region="x", ms=62_000.0),
            id="a minute",
        ),
        pytest.param(
            "pong from a via DERP(\x1b[31m) in 2ms\n", Pong(relayed=False, region="", ms=2.0), id="no region's name"
        ),
        pytest.param("", None, id="nothing"),
    ],
)
def test_ping(text: str, pong: Pong | None) -> None:
    assert parse_ping(text) == pong
