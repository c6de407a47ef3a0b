"""Rounds in which somebody is waited for: at the start, when the tailnet comes back, and when the current one fell."""

from collections.abc import Callable, Collection, Iterable

from . import selection
from .constants import AWAITED_PATIENCE
from .selection import Contender, Flight
from .server import Kind, Server


class Opening:
    """Who has not been heard of yet. `since` is monotonic; `awaited` the server that was current before.

    While it lasts the awaited one is waited for, up to a second; once there is none to wait for, no dead
    band protects whoever happened to answer first. `succession`: the current one fell, and those who were
    asked when it came in doubt are still out.
    """

    def __init__(self, keys: Iterable[str], since: float, awaited: str | None, *, succession: bool = False) -> None:
        self.pending = set(keys)
        self.since = since
        self.awaited = awaited
        self.succession = succession

    def join(self, fresh: Iterable[str], all_keys: Collection[str]) -> None:
        """Servers have appeared, others have gone. A succession is among those who were there."""
        self.pending = (self.pending if self.succession else self.pending | set(fresh)) & set(all_keys)

    def quiet(self, key: str) -> None:
        """Silent so far: nothing more is expected of it, unless it is awaited."""
        if key != self.awaited:
            self.pending.discard(key)

    def heard(self, key: str, *, alive: bool, outdated: bool = False) -> None:
        """Its probe has ended. `outdated`: others answer now what was sent later; the awaited one may do so as well."""
        if key == self.awaited and not alive and outdated:
            return
        self.pending.discard(key)
        if key == self.awaited and not alive:
            self.awaited = None

    def may_publish(
        self,
        leader: Contender,
        servers: Iterable[Server],
        under_way: Callable[[Server], tuple[float, bool]],
        tier: Callable[[Server], int],
        now: float,
    ) -> bool:
        """Whether the leader can be published before the rest of `servers`, who are pending, is heard.

        `under_way` says when a server's probe was sent and whether its connection stands.
        """
        flights = []
        for server in servers:
            sent, connected = under_way(server)
            # This machine's own place in the order is known only when it was seen at its tailnet address.
            awaited = server.key == self.awaited or server.kind is Kind.SELF_CHECK
            place = selection.FIRST_TIER if awaited else tier(server)
            sent = max(sent, self.since) if server.key == self.awaited else sent
            flights.append(Flight(place, now - sent, connected, awaited=awaited))
        return selection.may_publish(leader, flights)

    def waits_for_the_tailnet(self, now: float) -> bool:
        """Whether a look at the tailnet that has not come yet is still worth waiting for."""
        return now - self.since < AWAITED_PATIENCE
