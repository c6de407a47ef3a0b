"""A pin: what lies in its file, and what follows from it."""

from dataclasses import replace

import pytest

from ollama_locate.core.outcome import Outcome
from ollama_locate.core.pin import LATEST, NAME, Pin, parse_pin, render_pin, split_url
from ollama_locate.core.selection import Standing
from ollama_locate.core.track import Settings
from ollama_locate.core.trust import StaticServer

from .test_snapshot import of
from .world import Step, World, after, away, decide, key, look, no, ok, settings

GPU = "http://100.64.0.2:11434"
NAS = Pin("nas", "http://100.64.0.3:11434", key("nas"))
ELSEWHERE = Pin("pinned", "http://192.168.1.9:11434")
START = (look("gpu", "nas"), ok("gpu", 5), ok("nas", 40), decide)


def pinned(pin: Pin | None, chosen: Settings | None = None) -> Settings:
    found = replace(chosen or settings(), pin=pin)
    extra = pin.static() if pin is not None else None
    return replace(found, policy=replace(found.policy, static=(extra,))) if extra else found


def pins(pin: Pin | None) -> Step:
    return lambda world: world.locator.reconfigure(pinned(pin), world.now)


def went(*steps: Step, before: str | None = None, chosen: Settings | None = None) -> World:
    world = World(chosen, before)
    for step in steps:
        step(world)
    return world


@pytest.mark.parametrize(
    ("steps", "decision"),
    [
        pytest.param([*START, pins(NAS)], ("fresh", "nas", "pinned"), id="a slower one: all the same"),
        pytest.param(
            [*START, pins(NAS), after(1), no("nas", times=3)],
            ("stale", "nas", "network_silent"),
            id="it, and nobody, answers",
        ),
        pytest.param(
            [*START, pins(NAS), after(1), no("nas"), ok("gpu"), no("nas", times=2)],
            ("stale", "nas", "pinned_dead"),
            id="it dies",
        ),
        pytest.param(
            [*START, pins(NAS), after(1), no("nas", times=3), after(9), ok("nas"), ok("nas")],
            ("fresh", "nas", "pinned"),
            id="it dies and comes back",
        ),
        pytest.param(
            [*START, no("nas", Outcome.REFUSED, times=3), pins(NAS)], ("stale", "nas", "pinned_dead"), id="a dead one"
        ),
        pytest.param([*START, pins(NAS), decide, pins(None)], ("fresh", "gpu", "fastest"), id="unpinned: no dead band"),
        pytest.param([*START, pins(NAS), away()], ("stale", "nas", "tailnet_away"), id="Tailscale is away"),
        pytest.param(
            [*START, pins(NAS), decide, look("gpu")],
            ("fresh", "gpu", "only"),
            id="it is no server any more: not followed",
        ),
        pytest.param([*START, pins(ELSEWHERE), ok("static:pinned", 90)], ("fresh", "pinned", "pinned"), id="a URL"),
        pytest.param(
            [*START, pins(ELSEWHERE), no("static:pinned", times=3)], ("stale", "pinned", "pinned_dead"), id="a dead URL"
        ),
    ],
)
def test_what_a_pin_decides(steps: list[Step], decision: tuple[str, str, str]) -> None:
    assert went(*steps).decide() == decision


def test_at_a_start_the_pinned_one_is_heard_before_it_is_called_dead() -> None:
    world = went(look("gpu", "nas"), ok("gpu", 5), chosen=pinned(NAS), before="nas")
    assert world.decide() is None
    world.ok("nas", 40)
    assert world.decide() == ("fresh", "nas", "pinned")


def test_the_others_are_told_that_another_one_is_pinned() -> None:
    world = went(*START, pins(NAS))
    shot = of(world, world.locator.conclude(world.now))
    assert {one.name: one.standing for one in shot.servers} == {"nas": "chosen", "gpu": Standing.NOT_PINNED.word}
    assert shot.pin is not None
    assert (shot.pin.name, shot.pin.until, shot.pin.followed) == ("nas", None, True)


def test_a_pin_that_cannot_be_followed_is_shown() -> None:
    world = went(look("gpu"), ok("gpu"), pins(replace_pin(NAS, until=1_700_000_000.0)))
    shot = of(world, world.locator.conclude(world.now))
    assert shot.pin is not None
    assert (shot.pin.followed, shot.pin.until, shot.decision.endpoint) == (False, "2023-11-14T22:13:20.000Z", GPU)


def replace_pin(pin: Pin, until: float) -> Pin:
    return Pin(pin.name, pin.url, pin.key, until)


# --- the file


@pytest.mark.parametrize("pin", [NAS, ELSEWHERE, replace_pin(NAS, 1.5e9)], ids=["a server", "a URL", "for a time"])
def test_it_goes_there_and_back(pin: Pin) -> None:
    assert parse_pin(render_pin(pin)) == pin


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"", "it cannot be read", id="empty"),
        pytest.param(b"\xff{}", "it cannot be read", id="bytes"),
        pytest.param(b"[" * 4000, "it cannot be read", id="nested"),
        pytest.param(b'{"name":"x"}', "it cannot be read: Object missing required field `url`", id="no URL"),
        pytest.param(
            b'{"name":"x","url":"http://a:1","schema":2}', "it has schema 2, this program knows 1", id="newer"
        ),
        pytest.param(b'{"name":"x","url":"file:///etc/passwd"}', "must be a URL such as", id="another scheme"),
        pytest.param(b'{"name":"x","url":"http://a$(id):1"}', "has a host that cannot be used", id="a hostile host"),
        pytest.param(b'{"name":"x","url":"http://a:99999"}', "is no URL", id="no port"),
    ],
)
def test_what_is_no_pin(data: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"it cannot be read|schema|URL|cannot be used") as caught:
        parse_pin(data)
    assert sentence in str(caught.value)


def test_a_name_with_control_characters_is_cleaned() -> None:
    assert parse_pin(b'{"name":"\\u001b[2Jx","url":"http://a:1"}').name == "[2Jx"
    assert parse_pin(b'{"name":"","url":"http://a:1"}').name == "pinned"


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://100.64.0.2:11434/", ("100.64.0.2", 11434, False, "")),
        ("http://box", ("box", 11434, False, "")),
        ("https://box.lan", ("box.lan", 443, True, "")),
        ("https://box.lan/ai/ollama/", ("box.lan", 443, True, "/ai/ollama")),
        ("http://[fd7a::1]:1", ("fd7a::1", 1, False, "")),
        ("box:1", ("box", 1, False, "")),
    ],
)
def test_a_url_in_parts(url: str, parts: tuple[str, int, bool, str]) -> None:
    assert split_url(url) == StaticServer(NAME, *parts)


@pytest.mark.parametrize(
    "url", ["http://me@a:1", "http://a:1/v1", "http://a:1/../b", "http://a:1?x", "http://a:1#x", "http://", "ftp://a"]
)
def test_a_url_that_cannot_be_pinned(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        split_url(url)


def test_one_that_nobody_has_asked_is_not_called_dead_at_once() -> None:
    """What was published stays until it has answered, or has not."""
    world = went(*START, pins(ELSEWHERE))
    assert world.decide() is None
    world.ok("static:pinned", 50)
    assert world.decide() == ("fresh", "pinned", "pinned")


@pytest.mark.parametrize("until", ["-1", "1e15", "1e400"])
def test_an_end_that_is_no_time(until: str) -> None:
    with pytest.raises(ValueError, match=r"its end|cannot be read"):
        parse_pin(b'{"name":"x","url":"http://a:1","until":' + until.encode() + b"}")


def test_a_key_that_only_stands_for_a_url_is_none() -> None:
    assert parse_pin(b'{"name":"x","url":"http://a:1","key":"static:pinned"}').key is None


@pytest.mark.parametrize("until", [0.0, LATEST])
def test_the_first_end_and_the_last(until: float) -> None:
    assert parse_pin(render_pin(Pin("gpu", "http://h:1", until=until))).until == until


def test_a_pinned_url_is_a_server_as_it_was_typed() -> None:
    pin = parse_pin(render_pin(Pin("n" * 65, "https://ollama.example")))
    assert (pin.name, pin.url) == ("n" * 63 + "…", "https://ollama.example:443")
    assert parse_pin(render_pin(Pin("n" * 64, "h"))).name == "n" * 64
    static = pin.static()
    assert static is not None
    assert (static.host, static.port, static.tls) == ("ollama.example", 443, True)


@pytest.mark.parametrize("url", ["http://me@h", "http://:secret@h", "http://h?a", "http://h#a"])
def test_a_url_with_a_login_or_a_query_cannot_be_pinned(url: str) -> None:
    with pytest.raises(ValueError, match="without a login and a query"):
        split_url(url)
