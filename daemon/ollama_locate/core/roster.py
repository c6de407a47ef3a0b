"""Who is there: the servers of the last good look at the tailnet, of this machine and of the static list."""

import math
from collections.abc import Iterable

from .crowd import Crowd
from .patterns import names
from .server import Kind, Server
from .tailnet import Absence, Tailnet, Unavailable
from .track import LastGood, Track
from .trust import Policy, Rejected, judge, own_servers

_OWN = ("local:", "static:")
# What the tailscale command cannot say is not known to be false: after these its last answer still stands.
_LOOK_FAILED = frozenset(
    {
        Absence.HUNG,
        Absence.GARBAGE,
        Absence.TRUNCATED,
        Absence.TOO_LARGE,
        Absence.WRONG_TYPE,
        Absence.EXIT_CODE,
        Absence.GUI_NOT_CLI,
    }
)


class Roster:
    """The tracks by key, and the rejected peers. `away`: tailscaled says that it does not run."""

    def __init__(self, policy: Policy, now: float, machines: int = 0) -> None:
        self.tracks: dict[str, Track] = {}
        self.rejected: list[Rejected] = []
        self.look: Tailnet | Unavailable | None = None
        self.away = False
        self.crowd = Crowd(now, machines)
        self._policy = policy
        self._tailnet: Tailnet | None = None
        self._place(own_servers(policy), now)

    def see(self, look: Tailnet | Unavailable, now: float) -> bool:
        """Take in a look; returns whether the tailnet is there again, or for the first time."""
        self.look = look
        if isinstance(look, Unavailable):
            # A command that vanishes for a moment is being upgraded; tailscaled itself has said nothing.
            upgraded = look.reason is Absence.NOT_INSTALLED and self._tailnet is not None
            self.away = self.away or not (upgraded or look.reason in _LOOK_FAILED)
            return False
        back, self.away, self._tailnet = self.away or self._tailnet is None, False, look
        self._judge(now)
        return back

    def reconfigure(self, policy: Policy, now: float) -> None:
        """Judge again by another policy; what is known of servers that stay is kept."""
        self._policy = policy
        self._judge(now)

    def reachable(self, server: Server) -> bool:
        """Whether it makes sense to ask it: a peer cannot be reached while the tailnet is away."""
        return not self.away or server.kind in (Kind.LOCAL, Kind.STATIC)

    def tailnet_lacks(self, server: LastGood) -> bool:
        """Whether it is a peer's, and there is no tailnet to reach it on."""
        return not server.key.startswith(_OWN) and (self.away or self._tailnet is None)

    def still_trusts(self, server: LastGood) -> bool:
        """Whether it is there as it was; a peer's address may be another's by now. Without a tailnet none is known."""
        track = self.tracks.get(server.key)
        if track is not None:
            return track.server.url == server.url
        if self._tailnet is not None or server.key.startswith(_OWN):
            return False
        return not any(names(pattern, server.name, server.url) for pattern in self._policy.deny)

    def _judge(self, now: float) -> None:
        servers = own_servers(self._policy)
        if self._tailnet is not None:
            found, self.rejected = judge(self._tailnet, self._policy)
            self.crowd.see(self._tailnet, self.rejected)
            servers += found
        self._place(servers, now)

    def _place(self, servers: Iterable[Server], now: float) -> None:
        tracks: dict[str, Track] = {}
        for server in servers:
            track = self.tracks.get(server.key)
            if track is None or (track.server.url, track.server.host) != (server.url, server.host):
                track = Track(server, due=self.crowd.soon(server, now))
            elif server.online and not track.server.online:
                last = track.checked if track.checked is not None else -math.inf
                track.repeats = 0
                track.due = min(track.due, max(self.crowd.soon(server, now), last + self.crowd.again))
            track.server = server
            tracks[server.key] = track
        self.tracks = tracks
