"""Where a model is loaded, and where it is pulled: who has it; else where it belongs by the user's order."""

from collections.abc import Iterable, Mapping
from typing import Final

from .models import has_model
from .net import Net
from .patterns import Form, Pattern, matches, names
from .selection import Standing
from .server import Kind, Withheld, host_of
from .snapshot import NOT_ASKED, ServerState, Snapshot
from .tailnet import Peer, Tailnet, Unavailable
from .text import is_value

_BY_TAILNET: Final = frozenset({Form.TAG, Form.USER, Form.NETWORK, Form.NAME})
_DOUBTFUL: Final = frozenset({Standing.HELD_DOWN.word, Standing.REPORTED.word, Standing.FAILING.word})


def answering(snapshot: Snapshot, *, withheld: bool = False) -> list[ServerState]:
    """Who may be asked, the current one first, then as ranked; `withheld`: also those that programs do not reach."""
    return [
        server
        for server in snapshot.servers
        if server.health == "up"
        and server.standing not in NOT_ASKED
        and is_value(server.url)
        and (withheld or _is_usable(snapshot, server))
    ]


def _is_usable(snapshot: Snapshot, server: ServerState) -> bool:
    """As `Server.usable` says it."""
    return not server.withheld or (server.withheld == Withheld.NEEDS_FORWARD.word and snapshot.forward is not None)


def loadable(snapshot: Snapshot, *, withheld: bool = False) -> list[ServerState]:
    """Those of them that this machine reaches by itself: nothing is loaded, pulled or measured through SOCKS5."""
    return [server for server in answering(snapshot, withheld=withheld) if not server.socks5]


def asleep(snapshot: Snapshot) -> list[ServerState]:
    """Who does not answer now, in the order of the servers. What they list is what they had when they did."""
    return [
        server
        for server in snapshot.servers
        if server.kind != Kind.SELF_CHECK.value
        and (server.health != "up" or server.standing == Standing.UNREACHABLE.word)
    ]


def holders(servers: Iterable[ServerState], model: str, best: str | None = None) -> list[ServerState]:
    """Those that list it, in their order; before them the one with this key, which is the best for it."""
    return sorted((one for one in servers if has_model(one.models, model)), key=lambda one: one.key != best)


def belongs(servers: Iterable[ServerState], barred: frozenset[str], pinned: str = "") -> ServerState | None:
    """Where a model belongs that nobody has; None where nobody may pull.

    The pinned one; else by the tiers, those last that failed lately, and within a tier as ranked. Unlike in the
    choice of the endpoint, who lists no model yet does not come last: that is whom to pull to.
    """
    free = [server for server in servers if server.key not in barred]
    order = sorted(free, key=lambda one: (one.url != pinned, one.standing in _DOUBTFUL, one.tier or 0))
    return order[0] if order else None


def barred(
    servers: Iterable[ServerState], no_pull: tuple[Pattern, ...], looks: Mapping[Net, Tailnet | Unavailable]
) -> frozenset[str]:
    """The keys of the servers to which nothing is pulled.

    Tags, users and addresses are tailscale's to say. While it does not, each peer may be the marked one, and so may
    this machine: nothing is pulled there.
    """
    if not no_pull:
        return frozenset()
    known: dict[str, list[Peer]] = {}
    for net, look in looks.items():
        if not isinstance(look, Unavailable):
            for peer in (look.self, *look.peers):
                for name in (net.key(peer.id), *peer.addresses):
                    known.setdefault(name, []).append(peer)
            known.setdefault("local", []).append(look.self)
    return frozenset(server.key for server in servers if _is_barred(server, no_pull, known))


def speak_of_nobody(
    patterns: Iterable[Pattern], servers: Iterable[ServerState], tailnets: Iterable[Tailnet]
) -> list[str]:
    """Those that name no peer of the tailnets, be it left alone, nor any other server; as they are written."""
    peers = [peer for one in tailnets for peer in (one.self, *one.peers)]
    every = tuple(servers)
    return [
        pattern.text
        for pattern in patterns
        if pattern.form in _BY_TAILNET
        and not any(matches(pattern, peer) for peer in peers)
        and not any(names(pattern, one.name, one.url) for one in every)
    ]


def _is_barred(server: ServerState, no_pull: tuple[Pattern, ...], known: Mapping[str, list[Peer]]) -> bool:
    forms = {pattern.form for pattern in no_pull}
    if Form.ANY in forms or any(form.value == server.kind for form in forms & {Form.LOCAL, Form.MDNS}):
        return True
    # A static server may be a peer by its address.
    peers = known.get(server.key.rpartition(":")[0]) or known.get(host_of(server.url), [])
    if any(matches(pattern, peer) for pattern in no_pull for peer in peers):
        return True
    if server.kind in (Kind.STATIC.value, Kind.MDNS.value):
        return any(names(pattern, server.name, server.url) for pattern in no_pull)
    return not peers and bool(forms & _BY_TAILNET)
