"""Who is there: the servers of the last good look at each tailnet, of this machine and of the static list."""

from collections.abc import Iterable

from .net import Net, net_of
from .patterns import names
from .server import Kind, Server
from .tailnet import Absence, Tailnet, Unavailable
from .tailnets import judge_all
from .track import LastGood, Track
from .trust import Policy, Rejected, own_servers

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


class Looked:
    """One tailnet: the last look at it, the last good one, and whether its tailscaled says that it does not run."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.look: Tailnet | Unavailable | None = None
        self.tailnet: Tailnet | None = None
        self.away = False

    def see(self, look: Tailnet | Unavailable) -> bool:
        """Take in a look; returns whether the tailnet is there again, or for the first time."""
        self.look = look
        if isinstance(look, Unavailable):
            # A command that vanishes for a moment is being upgraded; tailscaled itself has said nothing.
            upgraded = look.reason is Absence.NOT_INSTALLED and self.tailnet is not None
            self.away = self.away or not (upgraded or look.reason in _LOOK_FAILED)
            return False
        back, self.away, self.tailnet = self.away or self.tailnet is None, False, look
        return back


class Roster:
    """The tracks by key, and the rejected peers; `nets` has the tailnets by name, in the config's order."""

    def __init__(self, policy: Policy, now: float) -> None:
        self.tracks: dict[str, Track] = {}
        self.rejected: list[Rejected] = []
        self._policy = policy
        self.nets = {net.name: Looked(net) for net in policy.nets}
        self._place(own_servers(policy), now)

    @property
    def unseen(self) -> bool:
        """Whether a tailnet has not been looked at yet."""
        return any(one.look is None for one in self.nets.values())

    @property
    def away(self) -> bool:
        """Whether there is no tailnet that runs."""
        return all(one.away for one in self.nets.values())

    def see(self, look: Tailnet | Unavailable, now: float, net: str = "") -> bool:
        """Take in a look at a tailnet; returns whether that is there again, or for the first time."""
        if net not in self.nets:  # the config has changed meanwhile
            return False
        back = self.nets[net].see(look)
        if not isinstance(look, Unavailable):
            self._judge(now)
        return back

    def reconfigure(self, policy: Policy, now: float) -> None:
        """Judge again by another policy; what is known of servers and tailnets that stay is kept."""
        self._policy = policy
        before, self.nets = self.nets, {net.name: Looked(net) for net in policy.nets}
        for name in self.nets.keys() & before.keys():
            if self.nets[name].net.same_daemon(before[name].net):
                before[name].net = self.nets[name].net
                self.nets[name] = before[name]
        self._judge(now)

    def one_of_several(self, net: str | None) -> str | None:
        """This tailnet where there are others beside it; None: all there is."""
        return net if len(self.nets) > 1 else None

    def reachable(self, server: Server) -> bool:
        """Whether it makes sense to ask it: a peer cannot be reached while its tailnet is away."""
        return server.kind in (Kind.LOCAL, Kind.STATIC) or not self.nets[server.net].away

    def tailnet_lacks(self, server: LastGood) -> bool:
        """Whether it is a peer's, and there is no tailnet to reach it on."""
        if server.key.startswith(_OWN):
            return False
        looked = self.nets.get(net_of(server.key))
        return looked is None or looked.away or looked.tailnet is None

    def still_trusts(self, server: LastGood) -> bool:
        """Whether it is there as it was; a peer's address may be another's by now. Without a tailnet none is known."""
        track = self.tracks.get(server.key)
        if track is not None:
            return track.server.url == server.url
        looked = self.nets.get(net_of(server.key))
        if looked is None or looked.tailnet is not None or server.key.startswith(_OWN):
            return False
        return not any(names(pattern, server.name, server.url) for pattern in self._policy.deny)

    def proxied(self, key: str) -> bool:
        """Whether only a proxy leads to the server of this key."""
        looked = self.nets.get(net_of(key))
        return looked is not None and looked.net.socks5 is not None and not key.startswith(_OWN)

    def _judge(self, now: float) -> None:
        seen = [(one.net, one.tailnet) for one in self.nets.values() if one.tailnet is not None]
        found, self.rejected = judge_all(seen, self._policy)
        self._place([*own_servers(self._policy), *found], now)

    def _place(self, servers: Iterable[Server], now: float) -> None:
        tracks: dict[str, Track] = {}
        for server in servers:
            track = self.tracks.get(server.key)
            if track is None or _place_of(track.server) != _place_of(server):
                track = Track(server, due=now)
            elif server.online and not track.server.online:
                track.due, track.repeats = now, 0
            track.server = server
            tracks[server.key] = track
        self.tracks = tracks


def _place_of(server: Server) -> tuple[object, ...]:
    """Where it is, and what leads there: an answer from another place says nothing of it."""
    return server.url, server.host, server.proxy
