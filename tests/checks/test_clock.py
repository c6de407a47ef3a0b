"""The clock: against real servers whose `Date` is another one, and by tables."""

import email.utils
import time

import pytest

from ollama_locate.checks import clock
from ollama_locate.checks.clock import judge
from tests.checks.machine import Machine
from tests.standins.ollama import answers, http, like_ollama
from tests.standins.tailscale import node

HOUR = 3600.0


def at(offset: float) -> bytes:
    """A good answer by a clock that is off."""
    date = email.utils.formatdate(time.time() + offset, usegmt=True)
    return http("200 OK", b'{"version":"0.17.4"}', more=f"Date: {date}\r\n")


@pytest.mark.parametrize(
    ("skews", "codes", "says"),
    [
        pytest.param({}, [], "", id="nobody says the time"),
        pytest.param({"a": 0.4, "b": -1.0}, [], "", id="fine"),
        pytest.param({"a": 119.0}, [], "", id="not far"),
        pytest.param({"a": HOUR, "b": HOUR + 1}, ["clock_off"], "1 h slow", id="two agree: ours is slow"),
        pytest.param({"a": -HOUR, "b": -HOUR, "c": 0.0}, ["clock_off"], "1 h fast", id="most agree: ours is fast"),
        pytest.param({"a": 2 * HOUR}, ["clocks_differ"], "2 h apart", id="one server: who knows"),
        pytest.param(
            {"a": 2 * HOUR, "b": 0.0, "c": 1.0}, ["clocks_differ"], "a are 2 h apart", id="one of three is off"
        ),
        pytest.param({"a": HOUR, "b": -HOUR}, ["clocks_differ"], "a, b", id="nobody agrees"),
        pytest.param(
            {"a": HOUR, "b": 2 * HOUR, "c": 4 * HOUR}, ["clocks_differ"], "a, b, c", id="nobody agrees, of three"
        ),
    ],
)
def test_judge(skews: dict[str, float], codes: list[str], says: str) -> None:
    found = judge(skews)
    assert [one.code for one in found] == codes
    assert not codes or says in found[0].text, found[0].text


def test_two_servers_of_another_time(here: Machine) -> None:
    here.tailnet(node("gpu", 2), node("nas", 3))
    for address in ("100.64.0.2", "100.64.0.3"):
        here.far(address, answers(at(-2 * HOUR), then_close=False))
    finding = here.the(clock.run, "clock_off")
    assert finding.text == "This machine's clock is 2 h fast."


def test_a_server_of_this_time_and_one_that_says_none(here: Machine) -> None:
    here.tailnet(node("gpu", 2), node("nas", 3))
    here.far("100.64.0.2", answers(at(0), then_close=False))
    here.far("100.64.0.3", like_ollama("m"))
    assert here.codes(clock.run) == []


def test_nobody_to_compare_with(here: Machine) -> None:
    assert here.codes(clock.run) == []


def test_the_clock_of_a_proxy_is_nobodys(here: Machine) -> None:
    here.far("10.0.0.7", answers(at(2 * HOUR), then_close=False))
    here.config["static"] = '{ den = "http://10.0.0.7:8080/gpu" }'
    assert here.codes(clock.run) == []
    here.config["static"] = '{ den = "http://10.0.0.7:8080" }'
    assert here.codes(clock.run) == ["clocks_differ"]
