"""What is to be published: from the choice, from who is still waited for, and from what was published before."""

from collections.abc import Mapping

from .board import Board
from .health import Status
from .opening import Opening
from .selection import Choice, Reason
from .server import Server
from .track import Decision, LastGood, Track, UnderWay, Verdict


class Decider:
    """Decides for the locator. `moved`: the current server has another address, at which it has not answered yet."""

    def __init__(self, board: Board, flights: Mapping[str, UnderWay], now: float) -> None:
        self._board, self._flights = board, flights
        self._since = now
        self.moved = False

    def decide(self, now: float) -> Decision | None:
        """What is to be published now; None while an open round has not shown enough."""
        board, choice = self._board, self._board.choice(now)
        if (opening := board.opening) is not None:
            if choice.reason is Reason.PINNED and choice.key in opening.pending:
                return None
            if self._round_over(opening):
                board.opening = None
            elif choice.key is None or not (
                board.is_current(choice.key) or self._publishable(opening, choice.key, now)
            ):
                return self._at_its_new_address(choice)
        return self._publish(choice, now)

    def conclude(self, now: float) -> Decision:
        """What is to be published if nothing more is awaited."""
        choice = self._board.choice(now)
        self._board.opening = None
        return self._publish(choice, now)

    def _publish(self, choice: Choice, now: float) -> Decision:
        board = self._board
        self.moved = False
        if choice.key is None:
            return self._without(choice)
        track = board.tracks[choice.key]
        if not board.is_current(choice.key):
            self._since = now
        good = board.last_good = LastGood(track.server.key, track.server.name, track.server.url)
        if choice.reason is Reason.PINNED and (trouble := self._trouble_of_the_pinned(track)) is not None:
            return Decision(Verdict.STALE, good, trouble, self._since, choice=choice)
        if track.health.misses >= track.fall():
            return Decision(Verdict.STALE, good, Reason.NETWORK_SILENT, self._since, choice=choice)
        provisional = board.opening is not None and not board.opening.succession
        return Decision(Verdict.FRESH, good, choice.reason, self._since, provisional, choice)

    def _trouble_of_the_pinned(self, track: Track) -> Reason | None:
        """Why it cannot be relied on: unlike the others it is chosen whatever its health."""
        if not self._board.roster.reachable(track.server):
            return Reason.TAILNET_AWAY
        return None if track.health.status is Status.UP else Reason.PINNED_DEAD

    def _at_its_new_address(self, choice: Choice) -> Decision | None:
        """A server that moved must not stay published where it was, which may be another's, while it is waited for."""
        good = self._board.last_good
        if not self.moved or good is None:
            return None
        return Decision(Verdict.STALE, good, Reason.MOVED, self._since, choice=choice)

    def _without(self, choice: Choice) -> Decision:
        good = self._board.last_good
        if good is None:
            return Decision(Verdict.NONE, None, Reason.NONE_YET, self._since, choice=choice)
        reason = Reason.TAILNET_AWAY if self._board.roster.tailnet_lacks(good) else Reason.ALL_LOST
        return Decision(Verdict.STALE, good, reason, self._since, choice=choice)

    def _round_over(self, opening: Opening) -> bool:
        """Whether all who can be asked have said something, or were silent long enough."""
        roster = self._board.roster
        return not roster.unseen and not any(roster.reachable(roster.tracks[key].server) for key in opening.pending)

    def _publishable(self, opening: Opening, key: str, now: float) -> bool:
        roster = self._board.roster
        if roster.unseen and opening.waits_for_the_tailnet(now):
            return False
        leader = next(one for one in self._board.contenders(now) if one.key == key)
        pending = [server for k in opening.pending if roster.reachable(server := roster.tracks[k].server)]

        def under_way(server: Server) -> tuple[float, bool]:
            flight = self._flights.get(server.key)
            if flight is not None:
                return flight.sent, flight.connected
            due = roster.tracks[server.key].due
            return max(opening.since, due) if due <= now else opening.since, False

        return opening.may_publish(leader, pending, under_way, self._board.tier, now)
