"""Feeds: what other programs' configurations are made of. Who is in one, in which order, and what may stand in it.

A server is in a feed once it has shown that it is an Ollama, and stays while it is down: the engine has checks of its
own, and a configuration that changed with each failure would be loaded again with each. Who leaves the tailnet, or is
not trusted any more, leaves it. Nothing in a feed is a time or a round trip: the same servers are the same bytes.
"""

import re
from collections.abc import Iterable, Sized
from enum import Enum
from typing import Final, NamedTuple

from .command import Command
from .health import Status
from .selection import LAST_TIER
from .server import Kind, Withheld
from .snapshot import ServerState, Snapshot
from .text import is_value, shown

_URL: Final = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9._-]*):([1-9][0-9]{0,4})")
_PORT_MAX: Final = 65_535
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_MAX: Final = 64
_WITHHELD: Final = {
    Withheld.NEEDS_HEADER.word: "it wants a header, which a feed does not hold",
    Withheld.NEEDS_FORWARD.word: "only a SOCKS5 proxy leads to it, which the engine would not use",
}


class Format(Enum):
    """Whose configuration it is."""

    HAPROXY = "haproxy"
    LITELLM = "litellm"
    PROMETHEUS = "prometheus"


class Feed(NamedTuple):
    """One of the config's: a file to keep true, and what is run when it has become another one."""

    format: Format
    file: str
    command: Command | None = None


class Fed(NamedTuple):
    """A configuration: its bytes, how many servers are in it, and who was left out of it, each a sentence."""

    data: bytes
    servers: int
    left_out: tuple[str, ...] = ()


class Entry(NamedTuple):
    """A server as a feed sees it. `host` has brackets round IPv6; `name` is unique, of letters, digits and `. _ -`.

    `place` is 0 for the first of the tiers that are in the feed, then 1, and so on.
    """

    state: ServerState
    name: str
    scheme: str
    host: str
    port: int
    place: int

    @property
    def has_name(self) -> bool:
        """Whether its host is a name, and no IP."""
        return not self.host.startswith("[") and any(letter.isalpha() for letter in self.host)

    @property
    def address(self) -> str:
        """Where it is: host and port."""
        return f"{self.host}:{self.port}"


class Entries(NamedTuple):
    """Who is in a feed, in the order of tiers and names; and who was left out, each a sentence."""

    all: tuple[Entry, ...]
    left_out: tuple[str, ...]


def entries(snapshot: Snapshot) -> Entries:
    """The servers that belong in a feed. One whose address cannot be written is left out, with the reason."""
    known = [one for one in snapshot.servers if _is_known(one, snapshot)]
    found: dict[str, Entry] = {}
    left_out: list[str] = []
    names: set[str] = set()
    tiers = sorted({_tier(one) for one in known})
    for one in sorted(known, key=lambda one: (_tier(one), one.name, one.url, one.key)):
        parts = _URL.fullmatch(one.url)
        if one.withheld:
            left_out.append(f"{shown(one.name)} is left out: {_WITHHELD.get(one.withheld, one.withheld)}")
            continue
        if parts is None or not is_value(one.url) or int(parts[3]) > _PORT_MAX:
            left_out.append(f"{shown(one.name)} is left out: its address cannot be written ({shown(one.url)})")
        elif one.url not in found:  # a pinned URL may be a server's that has another name as well
            name = _named(one.name, names)
            found[one.url] = Entry(one, name, parts[1], parts[2], int(parts[3]), tiers.index(_tier(one)))
    return Entries(tuple(found.values()), tuple(left_out))


def _is_known(one: ServerState, snapshot: Snapshot) -> bool:
    """Whether it is an Ollama: it was typed, or has answered as one. In a snapshot are none but the trusted."""
    if one.kind == Kind.SELF_CHECK.value:
        return False
    answered = one.alive_at is not None or one.health == Status.UP.value
    return answered or one.kind == Kind.STATIC.value or one.key == snapshot.decision.server


def _tier(one: ServerState) -> int:
    return LAST_TIER if one.tier is None else one.tier


def _named(name: str, taken: set[str]) -> str:
    """A name that every format takes unquoted; of two that are the same the second gets a number."""
    base = _NOT_IN_A_NAME.sub("-", name)[:_NAME_MAX].strip("-.") or "server"
    found, number = base, 1
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    taken.add(found)
    return found


def fed(text: str, servers: Sized, left_out: Iterable[str]) -> Fed:
    """The configuration, encoded."""
    return Fed(text.encode(), len(servers), tuple(left_out))
