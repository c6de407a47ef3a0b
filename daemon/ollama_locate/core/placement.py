"""Where a model is loaded, and where it is pulled: who has it; else where it belongs by the user's order."""

from collections.abc import Iterable
from typing import Final

from .models import has_model
from .patterns import Form, Pattern, matches, names
from .selection import Standing
from .server import Kind, host_of
from .snapshot import ServerState, Snapshot
from .tailnet import Peer, Tailnet, Unavailable
from .text import is_value

_BY_TAILNET: Final = frozenset({Form.TAG, Form.USER, Form.NETWORK, Form.NAME})
_DOUBTFUL: Final = frozenset({Standing.HELD_DOWN.word, Standing.REPORTED.word, Standing.FAILING.word})
_NOT_ASKED: Final = frozenset({Standing.SELF_CHECK.word, Standing.UNREACHABLE.word})


def answering(snapshot: Snapshot, *, withheld: bool = False) -> list[ServerState]:
    """Who may be asked to load or to pull, the current one first, then as ranked.

    `withheld`: also who needs a header that programs would not send, so that its URL is for nobody else.
    """
    left_out = _NOT_ASKED if withheld else _NOT_ASKED | {Standing.NEEDS_HEADER.word}
    return [
        server
        for server in snapshot.servers
        if server.health == "up" and server.standing not in left_out and is_value(server.url)
    ]


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


def barred(servers: Iterable[ServerState], no_pull: tuple[Pattern, ...], look: Tailnet | Unavailable) -> frozenset[str]:
    """The keys of the servers to which nothing is pulled.

    Tags, users and addresses are tailscale's to say. While it does not, each peer may be the marked one, and so may
    this machine: nothing is pulled there.
    """
    if not no_pull:
        return frozenset()
    known: dict[str, Peer] = {}
    if not isinstance(look, Unavailable):
        for peer in (look.self, *look.peers):
            known |= dict.fromkeys((peer.id, *peer.addresses), peer)
        known["local"] = look.self
    return frozenset(server.key for server in servers if _is_barred(server, no_pull, known))


def speak_of_nobody(patterns: Iterable[Pattern], servers: Iterable[ServerState], look: Tailnet) -> list[str]:
    """Those that name no peer of the tailnet, be it left alone, nor any other server; as they are written."""
    peers, every = (look.self, *look.peers), tuple(servers)
    return [
        pattern.text
        for pattern in patterns
        if pattern.form in _BY_TAILNET
        and not any(matches(pattern, peer) for peer in peers)
        and not any(names(pattern, one.name, one.url) for one in every)
    ]


def _is_barred(server: ServerState, no_pull: tuple[Pattern, ...], known: dict[str, Peer]) -> bool:
    forms = {pattern.form for pattern in no_pull}
    if Form.ANY in forms or any(form.value == server.kind for form in forms & {Form.LOCAL, Form.MDNS}):
        return True
    # A static server may be a peer by its address.
    peer = known.get(server.key.rpartition(":")[0]) or known.get(host_of(server.url))
    if peer is not None and any(matches(pattern, peer) for pattern in no_pull):
        return True
    if server.kind in (Kind.STATIC.value, Kind.MDNS.value):
        return any(names(pattern, server.name, server.url) for pattern in no_pull)
    return peer is None and bool(forms & _BY_TAILNET)
