"""The one value that is published: everything a reader may want to know, at one moment. Schema: docs/state.md."""

from collections.abc import Mapping

import msgspec

from . import wording
from .bounds import SCHEMA
from .config_values import expand
from .constants import OLLAMA_PORT, VERSION
from .health import Status
from .inventory import Model
from .locator import Locator
from .models import is_model_name
from .patience import is_busy
from .roster import Looked
from .selection import Choice, Standing
from .server import Kind, authority, http_url
from .tailnet import Unavailable
from .text import is_value, shown
from .track import Decision, LastGood, Track, Verdict

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
    proxy: str = ""
    inventory: tuple[Model, ...] | None = None


class PinState(msgspec.Struct, frozen=True):
    """The pin. `followed` is false where it names no server that may be asked; `until` is null where it has no end."""

    name: str
    url: str
    until: str | None
    followed: bool


class RejectedState(msgspec.Struct, frozen=True):
    """A peer that is never contacted."""

    key: str
    name: str
    addresses: tuple[str, ...]
    reason: str
    text: str
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


class Run(msgspec.Struct, frozen=True):
    """Of the process: its pid, how many rounds it has made, how many of those because it was asked, its problems.

    `rings`: the tailnets whose tailscaled says by itself when something changes. `forward`: the stable address's URL.
    """

    pid: int
    rounds: int = 0
    refreshes: int = 0
    problems: tuple[str, ...] = ()
    rings: frozenset[str] = frozenset()
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
    url = locator.board.endpoint(chosen) if chosen is not None else None
    if url is None or not is_value(url):
        chosen, verdict, url = None, Verdict.NONE, DEFAULT_URL
    tailnets = tuple(_tailnet(one, rings=name in run.rings) for name, one in locator.roster.nets.items())
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
    aliases, hiding = _aliases(locator)
    best = _best(locator, [track.server.key for track in tracks], clock.now)
    return Snapshot(
        schema=SCHEMA,
        program=VERSION,
        pid=run.pid,
        written_at=rfc3339(clock.wall),
        round=run.rounds,
        tailnet=next((one for one in tailnets if one.state == "running"), tailnets[0]),
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
        servers=tuple(_server(locator, track, choice, clock) for track in tracks),
        rejected=tuple(
            RejectedState(
                key=shown(one.peer.id, 64),
                name=shown(one.peer.name or one.peer.host_name, 64),
                addresses=tuple(shown(address, 64) for address in one.peer.addresses[:4]),
                reason=one.reason.word,
                text=one.reason.text,
                tailnet=one.net,
            )
            for one in locator.roster.rejected
        ),
        variables=variables(templates, url, _name(chosen)),
        refreshes=run.refreshes,
        problems=(*run.problems, *hiding, *_lacking(locator, decision, best)),
        pin=_pin(locator),
        forward=run.forward,
        tailnets=tailnets if len(tailnets) > 1 else (),
        best=best,
        aliases=aliases,
    )


def last_good(snapshot: Snapshot) -> LastGood | None:
    """The server that it names, for whoever goes on from there."""
    decision = snapshot.decision
    if decision.server is None:
        return None
    # Behind a proxy the endpoint is not the server's own URL.
    own = (one.url for one in snapshot.servers if one.key == decision.server and one.proxy)
    return LastGood(decision.server, decision.name, next(own, decision.endpoint))


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

    Behind a proxy only the stable address leads, and that to the current server.
    """
    if not server.proxy:
        return server.url
    return snapshot.decision.endpoint if server.key == snapshot.decision.server else ""


_UNUSABLE = frozenset(one.word for one in (Standing.SELF_CHECK, Standing.UNREACHABLE, Standing.NEEDS_FORWARD))


def _best(locator: Locator, order: list[str], now: float) -> dict[str, str]:
    places = {key: place for place, key in enumerate(order) if is_value(locator.tracks[key].server.url)}
    found = locator.best_by_model(now)
    fit = [(places[key], model) for model, key in found.items() if key in places and is_model_name(model)]
    return {model: order[place] for place, model in sorted(fit)}


def _aliases(locator: Locator) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Those in force, and what is said of those that would hide a model of that name: it wins."""
    models = (model for track in locator.tracks.values() for model in track.models or ())
    real = {name.removesuffix(":latest") for name in models if name.endswith(":latest")}
    aliases = locator.settings.aliases
    said = tuple(
        f"[models.alias] {name} is not used: a server has a model of that name" for name in aliases if name in real
    )
    return {name: meant for name, meant in aliases.items() if name not in real}, said


def _lacking(locator: Locator, decision: Decision, best: Mapping[str, str]) -> tuple[str, ...]:
    """What is said of required models that nobody has who answers."""
    if decision.verdict is not Verdict.FRESH or decision.provisional or decision.server is None:
        return ()
    name = decision.server.name
    return tuple(
        f"no server that answers has {' or '.join(names)}, which [models] require names; {name} is used anyway"
        for names in locator.settings.require
        if not any(one in best for one in names)
    )


def _tailnet(looked: Looked, *, rings: bool) -> TailnetState:
    watch, look, name = "bus" if rings else "poll", looked.look, looked.net.name
    if look is None:
        return TailnetState("unknown", "tailscale has not answered yet", watch=watch, name=name)
    if isinstance(look, Unavailable):
        detail = f" ({look.detail})" if look.detail else ""
        return TailnetState(look.reason.word, look.reason.text + detail, watch=watch, name=name)
    return TailnetState("running", "", shown(look.self.name or look.self.host_name, 64), watch, name)


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
    watch = locator.watch(now)
    if watch is not None and watch.proxy is not None:
        return "proxy"
    return "none" if watch is None else "battery" if locator.sentinel.on_battery else "on"


def _server(locator: Locator, track: Track, choice: Choice, clock: Clock) -> ServerState:
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
        text=wording.reason(track, standing),
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
        tailnet=server.net,
        proxy=authority(*server.proxy) if server.proxy is not None else "",
        inventory=track.stock,
    )
