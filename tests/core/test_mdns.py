"""What is kept of a LAN, and on which interfaces it is heard."""

from ipaddress import ip_interface

import pytest

from ollama_locate.core.bounds import MDNS_ADDRESSES_MAX, MDNS_FORGET, MDNS_SIGHTINGS_MAX
from ollama_locate.core.mdns import Book, Link, Sighting, chosen
from ollama_locate.core.patterns import Pattern, parse_pattern

ALLOW = (parse_pattern("gpu-box"), parse_pattern("192.168.1.20"))


def seen(name: str, host: str = "", *addresses: str) -> Sighting:
    return Sighting(name, host or f"{name}.local", 11434, addresses or ("192.168.1.50",))


def link(name: str, index: int, *addresses: str) -> Link:
    return Link(name, index, tuple(map(ip_interface, addresses)))


ETH = link("eth0", 2, "fe80::1/64", "192.168.1.5/24")
WIFI = link("wlan0", 3, "192.168.1.6/24")
TAILSCALE = link("tailscale0", 4, "100.64.0.1/32", "fd7a:115c:a1e0::1/128")
SIX = link("six0", 5, "fd00::5/64")


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        pytest.param((), ["eth0", "wlan0"], id="all that have IPv4, but Tailscale's"),
        pytest.param(("wlan0",), ["wlan0"], id="one by its name"),
        pytest.param(("192.168.1.5",), ["eth0"], id="one by its address"),
        pytest.param(("fe80::1",), ["eth0"], id="one by its IPv6 address"),
        pytest.param(("six0", "ppp0"), [], id="one without IPv4, and one that is not there"),
        pytest.param(("tailscale0",), ["tailscale0"], id="even Tailscale's, if it is named"),
    ],
)
def test_the_interfaces(wanted: tuple[str, ...], names: list[str]) -> None:
    found = chosen((ETH, WIFI, TAILSCALE, SIX), wanted)
    assert [one.name for one in found] == names
    assert ETH.four == "192.168.1.5"


def test_it_remembers_what_was_said_last_in_the_order_of_the_first_word() -> None:
    book = Book()
    for one in (seen("a"), seen("b"), seen("a", "other.local")):
        assert book.hear(one, (), 0.0)
    assert book.sightings(1.0) == (seen("a", "other.local"), seen("b"))
    assert book.known("b", "other.local") == ["a", "b"]
    assert (book.gone("a"), book.gone("a")) == (True, False)


def test_who_was_not_heard_for_long_is_gone() -> None:
    book = Book()
    book.hear(seen("a"), (), 0.0)
    book.hear(seen("b"), (), 1.0)
    assert book.sightings(MDNS_FORGET) == (seen("b"),)


def test_of_one_service_only_so_many_addresses_are_kept() -> None:
    book = Book()
    book.hear(seen("a", "", *(f"10.0.0.{number}" for number in range(200))), (), 0.0)
    assert len(book.sightings(0.0)[0].addresses) == MDNS_ADDRESSES_MAX


@pytest.mark.parametrize(
    ("crowd", "comes", "allow", "kept"),
    [
        pytest.param("x", seen("stranger"), ALLOW, False, id="a stranger more is left out"),
        pytest.param("x", seen("x-0", "renamed.local"), ALLOW, True, id="who is known may say something else"),
        pytest.param("x", seen("right", "gpu-box.local"), ALLOW, True, id="one who is allowed by name takes a place"),
        pytest.param("x", seen("right", "", "192.168.1.20"), ALLOW, True, id="and one who is allowed by address"),
        pytest.param(
            "gpu-box", seen("right", "gpu-box.local"), ALLOW, True, id="of those who all claim the same as well"
        ),
    ],
)
def test_a_crowd_takes_no_place_from_who_is_allowed(
    crowd: str, comes: Sighting, allow: tuple[Pattern, ...], *, kept: bool
) -> None:
    book = Book()
    for number in range(MDNS_SIGHTINGS_MAX):
        assert book.hear(seen(f"x-{number}", f"{crowd}.local"), allow, 0.0)
    assert not book.full
    assert book.hear(comes, allow, 1.0) is kept
    assert (comes in book.sightings(1.0)) is kept
    assert len(book.sightings(1.0)) == MDNS_SIGHTINGS_MAX
    assert book.full is (comes.name != "x-0")


def test_junk_for_an_address_speaks_for_nobody() -> None:
    book = Book()
    for number in range(MDNS_SIGHTINGS_MAX + 1):
        book.hear(seen(f"x-{number}", "", "fe80::1%eth0", "no address"), ALLOW, 0.0)
    assert book.full
