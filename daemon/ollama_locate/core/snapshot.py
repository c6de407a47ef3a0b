"""The one value that is published: everything a reader may want to know, at one moment. Schema: docs/state.md."""

from collections.abc import Iterator, Mapping

import msgspec

from .believed import Shown, Whole
from .config_values import expand
from .constants import OLLAMA_PORT
from .inventory import Model
from .names import may_be_set
from .selection import Standing
from .server import Kind, http_url
from .text import is_value, shown
from .track import LastGood, Verdict

DEFAULT_URL = http_url("localhost", OLLAMA_PORT)


class TailnetState(msgspec.Struct, frozen=True):
    """`state` is "running" or a reason; `self` this machine's name; `watch`: "bus" (tailscaled rings) or "poll".

    `name` is the config's, empty where there is one tailnet only.
    """

    state: Shown
    text: Shown = ""
    self: Shown = ""
    watch: Shown = "poll"
    name: Shown = ""


class DecisionState(msgspec.Struct, frozen=True):
    """What is published and why. `server` is a key of `servers`, null where none was found.

    `sentinel`: a connection is held to it (`on`, on battery `battery`), not now (`none`), not to this server as
    it closes idle ones (`closes_idle`), or never (`off`).
    """

    verdict: Shown
    endpoint: Shown
    server: Shown | None
    name: Shown
    reason: Shown
    text: Shown
    since: Shown
    provisional: bool = False
    sentinel: Shown = "none"


class ServerState(msgspec.Struct, frozen=True):
    """One server. Round trips in milliseconds; times are RFC 3339, UTC.

    `models` are the names by which its models can be asked for, `inventory` all that is known of them.
    `withheld`: a word for why its URL is not published as it is, empty where it is.
    """

    key: Shown
    name: Shown
    url: Shown
    kind: Shown
    standing: Shown
    text: Shown
    health: Shown
    outcome: Shown | None = None
    detail: Shown = ""
    rtt_ms: float | None = None
    spread_ms: float | None = None
    version: Shown = ""
    models: tuple[Shown, ...] | None = None
    path: Shown = "unknown"
    tier: Whole | None = None
    checked_at: Shown | None = None
    fails: Whole = 0
    held_until: Shown | None = None
    answer_ms: float | None = None
    busy: bool = False
    alive_at: Shown | None = None
    reported_until: Shown | None = None
    tailnet: Shown = ""
    socks5: Shown = ""
    inventory: tuple[Model, ...] | None = None
    withheld: Shown = ""


class PinState(msgspec.Struct, frozen=True):
    """The pin. `followed` is false where it names no server that may be asked; `until` is null where it has no end."""

    name: Shown
    url: Shown
    until: Shown | None
    followed: bool


class RejectedState(msgspec.Struct, frozen=True):
    """A peer, or a service of the LAN, that is never contacted."""

    key: Shown
    name: Shown
    addresses: tuple[Shown, ...]
    reason: Shown
    text: Shown
    kind: Shown = Kind.PEER.value
    tailnet: Shown = ""


class Snapshot(msgspec.Struct, frozen=True):
    """The content of state.json, and all that the other files are made of.

    `best`: model -> the key of the server that is the best for it, in the order of the servers. `aliases`: other names,
    each for the models that it means.
    """

    schema: Whole
    program: Shown
    pid: Whole
    written_at: Shown
    round: Whole
    tailnet: TailnetState
    decision: DecisionState
    servers: tuple[ServerState, ...]
    rejected: tuple[RejectedState, ...]
    variables: dict[str, str]
    refreshes: Whole = 0
    problems: tuple[Shown, ...] = ()
    pin: PinState | None = None
    forward: Shown | None = None
    best: dict[Shown, Shown] = {}
    aliases: dict[Shown, tuple[Shown, ...]] = {}
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


def check(snapshot: Snapshot) -> None:
    """Whether a daemon can have published it, as far as its types do not say so. Raises ValueError with a sentence."""
    decision = snapshot.decision
    if decision.verdict not in _VERDICTS or not is_value(decision.endpoint):
        raise ValueError(f"it cannot be read: `{shown(decision.verdict)}`, `{shown(decision.endpoint)}` is no decision")
    for name, value in snapshot.variables.items():
        if not may_be_set(name) or not is_value(value):
            raise ValueError(f"it cannot be read: `{shown(name)}` is no variable of ollama-locate's")
    for time in _times(snapshot):
        try:
            epoch(time)
        except (ValueError, OverflowError):
            raise ValueError(f"it cannot be read: `{shown(time)}` is no time") from None


_VERDICTS = frozenset(one.value for one in Verdict)


def _times(snapshot: Snapshot) -> Iterator[str]:
    yield from (snapshot.written_at, snapshot.decision.since)
    if snapshot.pin is not None and snapshot.pin.until is not None:
        yield snapshot.pin.until
    for one in snapshot.servers:
        each = (one.checked_at, one.held_until, one.alive_at, one.reported_until)
        yield from (time for time in each if time is not None)


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
    others = (one for one in snapshot.servers if one.standing not in NOT_ASKED and model in (one.models or ()))
    return next((url for one in others if one.health == "up" and (url := usable_url(snapshot, one))), "")


def usable_url(snapshot: Snapshot, server: ServerState) -> str:
    """What programs use to reach it, empty: nothing does so for certain.

    To one that is withheld the stable address may lead, and that leads to the current server.
    """
    if not server.withheld:
        return server.url
    return snapshot.decision.endpoint if server.key == snapshot.decision.server else ""


NOT_ASKED = frozenset(one.word for one in (Standing.SELF_CHECK, Standing.UNREACHABLE))
"""Standings of those that no program is sent to, whatever their last answer was."""
