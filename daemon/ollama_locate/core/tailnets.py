"""Several tailnets, judged together: each by its own users, and none by an address that two of them use."""

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address, ip_network

from msgspec.structs import replace as altered

from .net import Net
from .patterns import Network
from .server import Server
from .tailnet import Tailnet
from .trust import Policy, Rejected, Rejection, judge

Seen = tuple[Net, Tailnet]


def judge_all(seen: Iterable[Seen], policy: Policy) -> tuple[list[Server], list[Rejected]]:
    """The servers of all tailnets, and whom to leave alone.

    Where the kernel routes two tailnets, an address of both leads to one machine, and nothing says to which: neither
    is asked. A proxy leads into its own tailnet only, so that its addresses are its own.
    """
    every = list(seen)
    routed = [(net, tailnet) for net, tailnet in every if net.socks5 is None]
    held = {net.name: _addresses(tailnet) for net, tailnet in routed} if len(routed) > 1 else {}
    servers: list[Server] = []
    rejected: list[Rejected] = []
    for net, tailnet in every:
        found, left = judge(_reachable(net, tailnet), _policy(net, policy))
        if net.name in held:
            elsewhere = frozenset[str]().union(*(there for name, there in held.items() if name != net.name))
            routes = [route for other, there in routed if other.name != net.name for route in _routes(there)]
            twice = {one.key for one in found if one.host in elsewhere or _inside(one.host, routes)}
            peers = {peer.id: peer for peer in tailnet.peers}
            left += [
                Rejected(peers[key], Rejection.ADDRESS_TWICE)
                for key in dict.fromkeys(key.rpartition(":")[0] for key in sorted(twice))
                if key in peers
            ]
            found = [server for server in found if server.key not in twice]
        servers += [_of(net, server) for server in found]
        rejected += [replace(one, net=net.name) for one in left]
    return servers, rejected


def _addresses(tailnet: Tailnet) -> frozenset[str]:
    """All that its routes may lead to; whoever is never asked may have the address of one who is."""
    every = (address for node in (tailnet.self, *tailnet.peers) for address in node.addresses)
    return frozenset(map(_plain, every))


def _routes(tailnet: Tailnet) -> list[Network]:
    """The networks that it leads to besides; an exit node's is not one, as any other route comes before it."""
    found = []
    for text in (text for peer in tailnet.peers for text in peer.routes):
        with contextlib.suppress(ValueError):
            found.append(ip_network(text, strict=False))
    return [one for one in found if one.prefixlen]


def _inside(host: str, routes: list[Network]) -> bool:
    return any(ip_address(host) in one for one in routes)


def _plain(address: str) -> str:
    """As a server's host is written; IPv6 may come in other forms."""
    try:
        return str(ip_address(address)) if ":" in address else address
    except ValueError:
        return ""


def _reachable(net: Net, tailnet: Tailnet) -> Tailnet:
    """Through the proxy no network interface is needed."""
    return tailnet if net.socks5 is None else altered(tailnet, tun=True)


def _policy(net: Net, policy: Policy) -> Policy:
    """The check of the own address shows what the kernel leads to, which a proxy's answer would not."""
    allow = policy.allow if net.allow is None else net.allow
    return replace(policy, allow=allow, check_self=policy.check_self and net.socks5 is None)


def _of(net: Net, server: Server) -> Server:
    if not net.name and net.socks5 is None:
        return server
    return altered(server, key=net.key(server.key), net=net.name, socks5=net.socks5)
