"""Who is up, who is in doubt, who is current: what is known of everybody, and the choice that follows from it."""

from collections.abc import Iterable

from . import selection
from .health import Health, Status
from .opening import Opening
from .pin import NAME as PINNED_NAME
from .roster import Roster
from .selection import Choice, Contender, Standing
from .server import Kind, Server
from .track import LastGood, Settings, Track
from .typical import Typical


class Board:
    """The locator writes it, the snapshot reads it. `last_good` is the current server, even where it is down.

    `forward` is the URL of the stable address while that listens: what is published of servers behind a proxy.
    """

    def __init__(self, settings: Settings, now: float, last_good: LastGood | None) -> None:
        self.settings = settings
        self.roster = Roster(settings.policy, now)
        self.last_good = last_good
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
        return self.forward if self.roster.proxied(server.key) else server.url

    def usable(self, server: Server) -> bool:
        """Whether programs can reach it."""
        return server.proxy is None or self.forward is not None

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
        if url == self.forward and current is not None and current.server.proxy is not None:
            return [current]
        return [self.tracks[key] for key in self._by_url.get(url, ())]

    def current(self) -> Track | None:
        """The server that was chosen last."""
        return self.tracks.get(self.last_good.key) if self.last_good else None

    def is_current(self, key: str) -> bool:
        """Whether this one was chosen last."""
        return self.last_good is not None and self.last_good.key == key

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

    def choice(self, now: float) -> Choice:
        """The user's own, or the choice among the healthy as they stand."""
        contenders, pinned = self.contenders(now), self.pinned()
        if pinned is not None:
            return selection.pinned(pinned.server.key, contenders, self.settings.require)
        return selection.choose(
            contenders,
            self.last_good.key if self.last_good else None,
            required=self.settings.require,
            provisional=self.opening is not None and self.opening.awaited is None,
        )

    def pinned(self) -> Track | None:
        """The pinned server; None where none is, or where it is no server (any more) that may be asked."""
        pin = self.settings.pin
        if pin is None:
            return None
        found = self.tracks.get(pin.key if pin.key is not None else f"static:{PINNED_NAME}")
        return found if found is not None and self.usable(found.server) else None

    def contenders(self, now: float) -> list[Contender]:
        """The healthy. In doubt, only the current one stays; when it is down, only who answered since counts."""
        current, times = self.current(), self._typical.of_servers(self.tracks, self.settings.require)
        since = None
        if current is not None and current.health.status is Status.DOWN:
            since = current.health.suspect_since
        return [
            Contender(
                key,
                self.tier(track.server),
                track.floor,
                track.models,
                held=track.health.held_until > now,
                demoted=track.complaints.demoted(now),
                answer=times.get(key),
            )
            for key in sorted(self.up)
            if (track := self.tracks[key]).server.kind is not Kind.SELF_CHECK
            and self.roster.reachable(track.server)
            and self.usable(track.server)
            and (track is current or not track.health.in_doubt)
            and (since is None or track.health.answered_at is None or track.health.answered_at >= since)
        ]

    def doubtful(self) -> list[Contender]:
        """Who failed a check and is not down yet, but for the current one: nobody else may have its models."""
        return [
            Contender(key, self.tier(track.server), track.floor, track.models)
            for key in sorted(self.up & self.doubted)
            if not self.is_current(key)
            and (track := self.tracks[key]).server.kind is not Kind.SELF_CHECK
            and self.roster.reachable(track.server)
            and self.usable(track.server)
        ]

    def successors(self, now: float, *, healthy: bool) -> Iterable[str]:
        """Who might take the current one's place, the best first; and after the healthy, who can at least be reached.

        Who was asked since the current one fell in doubt has had its turn.
        """
        current = self.current()
        since = current.health.suspect_since if current is not None else None
        times = self._typical.of_servers(self.tracks, self.settings.require)
        ranked = [
            Contender(
                key,
                self.tier(track.server),
                track.floor,
                track.models,
                demoted=track.complaints.demoted(now),
                answer=times.get(key),
            )
            for key in self.up
            if (track := self.tracks[key]).server.kind is not Kind.SELF_CHECK
        ]
        keys = [one.key for one in selection.rank(ranked, self.settings.require)]
        if not healthy:
            keys += [key for key, t in self.tracks.items() if key not in self.up and t.probe and t.probe.reached]
        for key in keys:
            track = self.tracks[key]
            asked = since is not None and track.probe is not None and track.probe.sent >= since
            if not self.is_current(key) and not asked and self.roster.reachable(track.server):
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
        if track.health.status is Status.UP and not self.usable(track.server):
            return Standing.NEEDS_FORWARD
        if key in choice.standings and track.health.status is Status.UP:
            return choice.standings[key]
        down = track.probe is not None and track.health.status is Status.DOWN
        silent_so_far = track.probe is not None and track.health.answered_at is None
        return Standing.DOWN if down or silent_so_far else Standing.UNCHECKED
