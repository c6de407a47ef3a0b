"""Which server, or which model, a word on the command line means."""

import difflib
from collections.abc import Sequence

from ollama_locate.core.choosing import ABILITIES, Wish, abilities, alternatives, why_none
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.obstacle import Obstacle, obstacle
from ollama_locate.core.server import Kind, authority_of, host_of
from ollama_locate.core.snapshot import RejectedState, ServerState, Snapshot, best_by_model
from ollama_locate.core.text import shown

from .show import ago, since

_SHOWN_AT_MOST = 12
_CLOSEST = 3


def speaks_of(server: ServerState, wanted: str) -> bool:
    """Whether this word means that server: its name, with or without its domain, its address, URL, key or kind.

    Of several tailnets also `work/gpu-box`.
    """
    text = wanted.lower().rstrip("/")
    name = server.name.lower()
    # What a machine of the LAN calls itself does not mean the peer that the tailnet calls so.
    names = (name, name.partition(":")[0], name if server.kind == Kind.MDNS.value else name.partition(".")[0])
    told = (server.url.lower(), server.url.lower().partition("://")[2], authority_of(server.url), host_of(server.url))
    full = f"{server.tailnet}/{server.name}".lower()
    return text in (*names, full, server.key.lower(), *told, server.kind)


def not_asked(server: ServerState) -> str:
    """Why nothing is loaded, pulled or measured there now."""
    if server.socks5:
        return f"{server.name} is behind a SOCKS5 proxy: nothing is loaded, pulled or measured through one"
    return f"{server.name} does not answer now: {server.text}"


def told_apart(server: ServerState) -> str:
    """A word that means this server and no other."""
    return f"{server.tailnet}/{server.name}" if server.tailnet else server.url


def is_rejected(peer: RejectedState, wanted: str) -> bool:
    """The same of a peer that is left alone."""
    return wanted.lower() in (
        peer.name.lower(),
        f"{peer.tailnet}/{peer.name}".lower(),
        peer.key.lower(),
        *peer.addresses,
    )


def nobody(snapshot: Snapshot, wanted: str) -> OperatorError:
    """Who there is instead."""
    names = sorted({one.name for one in snapshot.servers} | {one.name for one in snapshot.rejected if one.name})
    few = ", ".join(names[:_SHOWN_AT_MOST]) + (" ..." if len(names) > _SHOWN_AT_MOST else "")
    return OperatorError(f"nobody is called `{shown(wanted)}`; there are: {few or 'none'}")


def in_the_way(found: Obstacle) -> str:
    """What is in the way; of a server that does not answer also for how long."""
    return found.text + (silent_for(found.server) if found.silent else "")


def few(names: Sequence[str], at_most: int = 3) -> str:
    """`a`, `a and b`, `a, b, c and 4 more`."""
    more = len(names) - at_most
    last = [f"{more} more"] if more > 0 else []
    *first, end = [*names[:at_most], *last]
    return f"{', '.join(first)} and {end}" if first else end


def silent_for(server: ServerState) -> str:
    """` (for 11 s)`; empty where it is not known."""
    return f" (for {ago(since(server.alive_at))})" if server.alive_at else ""


def no_model(snapshot: Snapshot, wish: Wish) -> str:
    """That no server has this model, and which there are: those that are called much the same, else the first ones."""
    here = abilities(snapshot)
    if here and (odd := sorted(wish.can.difference(here, ABILITIES))):
        close = difflib.get_close_matches(odd[0], {*here, *ABILITIES}, 1)
        meant = f"; did you mean `{close[0]}`?" if close else "."
        return f"nobody knows `{shown(odd[0])}`{meant} Here there are: {', '.join(here)}"
    if lacks := why_none(wish, snapshot):
        there = "" if wish.can <= {*here} or not here else f"; here there are: {', '.join(here)}"
        return f"no server that answers has what is asked for: {lacks}{there}"
    names = sorted(best_by_model(snapshot))
    asked = alternatives(wish.models, snapshot.aliases)
    missing = f"no server that answers has {shown(' or '.join(asked))}"
    if found := obstacle(wish, snapshot):
        return f"{missing}; {in_the_way(found)}"
    if not names and asked == ["*"]:
        return "no server that answers has any model; `ollama-locate why` says more"
    if not names:
        return f"{missing}, nor any other model; `ollama-locate why` says more"
    # Nobody mistypes the tag that need not be typed, and it makes all names look alike.
    short = {name.removesuffix(":latest"): name for name in names}
    first = asked[0].removesuffix(":latest") if asked else ""
    if close := [short[one] for one in difflib.get_close_matches(first, short, _CLOSEST)]:
        return f"{missing}; did you mean {' or '.join(close)}?"
    more = len(names) - _SHOWN_AT_MOST
    return f"{missing}; there are: {', '.join(names[:_SHOWN_AT_MOST])}" + (f" and {more} more" if more > 0 else "")
