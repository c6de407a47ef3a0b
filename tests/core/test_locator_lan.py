"""Servers of the LAN in the whole: they come, say goodbye, come back, and survive a restart of the daemon."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from ollama_locate.core.health import Status
from ollama_locate.core.locator import Locator
from ollama_locate.core.mdns import Heard, Mdns, Sighting
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.patterns import parse_pattern
from ollama_locate.core.selection import Local
from ollama_locate.core.server import Kind
from ollama_locate.core.tailnet import Absence
from ollama_locate.core.taking import Clock, Run, take
from ollama_locate.core.track import LastGood, Settings

from .world import PLAIN, World, settings

KEY = "mdns:192.168.1.20:11434"
URL = "http://192.168.1.20:11434"
NAME = "gpu-box.local"
GOOD = LastGood(KEY, NAME, URL)
NETWORKS = (ip_network("192.168.1.0/24"),)


def rules(*allow: str, browse: bool = True) -> Settings:
    return settings(replace(PLAIN, mdns=Mdns(browse=browse, allow=tuple(map(parse_pattern, allow)))))


BY_NAME, BY_ADDRESS = rules("gpu-box"), rules("192.168.1.20")


def box(address: str = "192.168.1.20", name: str = "box", host: str = NAME) -> Sighting:
    return Sighting(name, host, 11434, (address,))


def hear(world: World, *sightings: Sighting) -> None:
    world.locator.hear(Heard(sightings, frozenset({"192.168.1.5"}), NETWORKS), world.now)


def of_lan(world: World) -> set[str]:
    return {key for key, one in world.locator.tracks.items() if one.server.kind is Kind.MDNS}


def restarted(chosen: Settings, good: LastGood = GOOD) -> World:
    world = World(chosen)
    world.locator = Locator(chosen, world.now, good)
    return world


def test_it_is_found_without_a_tailnet_and_comes_after_its_peers() -> None:
    world = World(BY_NAME)
    world.away(Absence.NOT_INSTALLED)
    hear(world, box())
    world.ok(KEY)
    assert world.decide() == ("fresh", NAME, "only")
    world.look("gpu")
    world.ok("gpu", 50.0)
    world.ok(KEY, 0.2)
    assert world.decide() == ("fresh", "gpu", "tier")
    world.away()
    assert world.decide() == ("fresh", NAME, "only")


def test_of_two_looks_at_the_tailnet_the_lan_knows_nothing() -> None:
    world = World(BY_NAME)
    hear(world, box())
    for _ in range(2):
        world.look("gpu")
        assert of_lan(world) == {KEY}


def test_who_says_goodbye_is_asked_at_once_and_stays_while_it_lives() -> None:
    world = World(BY_NAME)
    world.away()
    hear(world, box())
    world.ok(KEY)
    world.decide()
    assert world.track(KEY).due > world.now
    hear(world)
    assert world.track(KEY).due == world.now
    world.ok(KEY)
    hear(world)
    assert of_lan(world) == {KEY}
    assert world.track(KEY).due > world.now
    assert world.decide() == ("fresh", NAME, "only")


def test_who_says_goodbye_and_is_dead_goes_and_stays_published_as_stale_until_it_is_back() -> None:
    world = World(BY_NAME)
    world.away()
    hear(world, box())
    world.ok(KEY)
    world.decide()
    hear(world)
    for _ in range(3):
        world.no(KEY, Outcome.REFUSED)
        world.now += 0.1
    assert world.track(KEY).health.status is Status.DOWN
    hear(world)
    assert of_lan(world) == set()
    assert world.decide() == ("stale", NAME, "all_lost")
    hear(world, box())
    world.ok(KEY)
    assert world.decide() == ("fresh", NAME, "only")


def test_a_name_belongs_to_who_answers_to_it_and_to_the_next_one_when_that_is_dead() -> None:
    world = World(BY_NAME)
    hear(world, box())
    world.ok(KEY)
    rival = box("192.168.1.66", "rival")
    hear(world, rival)
    assert of_lan(world) == {KEY}
    assert [one.reason.word for one in world.locator.roster.unasked] == ["claimed_twice"]
    for _ in range(3):
        world.no(KEY, Outcome.REFUSED)
        world.now += 0.1
    hear(world, rival)
    assert of_lan(world) == {"mdns:192.168.1.66:11434"}


@pytest.mark.parametrize(
    ("chosen", "good", "there"),
    [
        pytest.param(BY_NAME, GOOD, True, id="one that is allowed by name"),
        pytest.param(BY_ADDRESS, GOOD, True, id="one that is allowed by address"),
        pytest.param(BY_ADDRESS, replace(GOOD, name="192.168.1.20"), True, id="one without a name"),
        pytest.param(rules("other"), GOOD, False, id="one that is allowed no more"),
        pytest.param(rules("gpu-box", browse=False), GOOD, False, id="mDNS is off"),
        pytest.param(BY_NAME, replace(GOOD, key="mdns:127.0.0.1:11434"), False, id="a file that names this machine"),
        pytest.param(BY_NAME, replace(GOOD, key="mdns:192.168.1.20:x"), False, id="a file with a broken port"),
        pytest.param(BY_NAME, replace(GOOD, key="mdns:junk"), False, id="a file with a broken key"),
    ],
)
def test_after_a_restart_it_is_asked_before_it_is_heard(chosen: Settings, good: LastGood, *, there: bool) -> None:
    world = restarted(chosen, good)
    assert of_lan(world) == ({KEY} if there else set())
    world.look("gpu")
    assert of_lan(world) == ({KEY} if there else set())
    if there:
        world.ok(KEY)
        assert world.decide() is not None
        assert world.locator.tracks[KEY].server.online


def test_after_a_restart_one_that_was_never_heard_again_goes_when_it_is_dead() -> None:
    world = restarted(BY_NAME)
    world.no(KEY, Outcome.REFUSED)
    hear(world)
    assert of_lan(world) == set()


@pytest.mark.parametrize(
    ("networks", "chosen", "url", "trusted"),
    [
        pytest.param(NETWORKS, BY_NAME, URL, True, id="it was said goodbye to, and is as it was"),
        pytest.param((), BY_NAME, URL, True, id="this machine is in no network"),
        pytest.param(NETWORKS, rules("other"), URL, False, id="it is allowed no more"),
        pytest.param(NETWORKS, rules("gpu-box", browse=False), URL, False, id="mDNS was turned off"),
        pytest.param(NETWORKS, BY_NAME, "http://192.168.1.66:11434", False, id="its address is not the one of its key"),
    ],
)
def test_what_was_published_is_still_trusted(
    networks: tuple[object, ...], chosen: Settings, url: str, *, trusted: bool
) -> None:
    world = World(chosen)
    world.locator.hear(Heard((), frozenset(), NETWORKS if networks else ()), world.now)
    assert world.locator.roster.still_trusts(replace(GOOD, url=url)) is trusted


def test_turned_off_it_is_gone() -> None:
    world = World(BY_NAME)
    hear(world, box(), box("192.168.1.9", "x", "x.local"))
    world.ok(KEY)
    assert len(world.locator.roster.unasked) == 1
    world.locator.reconfigure(rules("gpu-box", browse=False), world.now)
    assert of_lan(world) == set()
    assert world.locator.roster.unasked == []


def test_the_snapshot_shows_both() -> None:
    world = World(BY_NAME)
    hear(world, box(), Sighting("x\x1b[2J._ollama._tcp.local.", "evil\u202ehost", 11434, ("192.168.1.9", "\x1b")))
    world.ok(KEY)
    decision = world.locator.conclude(world.now)
    found = take(world.locator, decision, {}, Clock(world.now, 1.8e9), Run(1))
    assert [(one.kind, one.path, one.name, one.url) for one in found.servers] == [("mdns", "lan", NAME, URL)]
    (left,) = found.rejected
    assert (left.kind, left.reason, left.name) == ("mdns", "not_allowed", "evil host")
    assert (left.key, left.addresses) == ("mdns:x [2J._ollama._tcp.local.", ("192.168.1.9", ""))


def test_its_own_ollama_comes_after_the_lan() -> None:
    chosen = replace(BY_NAME, local=Local.LAST, policy=replace(BY_NAME.policy, use_local=True))
    world = World(chosen)
    world.away(Absence.NOT_INSTALLED)
    hear(world, box())
    world.ok("local", 0.1)
    world.ok(KEY, 5.0)
    assert world.decide() == ("fresh", NAME, "tier")
