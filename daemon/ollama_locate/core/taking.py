"""How the snapshot of a moment is made: from what the locator knows, and from what was decided."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from . import wording
from .bounds import SCHEMA
from .constants import DETAIL_MAX, VERSION
from .health import Status
from .inventory import Model
from .lan import PREFIX, Unasked
from .locator import Locator
from .patience import is_busy
from .roster import Looked
from .selection import Choice
from .server import Kind, authority
from .snapshot import (
    DEFAULT_URL,
    DecisionState,
    PinState,
    RejectedState,
    ServerState,
    Snapshot,
    TailnetState,
    rfc3339,
    variables,
)
from .tailnet import Unavailable
from .text import is_value, shown
from .track import Decision, LastGood, Track, Verdict
from .trust import Rejected


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
    best = locator.catalogue.publishable([track.server.key for track in tracks], clock.now)
    aliases, hiding = locator.catalogue.aliases()
    times = locator.board.answers()
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
        servers=tuple(_server(locator, track, choice, clock, times) for track in tracks),
        rejected=(*map(_rejected, locator.roster.rejected), *map(_unasked, locator.roster.unasked)),
        variables=variables(templates, url, _name(chosen)),
        refreshes=run.refreshes,
        problems=tuple(
            shown(one, 4 * DETAIL_MAX) for one in (*run.problems, *hiding, *locator.catalogue.lacking(decision, best))
        ),
        pin=_pin(locator),
        forward=run.forward,
        tailnets=tailnets if len(tailnets) > 1 else (),
        best=best,
        aliases=aliases,
    )


def _name(chosen: LastGood | None) -> str:
    """The server's name for prompts: this machine is called as in `prefer`; empty where nobody was found."""
    if chosen is None:
        return ""
    return "local" if chosen.key.startswith("local:") else chosen.name


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
    if watch is not None and watch.socks5 is not None:
        return "socks5"
    return "none" if watch is None else "battery" if locator.sentinel.on_battery else "on"


def _rejected(one: Rejected) -> RejectedState:
    peer = one.peer
    return RejectedState(
        shown(peer.id, 64),
        shown(peer.name or peer.host_name, 64),
        _addresses(peer.addresses),
        one.reason.word,
        one.reason.text,
        tailnet=one.net,
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
        withheld=server.withheld.word if server.withheld is not None else "",
        tailnet=server.net,
        socks5=authority(*server.socks5) if server.socks5 is not None else "",
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
