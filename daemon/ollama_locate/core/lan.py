"""Who of those that mDNS found may be asked: each becomes a server, or is left alone with a named reason.

A name on a LAN is whatever its bearer says, and so is the claim to have an address; but who claims another's address
does not get our connections. So an address decides; a name only where `[mdns] allow` has it and nobody else bears it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address

from msgspec.structs import replace

from .bounds import MDNS_SERVERS_MAX
from .constants import LAN_RANGES, LOOPBACK_RANGES, TAILNET_RANGES
from .mdns import Heard, Sighting, by_address, by_name, plain
from .patterns import parse_network, tier_of_found
from .server import Kind, Server, http_url
from .text import shown
from .trust import Policy
from .worded import Worded

PREFIX = "mdns:"


class Unfit(Worded):
    """Why a service of the LAN is not even asked; the text is for a person. The first of several is said."""

    DENIED = "denied", "the config denies it"
    CLAIMED_TWICE = "claimed_twice", "several addresses claim its name; allow the address that is meant"
    OTHER_PORT = "other_port", "its port is not among `ports`"
    NOT_ALLOWED = "not_allowed", "mDNS found it, and `[mdns] allow` has neither its name nor its address"
    NOT_ON_LAN = "not_on_lan", "its address is no private IPv4 one of a network of this machine (allow the address)"
    OWN_ADDRESS = "own_address", "it is this machine itself"
    CLAIMS_TAILNET = "claims_tailnet", "it claims an address of the tailnet, of which only Tailscale is believed"
    CLAIMS_LOOPBACK = "claims_loopback", "it claims a loopback address, which would be this machine"
    NO_ADDRESS = "no_address", "it has no address that can be used"
    TOO_MANY = "too_many", f"{MDNS_SERVERS_MAX} others of the LAN are asked already"


@dataclass(frozen=True, slots=True)
class Unasked:
    """A service that is left alone."""

    sighting: Sighting
    reason: Unfit


_TAILNET = tuple(map(parse_network, TAILNET_RANGES))
_LOOPBACK = tuple(map(parse_network, LOOPBACK_RANGES))
_LAN = tuple(map(parse_network, LAN_RANGES))


class Judge:
    """Judges what was heard. `holders`: by host the address that was in use so far and answers there.

    While it does, nobody else gets the name; later whoever bears it alone.
    """

    def __init__(self, policy: Policy, heard: Heard | None, holders: Mapping[str, str]) -> None:
        self._policy, self._heard, self._holders = policy, heard, holders
        self._claims: dict[str, set[str]] = {}
        self._bearers: dict[str, set[str]] = {}
        for sighting in heard.sightings if heard is not None else ():
            for address in filter(None, map(plain, sighting.addresses)):
                self._bearers.setdefault(address, set()).add(sighting.host)
                if self._is_near(address):
                    self._claims.setdefault(sighting.host, set()).add(address)

    def all(self) -> tuple[list[Server], list[Unasked]]:
        """The servers of the LAN, each address and port once, and who is left alone."""
        servers: dict[str, Server] = {}
        unasked = []
        for sighting in self._heard.sightings if self._heard is not None else ():
            reasons = {one: self.reason(sighting.host, plain(one), sighting.port) for one in sighting.addresses}
            fit = [plain(one) for one, reason in reasons.items() if reason is None]
            found = {one.key: one for one in (self.server(sighting.host, each, sighting.port) for each in fit)}
            rivals = tuple(one for one, reason in reasons.items() if reason is Unfit.CLAIMED_TWICE)
            if len(servers.keys() | found.keys()) > MDNS_SERVERS_MAX:
                unasked.append(Unasked(sighting, Unfit.TOO_MANY))
            elif found and rivals:
                # One that holds its name is asked; who claims it as well is shown.
                unasked.append(Unasked(replace(sighting, addresses=rivals), Unfit.CLAIMED_TWICE))
                servers |= found
            elif found:
                servers |= found
            else:
                unasked.append(Unasked(sighting, _worst(reasons.values())))
        return list(servers.values()), unasked

    def reason(self, host: str, address: str, port: int) -> Unfit | None:
        """Why this address of this host is not asked; None: it is. `address` is plain, empty for one that is none."""
        if not address:
            return Unfit.NO_ADDRESS
        if claimed := _claims_another_place(address):
            return claimed
        if self._denies(host, address):
            return Unfit.DENIED
        if self._is_own(address):
            return Unfit.OWN_ADDRESS
        if port not in self._policy.ports:
            return Unfit.OTHER_PORT
        if by_address(self._policy.mdns.allow, address):
            return None
        return self._reason_by_name(host, address)

    def server(self, host: str, address: str, port: int, *, online: bool = True) -> Server:
        """The server at this address, which may be asked."""
        policy = self._policy
        name = host if self._may_bear(host, address) else address
        # Who is allowed by its address does not get the place of a name that it claims as well.
        named = self._reason_by_name(host, address) is None
        return Server(
            key=f"{PREFIX}{address}:{port}",
            name=shown(name, 64) if len(policy.ports) == 1 else f"{shown(name, 64)}:{port}",
            kind=Kind.MDNS,
            host=address,
            port=port,
            url=http_url(address, port),
            tier=tier_of_found(policy.prefer, host if named else "", address),
            online=online,
            path="lan",
            lan_name=host,
        )

    def _reason_by_name(self, host: str, address: str) -> Unfit | None:
        if not by_name(self._policy.mdns.allow, host):
            return Unfit.NOT_ALLOWED
        if not self._is_near(address):
            return Unfit.NOT_ON_LAN
        holder = self._holders.get(host)
        if holder is not None:
            return None if holder == address else Unfit.CLAIMED_TWICE
        return None if self._claims.get(host, {address}) == {address} else Unfit.CLAIMED_TWICE

    def _is_near(self, address: str) -> bool:
        """Whether it is a private IPv4 address of a network in which this machine is, and not its own.

        mDNS does not leave a link (RFC 6762, 11); the other addresses of a machine, of its containers say, are no use.
        """
        ip = ip_address(address)
        if not isinstance(ip, IPv4Address) or not any(ip in one for one in _LAN):
            return False
        return self._heard is None or (not self._is_own(address) and any(ip in one for one in self._heard.networks))

    def _is_own(self, address: str) -> bool:
        return self._heard is not None and address in self._heard.own

    def _denies(self, host: str, address: str) -> bool:
        return by_address(self._policy.deny, address) or by_name(self._policy.deny, host)

    def _may_bear(self, host: str, address: str) -> bool:
        """Whether the name can be shown: one that no other address claims, and no other name for this address."""
        alone = self._claims.get(host, set()) <= {address} and self._bearers.get(address, set()) <= {host}
        return host.endswith(".local") and (alone or self._holders.get(host) == address)


def _claims_another_place(address: str) -> Unfit | None:
    """What no config can allow: somebody on the LAN shall not make us publish this machine, or the tailnet."""
    ip = ip_address(address)
    if any(ip in one for one in _LOOPBACK):
        return Unfit.CLAIMS_LOOPBACK
    if any(ip in one for one in _TAILNET):
        return Unfit.CLAIMS_TAILNET
    return Unfit.NO_ADDRESS if ip.is_multicast or ip == IPv4Address("255.255.255.255") else None


def _worst(reasons: Iterable[Unfit | None]) -> Unfit:
    """The reason that is said where each address has its own."""
    order = list(Unfit)
    found = [reason for reason in reasons if reason is not None]
    return min(found, key=order.index) if found else Unfit.NO_ADDRESS
