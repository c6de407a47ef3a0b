"""Whatever is said on a LAN, nothing is published that the config does not allow."""

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.locator import Locator
from ollama_locate.core.mdns import Book, Heard, Mdns, Sighting
from ollama_locate.core.patterns import Pattern, parse_pattern
from ollama_locate.core.server import host_of
from ollama_locate.core.track import LastGood, Settings
from ollama_locate.core.trust import Policy

from .strategies import addresses, probes, texts

NEAR = ip_network("192.168.1.0/24")
NEVER = tuple(map(ip_network, ("127.0.0.0/8", "0.0.0.0/8", "::1", "::", "100.64.0.0/10", "fd7a:115c:a1e0::/48")))
OWN = frozenset({"192.168.1.5"})
GPU_BOX = Mdns(browse=True, allow=(parse_pattern("gpu-box.local"),))

_hosts = st.sampled_from(["gpu-box.local", "gpu-box.lan", "nas.local", "x.gpu-box.local", "this machine"]) | texts
_lan = st.integers(0, 255).map(lambda number: f"192.168.1.{number}")
_sightings = st.builds(
    Sighting,
    name=st.sampled_from(["a", "b", "c"]) | texts,
    host=_hosts,
    port=st.sampled_from([11434, 22, 0, 70000]),
    addresses=st.lists(_lan | addresses, max_size=4).map(tuple),
)
_allow = st.lists(
    st.sampled_from(["gpu-box", "nas", "192.168.1.20", "192.168.1.0/28", "10.0.0.0/8", "fd00::/16"]), max_size=3
).map(lambda found: tuple(map(parse_pattern, found)))
_goods = st.none() | st.builds(
    lambda host, address, port: LastGood(f"mdns:{address}:{port}", host, f"http://{address}:{port}"),
    _hosts,
    _lan | addresses,
    st.sampled_from([11434, 22]),
)


def may_be_published(allow: tuple[Pattern, ...], address: str) -> bool:
    """Said anew: an address that is allowed, or any of this LAN where a name is."""
    ip = ip_address(address)
    if any(ip in network for network in NEVER) or address in OWN:
        return False
    named = any(entry.network is None for entry in allow)
    return any(entry.network is not None and ip in entry.network for entry in allow) or (named and ip in NEAR)


@given(_allow, _goods, st.lists(st.lists(_sightings, max_size=5), max_size=4), st.data())
def test_nobody_who_is_not_allowed_is_asked_or_published(
    allow: tuple[Pattern, ...], good: LastGood | None, rounds: list[list[Sighting]], data: st.DataObject
) -> None:
    policy = Policy((11434,), use_local=False, check_self=False, mdns=Mdns(browse=True, allow=allow))
    locator, book = Locator(Settings(policy, 30.0), 0.0, good), Book()
    for number, sightings in enumerate(rounds, 1):
        now = float(number)
        for sighting in sightings:
            book.hear(sighting, allow, now)
            if data.draw(st.integers(0, 4)) == 0:
                book.gone(sighting.name)
        locator.hear(Heard(book.sightings(now), OWN, (NEAR,)), now)
        for key, track in sorted(locator.tracks.items()):
            assert may_be_published(allow, track.server.host)
            assert track.server.url == f"http://{track.server.host}:11434" or ":" in track.server.host
            locator.begin(key, now)
            locator.finish(key, data.draw(probes(now)), now)
        decision = locator.conclude(now)
        assert decision.server is None or may_be_published(allow, host_of(decision.server.url))


@given(st.lists(_sightings, max_size=8))
def test_a_name_alone_never_leads_to_two_addresses(sightings: list[Sighting]) -> None:
    policy = Policy((11434,), use_local=False, check_self=False, mdns=GPU_BOX)
    locator = Locator(Settings(policy, 30.0), 0.0)
    locator.hear(Heard(tuple(sightings), OWN, (NEAR,)), 0.0)
    assert (
        len({track.server.host for track in locator.tracks.values() if track.server.lan_name == "gpu-box.local"}) <= 1
    )
