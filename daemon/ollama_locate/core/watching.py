"""What `ollama-locate watch` remembers while it looks: the last round trips of each server, the last events."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from .bounds import WATCH_EVENTS, WATCH_TREND
from .changes import Level, changes
from .history import Sample, Switch
from .server import Kind
from .snapshot import ServerState, Snapshot
from .text import shown

_SENTENCE_MAX = 400


class Event(NamedTuple):
    """Something that happened: when (epoch seconds), how loud, and a sentence."""

    at: float
    level: Level
    text: str


class Watching:
    """`snapshot` is the last one; `trends` has round trips in milliseconds by server, None where it did not answer."""

    def __init__(self, switches: Sequence[Switch] = (), samples: Sequence[Sample] = ()) -> None:
        """Begin with what the history has noted, the oldest first."""
        self.snapshot: Snapshot | None = None
        self.trends: dict[str, deque[float | None]] = {}
        self.events: deque[Event] = deque((_past(one) for one in switches), WATCH_EVENTS)
        self._checked: dict[str, str | None] = {}
        for one in samples:
            self._trend(one.key).append(one.low)

    def take(self, snapshot: Snapshot, at: float) -> list[Event]:
        """Take in what is published now; returns what happened since the last one. Of the first: what is chosen."""
        before, self.snapshot = self.snapshot, snapshot
        for server in snapshot.servers:
            self._sample(server)
        present = {server.key for server in snapshot.servers}
        self.trends = {key: trend for key, trend in self.trends.items() if key in present}
        said = changes(before, snapshot)
        if before is None:
            return [_event(at, *said[0])]
        old = set(before.problems)
        said += [(Level.WARNING, f"problem: {one}") for one in snapshot.problems if one not in old]
        return [self.note(_event(at, level, text)) for level, text in said if level >= Level.INFO]

    def note(self, event: Event) -> Event:
        """Keep it, and give it back."""
        self.events.append(event)
        return event

    def _sample(self, server: ServerState) -> None:
        """A round trip counts once, and only of a server that has answered at some time."""
        if server.kind == Kind.SELF_CHECK.value or self._checked.get(server.key) == server.checked_at:
            return
        self._checked[server.key] = server.checked_at
        rtt = server.rtt_ms if server.outcome == "alive" else None
        if rtt is not None or server.key in self.trends:
            self._trend(server.key).append(rtt)

    def _trend(self, key: str) -> deque[float | None]:
        return self.trends.setdefault(key, deque(maxlen=WATCH_TREND))


def _event(at: float, level: Level, text: str) -> Event:
    return Event(at, level, shown(text, _SENTENCE_MAX))


def _past(one: Switch) -> Event:
    level = Level.INFO if one.verdict == "fresh" else Level.WARNING
    if one.left == one.taken:
        return _event(one.at, level, f"{one.taken} is {one.verdict}: {one.text}")
    return _event(one.at, level, f"{one.left or '(start)'} → {one.taken}, {one.verdict}: {one.text}")
