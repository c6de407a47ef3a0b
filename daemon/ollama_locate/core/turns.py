"""Whose turn it is: who is to be asked now, and when again."""

from collections.abc import Collection, Iterable, Mapping

from . import cadence
from .board import Board
from .cadence import Place
from .constants import FALL, REST_SPREAD
from .outcome import Probe
from .sentinel import Sentinel
from .server import Kind, Server
from .track import Track, UnderWay


class Turns:
    """Reads the board, and makes servers due."""

    def __init__(self, board: Board, flights: Mapping[str, UnderWay], sentinel: Sentinel) -> None:
        self._board, self._flights, self._sentinel = board, flights, sentinel

    def due(self, now: float) -> list[Server]:
        """Whom to probe now: known servers, then who was never asked (online ones first), then who waits longest."""
        # What is spread over many machines keeps its time.
        crowd, interval = self._board.roster.crowd, self._board.settings.interval
        until = now if crowd.window else cadence.batch_until(now, interval)
        if all(track.due > now for track in self._idle()):
            return []
        # Checks that decide keep their distance; the others may come a little early, for company.
        tracks = [one for one in self._idle() if one.due <= (now if one.health.unsettled else until)]
        tracks.sort(key=Track.turn)
        return [track.server for track in tracks]

    def next_due(self) -> float | None:
        """The monotonic time of the next probe, None while all that exist are under way."""
        return min((track.due for track in self._idle()), default=None)

    def at_once(self, tracks: Collection[Track], now: float) -> None:
        """Let these be asked: at once, but those who never answered and are offline, over 10 s."""
        rest = [t for t in tracks if t.checked and not t.server.online and t.health.answered_at is None]
        for track in tracks:
            track.due = min(track.due, now)
        for place, track in enumerate(rest, 1):
            track.due = now + REST_SPREAD * place / len(rest)

    def _idle(self) -> Iterable[Track]:
        for track in self._board.tracks.values():
            if track.server.key not in self._flights and self._board.roster.reachable(track.server):
                yield track

    def wait(self, track: Track, probe: Probe, now: float, jitter: float) -> float:
        """Seconds from this result to the server's next check."""
        server, health = track.server, track.health
        interval, crowd = self._board.settings.interval, self._board.roster.crowd.of(server)
        current = self._board.is_current(server.key)
        # Who has no server, or does not see the end of the one it has, cannot wait for its turn.
        urgent = not self._board.reaches() or (current and not self._sentinel.holds(server.key))
        shared = crowd.shares and not server.loopback
        place = Place(
            online=server.online,
            wanted=server.kind is Kind.STATIC or current,
            relayed=server.path == "relay",
            crowd=len(self._board.tracks),
            again=0.0 if server.loopback else crowd.again,
            turn=crowd.until_turn(server.key, now, interval) if shared and not urgent else 0.0,
        )
        wait = cadence.wait(health, probe, track.repeats, place, interval=interval, jitter=jitter)
        if current and health.misses >= FALL and health.suspect_since is not None:
            returns = cadence.until_it_returns(now - health.suspect_since, max(interval, crowd.again))
            return min(wait, max(crowd.window, returns))
        return wait
