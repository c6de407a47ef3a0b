"""The one value that is published: everything a reader may want to know, at one moment. Schema: docs/state.md."""

from collections.abc import Mapping

import msgspec

from .config_values import expand
from .constants import OLLAMA_PORT
from .inventory import Model
from .selection import Standing
from .server import Kind, http_url
from .text import is_value
from .track import LastGood

DEFAULT_URL = http_url("localhost", OLLAMA_PORT)


class TailnetState(msgspec.Struct, frozen=True):
    """`state` is "running" or a reason; `self` this machine's name; `watch`: "bus" (tailscaled rings) or "poll".

    `name` is the config's, empty where there is one tailnet only.
    """

    state: str
    text: str = ""
    self: str = ""
    watch: str = "poll"
    name: str = ""


class DecisionState(msgspec.Struct, frozen=True):
    """What is published and why. `server` is a key of `servers`, null where none was found.

    `sentinel`: a connection is held to it (`on`, on battery `battery`), not now (`none`), not to this server as
    it closes idle ones (`closes_idle`), or never (`off`).
    """

    verdict: str
    endpoint: str
    server: str | None
    name: str
    reason: str
    text: str
    since: str
    provisional: bool = False
    sentinel: str = "none"


class ServerState(msgspec.Struct, frozen=True):
    """One server. Round trips in milliseconds; times are RFC 3339, UTC.

    `models` are the names by which its models can be asked for, `inventory` all that is known of them.
    `withheld`: a word for why its URL is not published as it is, empty where it is.
    """

    key: str
    name: str
    url: str
    kind: str
    standing: str
    text: str
    health: str
    outcome: str | None = None
    detail: str = ""
    rtt_ms: float | None = None
    spread_ms: float | None = None
    version: str = ""
    models: tuple[str, ...] | None = None
    path: str = "unknown"
    tier: int | None = None
    checked_at: str | None = None
    fails: int = 0
    held_until: str | None = None
    answer_ms: float | None = None
    busy: bool = False
    alive_at: str | None = None
    reported_until: str | None = None
    tailnet: str = ""
    socks5: str = ""
    inventory: tuple[Model, ...] | None = None
    withheld: str = ""


class PinState(msgspec.Struct, frozen=True):
    """The pin. `followed` is false where it names no server that may be asked; `until` is null where it has no end."""

    name: str
    url: str
    until: str | None
    followed: bool


class RejectedState(msgspec.Struct, frozen=True):
    """A peer, or a service of the LAN, that is never contacted."""

    key: str
    name: str
    addresses: tuple[str, ...]
    reason: str
    text: str
    kind: str = Kind.PEER.value
    tailnet: str = ""


class Snapshot(msgspec.Struct, frozen=True):
    """The content of state.json, and all that the other files are made of.

    `best`: model -> the key of the server that is the best for it, in the order of the servers. `aliases`: other names,
    each for the models that it means.
    """

    schema: int
    program: str
    pid: int
    written_at: str
    round: int
    tailnet: TailnetState
    decision: DecisionState
    servers: tuple[ServerState, ...]
    rejected: tuple[RejectedState, ...]
    variables: dict[str, str]
    refreshes: int = 0
    problems: tuple[str, ...] = ()
    pin: PinState | None = None
    forward: str | None = None
    best: dict[str, str] = {}
    aliases: dict[str, tuple[str, ...]] = {}
    tailnets: tuple[TailnetState, ...] = ()

    @property
    def every_tailnet(self) -> tuple[TailnetState, ...]:
        """All of them; `tailnets` is empty where there is one only."""
        return self.tailnets or (self.tailnet,)


def rfc3339(epoch: float) -> str:
    """Epoch seconds as RFC 3339 in UTC, to the millisecond."""
    import datetime as dt  # noqa: PLC0415 - 1 ms that the readers of a snapshot need not pay

    text = dt.datetime.fromtimestamp(round(epoch, 3), dt.UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def epoch(text: str) -> float:
    """The way back: epoch seconds."""
    import datetime as dt  # noqa: PLC0415 - as above

    return dt.datetime.fromisoformat(text).timestamp()


def last_good(snapshot: Snapshot) -> LastGood | None:
    """The server that it names, for whoever goes on from there."""
    decision = snapshot.decision
    if decision.server is None:
        return None
    # The endpoint of one that is withheld is not its own URL.
    own = (one.url for one in snapshot.servers if one.key == decision.server and one.withheld)
    return LastGood(decision.server, decision.name, next(own, decision.endpoint))


def variables(templates: Mapping[str, str], url: str, server: str = "") -> dict[str, str]:
    """The variables with their values, those left out that could not stand unquoted."""
    filled = {name: expand(template, url, server) for name, template in templates.items()}
    return {name: value for name, value in filled.items() if is_value(value)}


def best_by_model(snapshot: Snapshot) -> dict[str, str]:
    """For each model the URL of the best server that lists it and that programs reach, in the order of the servers."""
    servers = {server.key: server for server in snapshot.servers}
    found = {model: _url(snapshot, model, servers[key]) for model, key in snapshot.best.items() if key in servers}
    return {model: url for model, url in found.items() if url}


def _url(snapshot: Snapshot, model: str, best: ServerState) -> str:
    """Where programs find the model: at the best one, else at the next that has it."""
    if url := usable_url(snapshot, best):
        return url
    others = (one for one in snapshot.servers if one.standing not in _UNUSABLE and model in (one.models or ()))
    return next((url for one in others if one.health == "up" and (url := usable_url(snapshot, one))), "")


def usable_url(snapshot: Snapshot, server: ServerState) -> str:
    """What programs use to reach it, empty: nothing does so for certain.

    To one that is withheld the stable address may lead, and that leads to the current server.
    """
    if not server.withheld:
        return server.url
    return snapshot.decision.endpoint if server.key == snapshot.decision.server else ""


_UNUSABLE = frozenset(one.word for one in (Standing.SELF_CHECK, Standing.UNREACHABLE))
