"""What is kept of the past: each switch with its reason, and how long the round trips were."""

import msgspec

from .server import Kind
from .snapshot import ServerState, Snapshot, epoch
from .track import Verdict


class Switch(msgspec.Struct, frozen=True, gc=False):
    """The endpoint or its verdict became another one. `at` is in epoch seconds; the first of a run has no `left`.

    `left` and `taken` are names, the URLs what was published. `alive_ago`: seconds since the server that was left
    last showed that it lives, None where it never did.
    """

    at: float
    left: str
    left_url: str
    taken: str
    taken_url: str
    verdict: str
    reason: str
    text: str
    alive_ago: float | None = None


class Sample(msgspec.Struct, frozen=True, gc=False):
    """The round trips to one server over some minutes, in milliseconds; None where it did not answer once.

    `at` is the end of that time (epoch seconds), `asked` and `answered` count its probes.
    """

    at: float
    key: str
    name: str
    low: float | None
    high: float | None
    asked: int
    answered: int


def switch(old: Snapshot | None, new: Snapshot, at: float) -> Switch | None:
    """What is to be noted of the step from one snapshot to the next; None where nothing that matters changed."""
    was, now = old.decision if old else None, new.decision
    if was and (was.endpoint, was.server, was.verdict) == (now.endpoint, now.server, now.verdict):
        return None
    left = _server(new, was.server) or _server(old, was.server) if was and old else None
    alive_ago = max(0.0, at - epoch(left.alive_at)) if left and left.alive_at else None
    return Switch(
        at=at,
        left=was.name if was else "",
        left_url=was.endpoint if was else "",
        taken=now.name,
        taken_url=now.endpoint,
        verdict=now.verdict,
        reason=now.reason,
        text=_why(old, new),
        alive_ago=alive_ago,
    )


def _why(old: Snapshot | None, new: Snapshot) -> str:
    """Why the old one was left, if it has failed; else why the new one was taken."""
    was, now = old.decision if old else None, new.decision
    if was is None or was.server is None or now.verdict != Verdict.FRESH.value:
        return now.text
    if was.server == now.server:
        return "it answers again" if was.endpoint == now.endpoint else "it has another address"
    if old is not None and old.pin is not None and new.pin is None:
        return "the pin was taken back"
    left = _server(new, was.server)
    if left is None:
        return f"{was.name} is no server of the tailnet any more"
    if left.standing == "reported":
        return f"{was.name}: {left.text}"
    if left.health == "down" or left.standing == "failing":
        return f"{was.name} {left.text}"
    return now.text


def _server(snapshot: Snapshot | None, key: str | None) -> ServerState | None:
    return next((one for one in snapshot.servers if one.key == key), None) if snapshot else None


class Sampler:
    """Gathers the round trips of every server that has answered, until they are drained."""

    def __init__(self) -> None:
        self._seen: dict[str, str | None] = {}
        self._gathered: dict[str, Sample] = {}

    def __bool__(self) -> bool:
        """Whether there is something to drain."""
        return bool(self._gathered)

    def take(self, snapshot: Snapshot, at: float) -> None:
        """Take in what was asked since the last snapshot."""
        for server in snapshot.servers:
            never_answered = server.key not in self._seen and server.rtt_ms is None
            if never_answered or server.kind == Kind.SELF_CHECK.value:
                continue
            if self._seen.get(server.key) != server.checked_at:
                self._seen[server.key] = server.checked_at
                self._add(server, at)

    def drain(self) -> list[Sample]:
        """One line for each server, and begin anew."""
        found, self._gathered = list(self._gathered.values()), {}
        return found

    def _add(self, server: ServerState, at: float) -> None:
        before = self._gathered.get(server.key)
        known = [] if before is None else [one for one in (before.low, before.high) if one is not None]
        fresh = server.rtt_ms if server.outcome == "alive" else None
        times = [*known, fresh] if fresh is not None else known
        self._gathered[server.key] = Sample(
            at,
            server.key,
            server.name,
            min(times, default=None),
            max(times, default=None),
            (before.asked if before else 0) + 1,
            (before.answered if before else 0) + (fresh is not None),
        )
