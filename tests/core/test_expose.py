"""What `expose` does about what it finds."""

import json

import pytest

from ollama_locate.core.expose import Facts, Situation, grant, judge, off_words, serve_words, serves
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.tailnet import Absence, Tailnet, Unavailable, parse_status
from tests.standins import tailscale

ALIVE, REFUSED, EMPTY, FORBIDDEN = Outcome.ALIVE, Outcome.REFUSED, Outcome.EMPTY, Outcome.FORBIDDEN_HOST
OURS = "127.0.0.1:11434"


def running(*, tun: bool = True) -> Tailnet:
    found = parse_status(tailscale.raw(TUN=tun))
    assert isinstance(found, Tailnet)
    return found


@pytest.mark.parametrize(
    ("here", "tailnet", "network", "serves", "situation"),
    [
        pytest.param(ALIVE, REFUSED, REFUSED, "", Situation.FREE, id="an Ollama on loopback only"),
        pytest.param(ALIVE, REFUSED, None, "", Situation.FREE, id="and no other network"),
        pytest.param(REFUSED, REFUSED, REFUSED, "", Situation.NO_OLLAMA, id="none"),
        pytest.param(REFUSED, EMPTY, None, OURS, Situation.NO_OLLAMA, id="served, and dead behind it"),
        pytest.param(ALIVE, ALIVE, REFUSED, OURS, Situation.SERVED, id="served already"),
        pytest.param(REFUSED, ALIVE, REFUSED, "", Situation.BOUND, id="bound to the tailnet address"),
        pytest.param(ALIVE, ALIVE, ALIVE, "", Situation.OPEN, id="bound to every address"),
        pytest.param(ALIVE, ALIVE, ALIVE, OURS, Situation.OPEN, id="and served on top"),
        pytest.param(ALIVE, REFUSED, None, "127.0.0.1:80", Situation.TAKEN, id="the port is another's"),
        pytest.param(ALIVE, REFUSED, None, "a website", Situation.TAKEN, id="or a website's"),
    ],
)
def test_situations(
    here: Outcome, tailnet: Outcome, network: Outcome | None, serves: str, situation: Situation
) -> None:
    assert judge(Facts(running(), here, tailnet, network, serves, 11434)) is situation


def test_without_a_network_interface_only_another_bind_helps() -> None:
    assert judge(Facts(running(tun=False), ALIVE, FORBIDDEN, None, "", 11434)) is Situation.USERSPACE


def test_without_a_tailnet_there_is_nothing_to_publish_to() -> None:
    look = Unavailable(Absence.STOPPED)
    assert judge(Facts(look, ALIVE, None, None, "", 11434)) is Situation.NO_TAILNET


@pytest.mark.parametrize(
    ("status", "found"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"TCP": None, "Foreground": None}, "", id="nulls"),
        pytest.param({"TCP": {"11434": {"TCPForward": OURS}}}, OURS, id="as recorded from 1.102.5"),
        pytest.param({"TCP": {"443": {"HTTPS": True}}}, "", id="another port"),
        pytest.param({"TCP": {"11434": {"HTTP": True}}}, "a website", id="a website on it"),
        pytest.param({"Foreground": {"x": {"TCP": {"11434": {"TCPForward": OURS}}}}}, OURS, id="in a terminal"),
    ],
)
def test_what_is_served(status: dict[str, object], found: str) -> None:
    assert serves(json.dumps(status).encode(), 11434) == found


def test_no_words_at_all_serve_nothing() -> None:
    assert serves(b"\n", 11434) == ""


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"TCP": 3}', b"\xff", b"[" * 5000])
def test_what_cannot_be_read_is_a_sentence(raw: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        serves(raw, 11434)


def test_the_words() -> None:
    assert serve_words(11434) == ("serve", "--bg", "--tcp", "11434", "tcp://127.0.0.1:11434")
    assert off_words(11434) == ("serve", "--tcp=11434", "off")


def test_the_grant_lets_in_this_user_to_this_machine() -> None:
    rule = {"src": ["me@example.com"], "dst": ["100.64.0.1"], "ip": ["tcp:11434"]}
    assert json.loads(grant(running().self, 11434)) == rule
