"""A server that needs a header: asked and shown, and not published unless its table says so."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as replace_look

from ollama_locate.core.for_model import stand_for
from ollama_locate.core.locator import Locator
from ollama_locate.core.net import Net
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.pin import Pin
from ollama_locate.core.placement import answering
from ollama_locate.core.roster import Roster
from ollama_locate.core.server import NOTHING, Kind, Needs, Server, parse_prefix, prefix_of
from ollama_locate.core.snapshot import best_by_model
from ollama_locate.core.tailnet import Absence, Tailnet, Unavailable
from ollama_locate.core.track import LastGood
from ollama_locate.core.trust import StaticServer

from .test_snapshot import of
from .world import PLAIN, World, named, settings

URL = "https://ai.example.com:443/ollama"
STOPPED = Unavailable(Absence.STOPPED)
HEADER, PUBLISHED = Needs("/h"), Needs("/h", publish=True)


def office(needs: Needs) -> StaticServer:
    return StaticServer("office", "ai.example.com", 443, tls=True, prefix="/ollama", needs=needs)


def world(needs: Needs, pin: Pin | None = None, before: LastGood | None = None) -> World:
    chosen = settings()
    made = World(replace(chosen, policy=replace(chosen.policy, static=(office(needs),)), pin=pin))
    made.locator.board.last_good = before
    made.look("gpu")
    return made


@pytest.mark.parametrize(
    ("needs", "want", "standing"),
    [
        pytest.param(NOTHING, ("fresh", "office", "fastest"), "chosen", id="it needs nothing"),
        pytest.param(Needs(ca="/ca"), ("fresh", "office", "fastest"), "chosen", id="an authority is no header"),
        pytest.param(PUBLISHED, ("fresh", "office", "fastest"), "chosen", id="the user says so"),
        pytest.param(HEADER, ("fresh", "gpu", "only"), "needs_header", id="programs would not send it"),
    ],
)
def test_who_needs_a_header_is_published_if_the_user_says_so(
    needs: Needs, want: tuple[str, str, str], standing: str
) -> None:
    made = world(needs)
    made.ok("static:office", 1.0)
    made.ok("gpu", 50.0)
    assert made.decide() == want
    found = of(made, made.locator.conclude(made.now))
    assert {one.name: one.standing for one in found.servers}["office"] == standing
    assert (best_by_model(found)["mistral:latest"] == URL) is (standing == "chosen")


@pytest.mark.parametrize(
    ("needs", "key"),
    [
        pytest.param(NOTHING, "static:office", id="it needs nothing"),
        pytest.param(HEADER, "n2:11434", id="nobody has said so"),
        pytest.param(PUBLISHED, "n2:11434", id="to publish it is another matter"),
        pytest.param(Needs("/h", forward=True), "static:office", id="the user says so"),
    ],
)
def test_the_stable_address_lends_the_header_if_the_user_says_so(needs: Needs, key: str) -> None:
    made = world(needs)
    made.ok("static:office", 1.0)
    made.ok("gpu", 50.0)
    made.decide()
    assert made.locator.board.choice(made.now, forward=True).key == key


def test_that_it_is_down_is_said_first() -> None:
    made = world(HEADER)
    for _ in range(3):
        made.no("static:office", Outcome.LOGIN)
    made.ok("gpu")
    made.decide()
    found = of(made, made.locator.conclude(made.now))
    (down,) = (one for one in found.servers if one.name == "office")
    assert (down.standing, down.text) == ("down", "answers through its proxy only, which wants a login")


def test_nobody_else_is_there_and_it_is_not_published_all_the_same() -> None:
    made = world(HEADER)
    made.ok("static:office")
    made.no("gpu")
    assert made.locator.conclude(made.now).server is None


def test_what_was_published_before_the_config_had_headers_is_taken_back() -> None:
    made = world(HEADER, before=LastGood("static:office", "office", URL))
    made.ok("static:office")
    assert made.locator.last_good is None


def test_one_that_gets_another_url_and_headers_at_once_is_taken_back() -> None:
    made = world(NOTHING)
    made.ok("static:office", 1.0)
    made.no("gpu")
    assert made.decide() == ("fresh", "office", "only")
    moved = replace(office(HEADER), prefix="/other")
    chosen = made.locator.settings
    made.locator.reconfigure(replace(chosen, policy=replace(chosen.policy, static=(moved,))), made.now)
    assert made.locator.last_good is None


def test_what_was_published_before_a_restart_is_not_published_again() -> None:
    chosen = settings()
    chosen = replace(chosen, policy=replace(chosen.policy, static=(office(HEADER),)))
    assert Locator(chosen, 0.0, LastGood("static:office", "office", URL)).conclude(0.0).server is None


def test_it_takes_no_ones_place_when_the_current_one_falls() -> None:
    made = world(HEADER)
    made.ok("static:office")
    made.ok("gpu")
    made.decide()
    assert "static:office" not in list(made.locator.board.successors(made.now, healthy=True))


def test_no_model_is_looked_for_there_unless_it_is_named() -> None:
    """Whoever asks for the best server of a model gets a URL that can be used as it is."""
    made = world(HEADER)
    made.ok("static:office", 1.0, ("only-office:1b", "mistral:latest"))
    made.ok("gpu", 50.0)
    found = of(made, made.locator.conclude(made.now))
    assert found.best == {"mistral:latest": "n2:11434"}
    assert [one.name for one in answering(found)] == ["gpu"]
    assert [one.name for one in answering(found, withheld=True)] == ["gpu", "office"]
    stands = stand_for(found, "only-office:1b")
    assert stands.server is None
    assert {one.server.name: one.word for one in stands.servers}["office"] == "needs_header"
    made.no("static:office")
    assert "static:office" not in [one.key for one in made.locator.board.doubtful([])]
    failing = of(made, made.locator.conclude(made.now))
    assert {one.name: one.standing for one in failing.servers}["office"] == "failing"
    assert [one.name for one in answering(failing)] == ["gpu"]


def test_a_pin_on_it_is_not_followed() -> None:
    made = world(HEADER, Pin("office", URL, "static:office"))
    made.ok("static:office")
    made.ok("gpu")
    assert made.decide() == ("fresh", "gpu", "only")
    pin = of(made, made.locator.conclude(made.now)).pin
    assert pin is not None
    assert not pin.followed


@pytest.mark.parametrize(
    ("host", "needs", "reached"),
    [
        pytest.param("100.64.0.2", HEADER, (False, True, False), id="a token over the tailnet"),
        pytest.param("100.64.0.9", HEADER, (False, False, False), id="an address that is no machine's of the tailnet"),
        pytest.param("100.64.0.9", NOTHING, (True, True, True), id="no token"),
        pytest.param("127.0.0.1", HEADER, (True, True, True), id="a token to this machine"),
    ],
)
def test_without_the_tailnet_no_token_goes_to_its_addresses(
    host: str, needs: Needs, reached: tuple[bool, bool, bool]
) -> None:
    """Before the first look, with the tailnet, and while it is away."""
    roster = Roster(replace(PLAIN, static=(StaticServer("x", host, 80, needs=needs),)), 0.0)
    found = []
    for look in (None, named("gpu"), Unavailable(Absence.STOPPED)):
        if look is not None:
            roster.see(look, 0.0)
        found.append(roster.reachable(roster.tracks["static:x"].server))
    assert tuple(found) == reached


THE_SYSTEMS, SECOND, BY_PROXY = Net("home"), Net("work", "/w"), Net("work", "/w", ("127.0.0.1", 1055))


@pytest.mark.parametrize("absence", [Absence.NOT_INSTALLED, Absence.HUNG, Absence.EXIT_CODE, Absence.STOPPED])
def test_a_look_that_failed_says_nothing_of_where_a_token_would_go(absence: Absence) -> None:
    roster = Roster(replace(PLAIN, static=(StaticServer("x", "100.64.0.2", 80, needs=HEADER),)), 0.0)
    roster.see(named("gpu"), 0.0)
    roster.see(Unavailable(absence), 1.0)
    assert not roster.reachable(roster.tracks["static:x"].server)


@pytest.mark.parametrize(
    ("nets", "looks", "reached"),
    [
        pytest.param((THE_SYSTEMS,), (named("gpu"),), True, id="one that the kernel leads to"),
        pytest.param((THE_SYSTEMS,), (replace_look(named("gpu"), tun=False),), False, id="no network interface"),
        pytest.param((BY_PROXY,), (named("gpu"),), False, id="only a proxy leads to it"),
        pytest.param((THE_SYSTEMS, SECOND), (named("gpu"), named("nas")), True, id="two that are up"),
        pytest.param((THE_SYSTEMS, SECOND), (named("gpu"), named("gpu")), False, id="two machines have the address"),
        pytest.param((THE_SYSTEMS,), (named("nas"),), False, id="its machine has left the tailnet"),
        pytest.param((THE_SYSTEMS, SECOND), (named("gpu"), STOPPED), False, id="it may be of the one that is away"),
        pytest.param((THE_SYSTEMS, BY_PROXY), (named("gpu"), STOPPED), True, id="the kernel never led to that one"),
    ],
)
def test_of_several_tailnets_all_that_the_kernel_leads_to_must_be_there_for_a_token(
    nets: tuple[Net, ...], looks: tuple[Tailnet | Unavailable, ...], *, reached: bool
) -> None:
    roster = Roster(replace(PLAIN, static=(StaticServer("x", "100.64.0.2", 80, needs=HEADER),), nets=nets), 0.0)
    for net, look in zip(nets, looks, strict=True):
        roster.see(look, 0.0, net.name)
    assert roster.reachable(roster.tracks["static:x"].server) is reached


@pytest.mark.parametrize(
    ("url", "needs", "proxied"),
    [
        ("http://10.0.0.7:11434", NOTHING, False),
        ("http://10.0.0.7:11434/gpu", NOTHING, True),
        ("https://10.0.0.7:443", NOTHING, True),
        ("http://127.0.0.1:80", HEADER, True),
    ],
)
def test_who_has_a_proxy_for_sure(url: str, needs: Needs, *, proxied: bool) -> None:
    server = Server("static:x", "x", Kind.STATIC, "10.0.0.7", 1, url, tls=url.startswith("https"), needs=needs)
    assert server.proxied is proxied


@pytest.mark.parametrize(
    ("path", "prefix"), [("", ""), ("/", ""), ("/a/", "/a"), ("/a.b/_c-1", "/a.b/_c-1"), ("/apis/v12", "/apis/v12")]
)
def test_a_prefix_stands_as_it_was_typed(path: str, prefix: str) -> None:
    assert parse_prefix(path) == prefix
    assert prefix_of(f"http://[::1]:80{prefix}") == prefix
