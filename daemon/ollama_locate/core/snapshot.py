"""The one value that is published: everything a reader may want to know, at one moment. Schema: docs/state.md."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from . import wording
from .bounds import SCHEMA
from .config_values import expand
from .constants import OLLAMA_PORT, VERSION
from .health import Status
from .inventory import Model
from .lan import PREFIX, Unasked
from .locator import Locator
from .patience import is_busy
from .selection import Choice
from .server import Kind, http_url
from .tailnet import Tailnet, Unavailable
from .text import is_value, shown
from .track import Decision, LastGood, Track, Verdict
from .trust import Rejected

DEFAULT_URL = http_url("localhost", OLLAMA_PORT)


class TailnetState(msgspec.Struct, frozen=True):
    """`state` is "running" or a reason; `self` this machine's name; `watch`: "bus" (tailscaled rings) or "poll"."""

    state: str
    text: str = ""
    self: str = ""
    watch: str = "poll"


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
    `withheld`: it wants a header that programs would not send, and is never the endpoint.
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
    inventory: tuple[Model, ...] | None = None
    withheld: bool = False


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


class Run(msgspec.Struct, frozen=True):
    """Of the process: its pid, how many rounds it has made, how many of those because it was asked, its problems.

    `rings`: tailscaled says by itself when something changes. `forward`: the stable address's URL.
    """

    pid: int
    rounds: int = 0
    refreshes: int = 0
    problems: tuple[str, ...] = ()
    rings: bool = False
    forward: str | None = None


class Clock(msgspec.Struct, frozen=True):
    """One moment on both clocks: monotonic and epoch seconds."""

    now: float
    wall: float

    def at(self, monotonic: float) -> str:
        """A monotonic time as RFC 3339 in UTC, to the millisecond."""
        return rfc3339(self.wall + monotonic - self.now)


def rfc3339(epoch: float) -> str:
    """Epoch seconds as RFC 3339 in UTC, to the millisecond."""
    import datetime as dt  # noqa: PLC0415 - 1 ms that the readers of a snapshot need not pay

    text = dt.datetime.fromtimestamp(round(epoch, 3), dt.UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def epoch(text: str) -> float:
    """The way back: epoch seconds."""
    import datetime as dt  # noqa: PLC0415 - as above

    return dt.datetime.fromisoformat(text).timestamp()


def take(locator: Locator, decision: Decision, templates: Mapping[str, str], clock: Clock, run: Run) -> Snapshot:
    """The snapshot of this moment. Values that may not stand in a file unquoted are left out."""
    chosen = decision.server
    choice, verdict = decision.choice, decision.verdict
    if chosen is not None and not is_value(chosen.url):
        chosen, verdict = None, Verdict.NONE
    url = chosen.url if chosen is not None else DEFAULT_URL
    places = {key: place for place, key in enumerate(choice.standings)}
    last = len(places)
    tracks = sorted(
        locator.tracks.values(),
        key=lambda track: (
            track.server.key != choice.key,
            places.get(track.server.key, last),
            track.server.name,
        ),
    )
    best = locator.catalogue.publishable([track.server.key for track in tracks], clock.now)
    aliases, hiding = locator.catalogue.aliases()
    times = locator.board.answers()
    return Snapshot(
        schema=SCHEMA,
        program=VERSION,
        pid=run.pid,
        written_at=rfc3339(clock.wall),
        round=run.rounds,
        tailnet=_tailnet(locator.roster.look, rings=run.rings),
        decision=DecisionState(
            verdict=verdict.value,
            endpoint=url,
            server=chosen.key if chosen else None,
            name=chosen.name if chosen else "default",
            reason=decision.reason.word,
            text=decision.reason.text,
            since=clock.at(decision.since),
            provisional=decision.provisional,
            sentinel=_sentinel(locator, clock.now),
        ),
        servers=tuple(_server(locator, track, choice, clock, times) for track in tracks),
        rejected=(*map(_rejected, locator.roster.rejected), *map(_unasked, locator.roster.unasked)),
        variables=variables(templates, url, _name(chosen)),
        refreshes=run.refreshes,
        problems=(*run.problems, *hiding, *locator.catalogue.lacking(decision, best)),
        pin=_pin(locator),
        forward=run.forward,
        best=best,
        aliases=aliases,
    )


def last_good(snapshot: Snapshot) -> LastGood | None:
    """The server that it names, for whoever goes on from there."""
    decision = snapshot.decision
    return LastGood(decision.server, decision.name, decision.endpoint) if decision.server is not None else None


def variables(templates: Mapping[str, str], url: str, server: str = "") -> dict[str, str]:
    """The variables with their values, those left out that could not stand unquoted."""
    filled = {name: expand(template, url, server) for name, template in templates.items()}
    return {name: value for name, value in filled.items() if is_value(value)}


def _name(chosen: LastGood | None) -> str:
    """The server's name for prompts: this machine is called as in `prefer`; empty where nobody was found."""
    if chosen is None:
        return ""
    return "local" if chosen.key.startswith("local:") else chosen.name


def best_by_model(snapshot: Snapshot) -> dict[str, str]:
    """For each model the URL of the best server that lists it, in the order of the servers."""
    urls = {server.key: server.url for server in snapshot.servers}
    return {model: urls[key] for model, key in snapshot.best.items() if key in urls}


def _tailnet(look: Tailnet | Unavailable | None, *, rings: bool) -> TailnetState:
    watch = "bus" if rings else "poll"
    if look is None:
        return TailnetState("unknown", "tailscale has not answered yet", watch=watch)
    if isinstance(look, Unavailable):
        detail = f" ({look.detail})" if look.detail else ""
        return TailnetState(look.reason.word, look.reason.text + detail, watch=watch)
    return TailnetState("running", "", shown(look.self.name or look.self.host_name, 64), watch)


def _pin(locator: Locator) -> PinState | None:
    pin = locator.settings.pin
    if pin is None:
        return None
    until = rfc3339(pin.until) if pin.until is not None else None
    return PinState(pin.name, pin.url, until, followed=locator.board.pinned() is not None)


def _sentinel(locator: Locator, now: float) -> str:
    current = locator.board.current()
    if not locator.sentinel.on:
        return "off"
    if current is not None and locator.sentinel.closes_idle(current.server.key):
        return "closes_idle"
    return "none" if locator.watch(now) is None else "battery" if locator.sentinel.on_battery else "on"


def _rejected(one: Rejected) -> RejectedState:
    peer = one.peer
    return RejectedState(
        shown(peer.id, 64),
        shown(peer.name or peer.host_name, 64),
        _addresses(peer.addresses),
        one.reason.word,
        one.reason.text,
    )


def _unasked(one: Unasked) -> RejectedState:
    found, reason = one.sighting, one.reason
    key, name = shown(f"{PREFIX}{found.name}", 128), shown(found.host, 64)
    return RejectedState(key, name, _addresses(found.addresses), reason.word, reason.text, Kind.MDNS.value)


def _addresses(every: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(shown(address, 64) for address in every[:4])


def _server(
    locator: Locator, track: Track, choice: Choice, clock: Clock, times: Mapping[str, Mapping[str, float]]
) -> ServerState:
    server, probe, health = track.server, track.probe, track.health
    standing = locator.board.standing(server.key, choice)
    tier = locator.board.tier(server)
    answers, reported_until = track.answers, track.complaints.until
    return ServerState(
        key=server.key,
        name=server.name,
        url=server.url,
        kind=server.kind.value,
        standing=standing.word,
        text=wording.reason(track, standing, choice.required),
        health=health.status.value,
        outcome=probe.outcome.word if probe else None,
        detail=probe.detail if probe else "",
        rtt_ms=None if track.rtt is None or health.status is not Status.UP else round(track.rtt * 1000, 3),
        spread_ms=round(probe.spread * 1000, 3) if probe and probe.rtt is not None else None,
        version=probe.version if probe else "",
        models=track.models,
        path="local" if server.kind is Kind.LOCAL else server.path,
        tier=tier,
        checked_at=clock.at(track.checked) if track.checked is not None else None,
        fails=health.misses,
        held_until=clock.at(health.held_until) if health.held_until > clock.now else None,
        answer_ms=round(answers.smoothed * 1000, 1) if answers.smoothed is not None else None,
        busy=health.status is Status.UP and is_busy(answers),
        alive_at=clock.at(track.alive_at) if track.alive_at is not None else None,
        reported_until=clock.at(reported_until) if reported_until > clock.now else None,
        withheld=server.withheld,
        inventory=_inventory(track, times),
    )


def _inventory(track: Track, times: Mapping[str, Mapping[str, float]]) -> tuple[Model, ...] | None:
    """What is known of its models, with the time of an answer where servers are compared by that."""
    if track.stock is None or not times:
        return track.stock
    key = track.server.key
    return tuple(
        one if (seconds := times.get(one.name, {}).get(key)) is None else replace(one, seconds=round(seconds, 3))
        for one in track.stock
    )
