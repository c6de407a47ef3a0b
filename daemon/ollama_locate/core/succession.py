"""What a doubt about the current server sets going: others are asked, some are waited for, answers become outdated."""

import math
from collections.abc import Mapping
from itertools import islice

from .board import Board
from .constants import NEXT_BEST, REPORT_WINDOW
from .evidence import Evidence
from .health import Status, doubted_anew
from .opening import Opening
from .outcome import Probe
from .track import Track, UnderWay


class Succession:
    """The locator calls it with each result; it sets due times, and opens rounds of a few."""

    def __init__(self, board: Board, flights: Mapping[str, UnderWay], evidence: Evidence) -> None:
        self._board, self._flights, self._evidence = board, flights, evidence
        self._only_a_few = False
        self._waited_for = -math.inf

    def somebody_waits(self, now: float) -> None:
        """A program was failed: while others take their time, this machine asks at once for a minute."""
        self._waited_for = now
        current = self._board.current()
        if current is not None and current.health.misses > 0:
            self.ask_next_best(now, NEXT_BEST)

    def ask_next_best(self, now: float, number: int, *, healthy: bool = False) -> None:
        """The current server is in doubt: ask others, to have a successor and to learn whose fault it is."""
        waiting = (key for key in self._board.successors(now, healthy=healthy) if key not in self._flights)
        for _, key in zip(range(number), waiting, strict=False):
            track = self._board.tracks[key]
            waits = now - self._waited_for < REPORT_WINDOW
            track.due = min(track.due, now if waits else self._board.roster.crowd.soon(track.server, now))

    def ask_a_few(self, now: float) -> bool:
        """Among thousands of machines: ask the current server and the next best; False: there are not so many."""
        board, crowd = self._board, self._board.roster.crowd
        if not crowd.window:
            return False
        few = set(islice(board.successors(now, healthy=False), NEXT_BEST))
        for key, track in board.tracks.items():
            if key in few or board.is_current(key) or track.server.loopback:
                track.due = min(track.due, crowd.soon(track.server, now))
        self._only_a_few = True
        return True

    def asked_by(self, until: float) -> set[str]:
        """Who is or will be asked by then."""
        return {key for key, track in self._board.tracks.items() if key in self._flights or track.due <= until}

    def keep_asking_the_unwatched(self, *, watched: bool) -> None:
        """The current server's next turn may be hours away, and without a sentinel nothing else shows its end."""
        track, crowd = self._board.current(), self._board.roster.crowd
        if not watched and crowd.shares and track is not None and track.checked is not None:
            track.due = min(track.due, track.checked + max(self._board.settings.interval, crowd.again))

    def ask_everybody_known(self, now: float, *, fell: bool) -> None:
        """Nobody is up: the last one fell, or the few that were asked have failed; the next turns may be hours away."""
        if not (fell or self._only_a_few):
            return
        self._only_a_few = False
        crowd = self._board.roster.crowd
        for track in self._board.tracks.values():
            known = track.health.answered_at is not None or (track.probe is not None and track.probe.reached)
            if known and track.checked is not None:
                track.due = min(track.due, max(crowd.soon(track.server, now), track.checked + crowd.again))

    def wait_for_successors(self, now: float) -> None:
        """The current server fell. Who was asked when it came in doubt may be better than who has answered so far."""
        board = self._board
        keys = [key for key in board.up if key in self._flights or board.tracks[key].due <= now]
        if keys and board.opening is None:
            board.opening = Opening(keys, now, None, succession=True)

    def wait_for_the_last_good(self, now: float) -> None:
        """Somebody answers after a silence of all since the tailnet came back: the last good one may be as near."""
        current = self._board.current()
        if current is not None and current.health.status is Status.UNKNOWN and current.health.in_doubt:
            current.due = min(current.due, now)
            self._board.opening = Opening((current.server.key,), now, current.server.key)

    def doubt_anew(self, now: float) -> bool:
        """Somebody answers: who has failed while nobody did is asked again at the fast pace; whether there was one."""
        found = False
        for track in [self._board.tracks[key] for key in self._board.doubted]:
            if track.health.misses > track.health.fails and not track.health.hurried:
                track.health = doubted_anew(track.health)
                track.due, found = min(track.due, now), True
        return found

    def is_to_be_asked_again(self, track: Track, probe: Probe) -> bool:
        """Whether a result came too early to count, so that the same question is asked anew at once."""
        return self._asked_too_early(probe) or self._is_outdated(track, probe)

    def _asked_too_early(self, probe: Probe) -> bool:
        """Whether it was under way already when the current server fell in doubt: it does not show whose fault."""
        current = self._board.current()
        since = current.health.suspect_since if current is not None else None
        return since is not None and probe.sent < since

    def _is_outdated(self, track: Track, probe: Probe) -> bool:
        """Whether its silence was of a network that has come back since, and matters."""
        awaited = self._board.opening.awaited if self._board.opening is not None else None
        return (track.health.in_doubt or awaited == track.server.key) and self._evidence.outdates(probe)
