"""What is known of a LAN by mDNS: the config's part, one service as it was heard, and a bounded book of them.

Whatever is heard was said by somebody on the LAN, and anybody there can say anything. TXT records are not read.
"""

from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address
from typing import Final

import msgspec

from .bounds import MDNS_ADDRESSES_MAX, MDNS_FORGET, MDNS_SIGHTINGS_MAX
from .constants import MDNS_SERVICE, TAILNET_RANGES
from .patterns import Network, Pattern, is_host, parse_network

Interface = IPv4Interface | IPv6Interface

_TAILNET = tuple(map(parse_network, TAILNET_RANGES))


@dataclass(frozen=True, slots=True)
class Mdns:
    """The config's `[mdns]`. `interfaces` are names or addresses; none: all but Tailscale's."""

    browse: bool = False
    services: tuple[str, ...] = (MDNS_SERVICE,)
    interfaces: tuple[str, ...] = ()
    allow: tuple[Pattern, ...] = ()
    advertise: bool = False


OFF: Final = Mdns()


class Link(msgspec.Struct, frozen=True):
    """An interface of this machine that is up, with its index and its addresses."""

    name: str
    index: int
    addresses: tuple[Interface, ...]

    @property
    def four(self) -> str:
        """Its first IPv4 address, by which multicasts are sent and heard; empty if it has none."""
        return next((str(one.ip) for one in self.addresses if one.version == 4), "")  # noqa: PLR2004 - IPv4


class Sighting(msgspec.Struct, frozen=True):
    """One service. `name` is its own, with its type; `host` the machine's, such as `gpu-box.local`."""

    name: str
    host: str
    port: int
    addresses: tuple[str, ...]


class Heard(msgspec.Struct, frozen=True):
    """All that a LAN says now. `own` are this machine's addresses, `networks` those in which it is."""

    sightings: tuple[Sighting, ...] = ()
    own: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()


def chosen(links: tuple[Link, ...], wanted: tuple[str, ...]) -> tuple[Link, ...]:
    """The interfaces to listen and speak on: those that have IPv4, and that the config names where it names any."""
    return tuple(
        link
        for link in links
        if link.four
        and (
            link.name in wanted or any(str(one.ip) in wanted for one in link.addresses)
            if wanted
            else not any(one.ip in network for one in link.addresses for network in _TAILNET)
        )
    )


def is_meant(allow: tuple[Pattern, ...], sighting: Sighting) -> bool:
    """Whether `allow` may speak of it: by what it says of itself, so that this is no proof of anything."""
    return bool(_meant(allow, sighting))


def _meant(allow: tuple[Pattern, ...], sighting: Sighting) -> set[str]:
    found = {one for one in map(plain, sighting.addresses) if one and by_address(allow, one)}
    return found | {sighting.host} if by_name(allow, sighting.host) else found


def by_name(allow: tuple[Pattern, ...], host: str) -> bool:
    """Whether an entry is this host's name, with or without `.local`."""
    return any(is_host(one, host) for one in allow)


def by_address(allow: tuple[Pattern, ...], address: str) -> bool:
    """Whether an entry is this plain address, or a network that holds it."""
    ip = ip_address(address)
    return any(one.network is not None and ip in one.network for one in allow)


def plain(text: str) -> str:
    """An address as it is compared and published; empty for what is none, or holds only on one interface."""
    try:
        ip: IPv4Address | IPv6Address | None = ip_address(text)
    except ValueError:
        return ""
    if isinstance(ip, IPv6Address):
        if "%" in text or ip.is_link_local:
            return ""
        ip = ip.ipv4_mapped or ip
    return str(ip)


class Book:
    """The services that were heard, the first ones first. `full`: more was said than is remembered.

    Whom `allow` speaks of is not crowded out by those of whom it does not.
    """

    def __init__(self) -> None:
        self.full = False
        self._all: dict[str, tuple[Sighting, float]] = {}

    def hear(self, sighting: Sighting, allow: tuple[Pattern, ...], now: float) -> bool:
        """Somebody said this; returns whether it is remembered."""
        addresses = sighting.addresses[:MDNS_ADDRESSES_MAX]
        sighting = msgspec.structs.replace(sighting, addresses=addresses)
        if sighting.name not in self._all and len(self._all) >= MDNS_SIGHTINGS_MAX:
            self.full = True
            last = self._spare(allow) if is_meant(allow, sighting) else None
            if last is None:
                return False
            del self._all[last]
        self._all[sighting.name] = sighting, now
        return True

    def _spare(self, allow: tuple[Pattern, ...]) -> str | None:
        """Whom to forget: `allow` speaks of none of its places, or others claim all of those as well."""
        meant = {name: _meant(allow, one) for name, (one, _) in self._all.items()}
        claims = Counter(place for places in meant.values() for place in places)
        return next((name for name, places in meant.items() if all(claims[one] > 1 for one in places)), None)

    def gone(self, name: str) -> bool:
        """It said goodbye; returns whether it was known."""
        return self._all.pop(name, None) is not None

    def known(self, name: str, host: str) -> list[str]:
        """The names of the services that are called so, or that this host has."""
        return [key for key, (one, _) in self._all.items() if name == key or host == one.host]

    def sightings(self, now: float) -> tuple[Sighting, ...]:
        """Those that were heard not too long ago."""
        self._all = {name: one for name, one in self._all.items() if now - one[1] < MDNS_FORGET}
        return tuple(sighting for sighting, _ in self._all.values())
