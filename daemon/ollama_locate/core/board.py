"""Who is up, who is in doubt, who is current: what is known of everybody, and the choice that follows from it."""

from collections.abc import Iterable, Mapping
from operator import attrgetter

from . import selection
from .aliases import in_force, resolved
from .constants import OUTDATED
from .health import Health, Status
from .models import full_name
from .opening import Opening
from .pin import NAME as PINNED_NAME
from .roster import Roster
from .selection import Choice, Contender, Required, Standing
from .server import Kind, Server
from .track import LastGood, Settings, Track
from .trust import static_key
from .typical import Typical


class Board:
    """The locator writes it, the snapshot reads it. `last_good` is the current server, even where it is down.

    `forward` is the URL of the stable address while that listens: what is published of servers behind a proxy.
    """

    def __init__(self, settings: Settings, now: float, last_good: LastGood | None) -> None:
        self.settings = settings
        self.roster = Roster(settings.policy, now, last_good, settings.machines)
        before = self.roster.tracks.get(last_good.key) if last_good else None
        # Since it was published its table may have got headers.
        self.last_good = last_good if before is None or before.server.usable(forward=True) else None
        self.opening: Opening | None = None
        self.forward: str | None = None
        self.up: set[str] = set()
        self.doubted: set[str] = set()
        self._by_url: dict[str, list[str]] = {}
        self._typical = Typical(settings.speeds)
        self.regroup()

    @property
    def tracks(self) -> dict[str, Track]:
        """What is known of each server, by its key."""
        return self.roster.tracks

    def reconfigure(self, settings: Settings) -> None:
        """Decide by these from now on."""
        self.settings, self._typical = settings, Typical(settings.speeds)

    def answers(self) -> dict[str, dict[str, float]]:
        """Model -> key -> the seconds of a typical answer, where servers are compared by that."""
        return self._typical.of_models(self.tracks)

    def aliases(self) -> dict[str, tuple[str, ...]]:
        """Those in force: none that has the name of a model that can be had."""
        names = {full_name(name) for name in self.settings.aliases}
        real = {
            name
            for key in (self.up if names else ())
            if self.usable((track := self.tracks[key]).server) and self.roster.reachable(track.server)
            for name in names.intersection(track.models or ())
        }
        return in_force(self.settings.aliases, real)

    def required(self) -> Required:
        """What is required, by the models' names."""
        require = self.settings.require
        if not any(name in self.settings.aliases for names in require for name in names):
            return resolved(require, {})
        return resolved(require, self.aliases())

    def set_health(self, track: Track, health: Health) -> None:
        """Note it, here and there."""
        track.health = health
        (self.up.add if health.status is Status.UP else self.up.discard)(track.server.key)
        (self.doubted.add if health.in_doubt else self.doubted.discard)(track.server.key)

    def regroup(self) -> None:
        """After servers have come and gone."""
        self._by_url = {}
        for track in self.tracks.values():
            self.set_health(track, track.health)
            self._by_url.setdefault(track.server.url, []).append(track.server.key)
        self.up &= self.tracks.keys()
        self.doubted &= self.tracks.keys()

    def endpoint(self, server: LastGood) -> str | None:
        """What programs use to reach it; None: they cannot."""
        return self.forward if self.roster.needs_forward(server.key) else server.url

    def usable(self, server: Server) -> bool:
        """Whether it may become the endpoint now."""
        return server.usable(forward=self.forward is not None)

    def returned(self, keys: set[str], now: float) -> None:
        """One of several tailnets is back: a round among its servers, unless one of another is current and up."""
        before = self.opening if self.opening is not None and not self.opening.succession else None
        current = self.current()
        if self.last_good is not None and self.last_good.key in keys:
            pending = keys | before.pending if before is not None else keys
            self.opening = Opening(pending, now, self.last_good.key)
        elif before is not None:
            before.pending |= keys
        elif current is None or current.health.status is not Status.UP or not self.roster.reachable(current.server):
            self.opening = Opening(keys, now, None)

    def at(self, url: str) -> list[Track]:
        """The servers with this URL; of the stable address who is behind it now."""
        current = self.current()
        if url == self.forward and current is not None and current.server.withheld is not None:
            return [current]
        return [self.tracks[key] for key in self._by_url.get(url, ())]

    def current(self) -> Track | None:
        """The server that was chosen last."""
        return self.tracks.get(self.last_good.key) if self.last_good else None

    def is_current(self, key: str) -> bool:
        """Whether this one was chosen last."""
        return self.last_good is not None and self.last_good.key == key

    def reaches(self) -> bool:
        """Whether anybody is up that is not this machine."""
        return any(not self.tracks[key].server.loopback for key in self.up)

    def in_doubt(self) -> bool:
        """Whether the current server has failed since its last answer."""
        current = self.current()
        return current is not None and current.health.in_doubt

    def wavering(self) -> bool:
        """Whether somebody's next check, which follows at once, may change the picture."""
        return any(track.health.wavering for track in self.tracks.values())

    def serves(self) -> bool:
        """Whether this machine's Ollama answers at its own tailnet address."""
        policy = self.settings.policy
        return any(net.key(f"self:{port}") in self.up for net in policy.nets for port in policy.ports)

    def tier(self, server: Server) -> int:
        """The server's place in the order, `local` included."""
        if server.kind is Kind.LOCAL:
            return selection.local_tier(self.settings.local, server.tier, serves=self.serves())
        return selection.LAST_TIER if server.tier is None else server.tier

    def choice(self, now: float, *, forward: bool = False) -> Choice:
        """The user's own, or the choice among the healthy as they stand; `forward`: for the stable address."""
        contenders, pinned = self.contenders(now, forward=forward), self.pinned()
        if pinned is not None:
            return selection.pinned(pinned.server.key, contenders, self.required())
        return selection.choose(
            contenders,
            self.last_good.key if self.last_good else None,
            required=self.required(),
            provisional=self.provisional,
        )

    @property
    def provisional(self) -> bool:
        """Whether this is the first round, in which no dead band protects anyone."""
        return self.opening is not None and self.opening.awaited is None

    def pinned(self) -> Track | None:
        """The pinned server; None where none is, or where it is no server (any more) that may be asked."""
        pin = self.settings.pin
        if pin is None:
            return None
        track = self.tracks.get(pin.key if pin.key is not None else static_key(PINNED_NAME))
        return track if track is not None and self.usable(track.server) else None

    def contenders(self, now: float, *, forward: bool = False) -> list[Contender]:
        """The healthy who may be published; `forward`: whom the stable address may ask.

        In doubt, only the current one stays; when it is down, only who answered since counts.
        """
        may_be_used = attrgetter("forwardable") if forward else self.usable
        current, times = self.current(), self._typical.of_servers(self.tracks, self.required())
        since = None
        if current is not None and current.health.status is Status.DOWN:
            since = current.health.suspect_since
        return [
            self._contender(track, now, times)
            for key in sorted(self.up)
            if may_be_used((track := self.tracks[key]).server)
            and self.roster.reachable(track.server)
            and (track is current or not track.health.in_doubt)
            and (since is None or track.health.answered_at is None or track.health.answered_at >= since)
        ]

    def _contender(self, track: Track, now: float, times: Mapping[str, float]) -> Contender:
        """One of the healthy as it stands; `times` are of a typical answer, by key."""
        return Contender(
            track.server.key,
            self.tier(track.server),
            track.floor,
            track.models,
            held=track.health.held_until > now,
            demoted=track.complaints.demoted(now),
            outdated=self._is_outdated(track, now),
            answer=times.get(track.server.key),
        )

    def _is_outdated(self, track: Track, now: float) -> bool:
        """Whether its last answer is older than it ever is where nobody shares the interval."""
        answered = track.health.answered_at
        shared = self.roster.crowd.of(track.server).shares and not track.server.loopback
        return shared and answered is not None and now - answered > OUTDATED * self.settings.interval

    def doubtful(self, contenders: Iterable[Contender]) -> list[Contender]:
        """Who is up and no contender now: in doubt, or not asked since the current one failed.

        Others may lack its models.
        """
        known = {one.key for one in contenders}
        return [
            Contender(key, self.tier(track.server), track.floor, track.models)
            for key in sorted(self.up - known)
            if self.usable((track := self.tracks[key]).server) and self.roster.reachable(track.server)
        ]

    def successors(self, now: float, *, healthy: bool) -> Iterable[str]:
        """Who might take the current one's place, the best first; and after the healthy, who can at least be reached.

        Who was asked since the current one fell in doubt has had its turn.
        """
        current = self.current()
        since = current.health.suspect_since if current is not None else None
        required = self.required()
        times = self._typical.of_servers(self.tracks, required)
        ranked = [
            self._contender(track, now, times)
            for key in self.up
            if self.usable((track := self.tracks[key]).server) and not self.is_current(key)
        ]
        ranked = selection.rank(ranked, required)
        keys = [one.key for one in ranked]
        if self.roster.crowd.shares:
            # Those that are as good as the best are asked by each machine in an order of its own.
            alike = selection.alike(ranked, required)
            keys[:alike] = sorted(keys[:alike], key=self.roster.crowd.lot)
        if not healthy:
            keys += [key for key, t in self.tracks.items() if key not in self.up and t.probe and t.probe.reached]
        for key in keys:
            track = self.tracks[key]
            asked = since is not None and track.probe is not None and track.probe.sent >= since
            if not asked and not self.is_current(key) and self.roster.reachable(track.server):
                yield key

    def standing(self, key: str, choice: Choice) -> Standing:
        """Where one server stands, for people."""
        track = self.tracks[key]
        if track.server.kind is Kind.SELF_CHECK:
            return Standing.SELF_CHECK
        if not self.roster.reachable(track.server):
            return Standing.UNREACHABLE
        if track.health.in_doubt:
            return Standing.FAILING
        why = track.server.withheld
        if why is not None and track.health.status is Status.UP and not self.usable(track.server):
            return Standing[why.name]
        if key in choice.standings and track.health.status is Status.UP:
            return choice.standings[key]
        down = track.probe is not None and track.health.status is Status.DOWN
        silent_so_far = track.probe is not None and track.health.answered_at is None
        return Standing.DOWN if down or silent_so_far else Standing.UNCHECKED
