"""Who is there: the servers of the last good look at each tailnet, of this machine, the static list and the LAN."""

import math
from collections.abc import Iterable

from .crowd import Crowd
from .health import Status
from .lan import PREFIX, Judge, Unasked, Unfit
from .mdns import Heard, plain
from .net import Net, net_of
from .patterns import names
from .server import Kind, Server
from .tailnet import Absence, Tailnet, Unavailable
from .tailnets import judge_all
from .track import LastGood, Track
from .trust import Policy, Rejected, own_servers

_OWN = ("local:", "static:", PREFIX)
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

    @property
    def routes(self) -> bool:
        """Whether the kernel sends its machines' addresses into it, by the last look: one that failed says nothing."""
        return isinstance(self.look, Tailnet) and self.look.tun

    def holds(self, host: str) -> bool:
        """Whether one of its machines has this address: any other goes where the default route leads."""
        there, wanted = self.tailnet, plain(host)
        nodes = (there.self, *there.peers) if there is not None else ()
        return any(plain(address) == wanted for node in nodes for address in node.addresses)


class Roster:
    """The tracks by key, the rejected peers, and who is left alone of the LAN.

    `nets` has the tailnets by name, in the config's order. `last_good`, where mDNS had found it, is asked again though
    nothing was heard yet.
    """

    def __init__(self, policy: Policy, now: float, last_good: LastGood | None = None, machines: int = 0) -> None:
        self.tracks: dict[str, Track] = {}
        self.rejected: list[Rejected] = []
        self.unasked: list[Unasked] = []
        self.crowd = Crowd(now, machines)
        self.nets = {net.name: Looked(net) for net in policy.nets}
        self._policy = policy
        self._heard: Heard | None = None
        self._elsewhere = own_servers(policy)
        self._place([*self._elsewhere, *self._remembered(last_good)], now)

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

    def hear(self, heard: Heard, now: float) -> None:
        """Take in what the LAN says now."""
        self._heard = heard
        self._place(self._elsewhere + self._judge_lan(), now)

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
        if server.secret_in_clear:
            # Else its address is the Internet provider's, who would get the headers to read; and of an address that
            # two tailnets have nobody says whose machine it leads to.
            routed = [one for one in self.nets.values() if one.net.socks5 is None]
            return all(one.routes for one in routed) and sum(one.holds(server.host) for one in routed) == 1
        return server.kind in (Kind.LOCAL, Kind.STATIC, Kind.MDNS) or not self.nets[server.net].away

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
            return track.server.url == server.url and track.server.usable(forward=True)
        if server.key.startswith(PREFIX):
            # Also while this machine is in no network: it is said to be stale, and it is not another one's.
            judge, where = Judge(self._policy, self._heard, {}), _of_lan(server)
            fit = judge.reason(*where) in (None, Unfit.NOT_ON_LAN)
            return self._policy.mdns.browse and fit and judge.server(*where).url == server.url
        looked = self.nets.get(net_of(server.key))
        if looked is None or looked.tailnet is not None or server.key.startswith(_OWN):
            return False
        return not any(names(pattern, server.name, server.url) for pattern in self._policy.deny)

    def needs_forward(self, key: str) -> bool:
        """Whether only a SOCKS5 proxy leads to the server of this key, which may not be known yet."""
        looked = self.nets.get(net_of(key))
        return looked is not None and looked.net.socks5 is not None and not key.startswith(_OWN)

    def _judge(self, now: float) -> None:
        seen = [(one.net, one.tailnet) for one in self.nets.values() if one.tailnet is not None]
        found, self.rejected = judge_all(seen, self._policy)
        self.crowd.see(seen, self.rejected)
        self._elsewhere = [*own_servers(self._policy), *found]
        self._place(self._elsewhere + self._judge_lan(), now)

    def _judge_lan(self) -> list[Server]:
        """The servers of the LAN; besides those that are heard those that said goodbye and live."""
        self.unasked = []
        if not self._policy.mdns.browse:
            return []
        lan = [one for one in self.tracks.values() if one.server.kind is Kind.MDNS and _lives(one)]
        judge = Judge(self._policy, self._heard, {one.server.lan_name: one.server.host for one in lan})
        servers, self.unasked = judge.all()
        keys = {one.key for one in servers}
        return servers + [
            judge.server(one.server.lan_name, one.server.host, one.server.port, online=self._heard is None)
            for one in lan
            if one.server.key not in keys
            and judge.reason(one.server.lan_name, one.server.host, one.server.port) is None
        ]

    def _remembered(self, last_good: LastGood | None) -> list[Server]:
        """The server that was current before this program began, if mDNS had found it and it is still allowed."""
        if last_good is None or not last_good.key.startswith(PREFIX) or not self._policy.mdns.browse:
            return []
        judge, where = Judge(self._policy, None, {}), _of_lan(last_good)
        return [judge.server(*where)] if judge.reason(*where) is None else []

    def _place(self, servers: Iterable[Server], now: float) -> None:
        tracks: dict[str, Track] = {}
        for server in servers:
            track = self.tracks.get(server.key)
            if track is None or track.server.where != server.where:
                track = Track(server, due=self.crowd.soon(server, now))
            elif server.online != track.server.online and (server.online or server.kind is Kind.MDNS):
                # Of the LAN also who said goodbye: it is asked whether that is so.
                last = track.checked if track.checked is not None else -math.inf
                track.repeats = 0
                track.due = min(track.due, max(self.crowd.soon(server, now), last + self.crowd.of(server).again))
            track.server = server
            tracks[server.key] = track
        self.tracks = tracks


def _lives(track: Track) -> bool:
    """Whether it is up, or was not asked yet."""
    return track.health.status is Status.UP or track.probe is None


def _of_lan(server: LastGood) -> tuple[str, str, int]:
    """Host, address and port of one that mDNS found, by what was published of it; without an address if it is none."""
    address, _, port = server.key.removeprefix(PREFIX).rpartition(":")
    return server.name.removesuffix(f":{port}"), plain(address), int(port) if port.isdecimal() else 0
