"""Who may be contacted: every peer becomes a server, or is rejected with a named reason."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address

from .constants import INGRESS_TAG, MULLVAD_DOMAIN, MULLVAD_TAG, NO_SERVER_OS, TAILNET_RANGES
from .mdns import OFF, Mdns
from .net import Net
from .patterns import Network, Pattern, matches, parse_network, tier_of_local, tier_of_name, tier_of_peer
from .server import NOTHING, Kind, Needs, Server, http_url
from .tailnet import Peer, Tailnet
from .text import shown
from .worded import Worded


class Rejection(Worded):
    """Why a peer is not even asked; the text is for a person."""

    DENIED = "denied", "the config denies it"
    NO_ID = "no_id", "tailscale gives it no usable ID"
    DUPLICATE_ID = "duplicate_id", "tailscale gives its ID to another peer as well"
    NO_ADDRESS = "no_address", "it has no address"
    ADDRESS_OUTSIDE = (
        "address_outside",
        "its address lies outside the tailnet's ranges (see trusted_networks)",
    )
    ADDRESS_TWICE = (
        "address_twice",
        "another tailnet of this machine uses its address as well (give one of them `socks5`: docs/tailnets.md)",
    )
    EXPIRED = "expired", "its key has expired; log it in again there"
    FUNNEL_INGRESS = "funnel_ingress", "it is a relay of Tailscale Funnel"
    SHARED_OUT = "shared_out", "it belongs to somebody with whom a machine of yours is shared"
    MULLVAD = "mullvad", "it is a Mullvad exit node"
    USERSPACE_HERE = (
        "userspace_here",
        "tailscaled runs here with userspace networking, so that no program can connect to the tailnet (see `socks5`)",
    )
    PHONE_OR_TV = "phone_or_tv", "Ollama does not run on phones and TVs"
    SHARED_IN = "shared_in", "somebody else shared it with you (allow it by name, if you trust it)"
    SELF_TAGGED = "self_tagged", "this machine is tagged, so that nobody's own nodes can be told (use allow)"
    TAGGED = "tagged", "it is tagged, and the tailnet has other users (allow its tag)"
    OTHER_USER = "other_user", "it belongs to another user (allow it by name, if you trust it)"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A peer that is never contacted."""

    peer: Peer
    reason: Rejection
    net: str = ""


@dataclass(frozen=True, slots=True)
class StaticServer:
    """A server of the config: `name = "http://host:port"`, or a table with more. `prefix` goes before `/api`."""

    name: str
    host: str
    port: int
    tls: bool = False
    prefix: str = ""
    needs: Needs = NOTHING

    @property
    def url(self) -> str:
        """What is published."""
        return http_url(self.host, self.port, "https" if self.tls else "http") + self.prefix


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user's config says of trust and order."""

    ports: tuple[int, ...]
    prefer: tuple[Pattern, ...] = ()
    allow: tuple[Pattern, ...] = ()
    deny: tuple[Pattern, ...] = ()
    trusted_networks: tuple[Network, ...] = ()
    static: tuple[StaticServer, ...] = ()
    use_local: bool = True
    check_self: bool = True
    mdns: Mdns = OFF
    nets: tuple[Net, ...] = (Net(),)


_ID = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_TAILNET = tuple(parse_network(text) for text in TAILNET_RANGES)
_FOUR_FIRST, _FOUR_LAST = int(_TAILNET[0][0]), int(_TAILNET[0][-1])


def own_servers(policy: Policy) -> list[Server]:
    """This machine and the static list: there with or without a tailnet."""
    found = []
    if policy.use_local:
        tier = tier_of_local(policy.prefer)
        found = [
            Server(
                f"local:{port}",
                _named("this machine", port, policy),
                Kind.LOCAL,
                "127.0.0.1",
                port,
                f"http://localhost:{port}",
                tier,
            )
            for port in policy.ports
        ]
    for entry in policy.static:
        tier = tier_of_name(policy.prefer, entry.name)
        name = shown(entry.name)
        found.append(
            Server(
                static_key(name),
                name,
                Kind.STATIC,
                entry.host,
                entry.port,
                entry.url,
                tier,
                tls=entry.tls,
                needs=entry.needs,
            )
        )
    return found


def static_key(name: str) -> str:
    """The key of a static server."""
    return f"static:{name}"


def judge(tailnet: Tailnet, policy: Policy) -> tuple[list[Server], list[Rejected]]:
    """Sort the tailnet's peers into servers to probe and peers to leave alone, each with its reason.

    Adds this machine at its own tailnet address, as a check of whether it serves the tailnet.
    """
    servers: list[Server] = []
    rejected: list[Rejected] = []
    seen: set[str] = {tailnet.self.id}
    personal = _is_personal(tailnet)
    for peer in tailnet.peers:
        address = _address(peer, policy)
        reason = _identity(peer, seen, address) or _reject(peer, tailnet, policy, personal=personal)
        seen.add(peer.id)
        if reason is not None or address is None:
            rejected.append(Rejected(peer, reason or Rejection.ADDRESS_OUTSIDE))
            continue
        servers.extend(_servers(peer, address, policy))
    own = _address(tailnet.self, policy)
    if own is not None and policy.use_local and policy.check_self:
        servers.extend(
            Server(
                f"self:{port}",
                _named("this machine", port, policy),
                Kind.SELF_CHECK,
                own,
                port,
                http_url(own, port),
                path="local",
            )
            for port in policy.ports
        )
    return servers, rejected


def _servers(peer: Peer, address: str, policy: Policy) -> Iterable[Server]:
    tier = tier_of_peer(policy.prefer, peer)
    name = shown(peer.name or peer.host_name, 64) or address
    for port in policy.ports:
        yield Server(
            key=f"{peer.id}:{port}",
            name=_named(name, port, policy),
            kind=Kind.PEER,
            host=address,
            port=port,
            url=http_url(address, port),
            tier=tier,
            online=peer.online,
            path=peer.path,
        )


def _named(name: str, port: int, policy: Policy) -> str:
    return name if len(policy.ports) == 1 else f"{name}:{port}"


def _is_personal(tailnet: Tailnet) -> bool:
    """Whether every untagged node of the tailnet is this user's own; nodes of other tailnets do not count."""
    return not tailnet.self.tags and all(
        peer.tags or peer.shared_in or peer.shared_out or peer.user_id == tailnet.self.user_id for peer in tailnet.peers
    )


def _identity(peer: Peer, seen: set[str], address: str | None) -> Rejection | None:
    """What no config can allow: a peer that cannot be told from others or reached inside the tailnet."""
    # The ID is part of keys, among them those of this machine, of static servers and of the LAN.
    if not _ID.fullmatch(peer.id) or peer.id in ("local", "self", "static", "mdns"):
        return Rejection.NO_ID
    if peer.id in seen:
        return Rejection.DUPLICATE_ID
    if not peer.addresses:
        return Rejection.NO_ADDRESS
    return Rejection.ADDRESS_OUTSIDE if address is None else None


def _reject(peer: Peer, tailnet: Tailnet, policy: Policy, *, personal: bool) -> Rejection | None:
    if reason := _never(peer, tailnet, policy):
        return reason
    if policy.allow and any(matches(pattern, peer) for pattern in policy.allow):
        return None
    if peer.os.lower() in NO_SERVER_OS:
        return Rejection.PHONE_OR_TV
    if peer.shared_in:
        return Rejection.SHARED_IN
    if tailnet.self.tags:
        return Rejection.SELF_TAGGED
    if peer.tags:
        return None if personal else Rejection.TAGGED
    return None if peer.user_id and peer.user_id == tailnet.self.user_id else Rejection.OTHER_USER


def _never(peer: Peer, tailnet: Tailnet, policy: Policy) -> Rejection | None:
    if policy.deny and any(matches(pattern, peer) for pattern in policy.deny):
        return Rejection.DENIED
    if peer.shared_out:
        return Rejection.FUNNEL_INGRESS if INGRESS_TAG in peer.tags else Rejection.SHARED_OUT
    if MULLVAD_TAG in peer.tags or peer.dns_name.endswith(MULLVAD_DOMAIN):
        return Rejection.MULLVAD
    if peer.expired:
        return Rejection.EXPIRED
    return None if tailnet.tun else Rejection.USERSPACE_HERE


def _address(peer: Peer, policy: Policy) -> str | None:
    """The first IPv4 address inside the trusted ranges, else the first such IPv6 address, in plain form."""
    second: str | None = None
    for text in peer.addresses:
        address = _trusted(text, policy)
        if address is not None and ":" not in address:
            return address
        second = second or address
    return second


def _trusted(text: str, policy: Policy) -> str | None:
    try:
        four = IPv4Address(text)
    except ValueError:
        pass
    else:
        # The usual case by numbers: ten thousand peers are judged in a tenth of a second.
        if _FOUR_FIRST <= int(four) <= _FOUR_LAST:
            return text
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if "%" in text or address.is_loopback or not any(address in one for one in (*_TAILNET, *policy.trusted_networks)):
        return None
    return str(address)
