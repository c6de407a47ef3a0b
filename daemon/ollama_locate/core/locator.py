"""Everything that is known, and the decision that follows. No I/O: events in, a decision out, `now` given."""

from collections.abc import Iterable

from . import cadence, selection
from .constants import AWAITED_PATIENCE, FALL, NEXT_BEST
from .evidence import Evidence
from .health import Health, Status, answered, failed, forgiven
from .outcome import Outcome, Probe
from .selection import Choice, Contender, Flight, Reason, Standing
from .server import Kind, Server
from .tailnet import Absence, Tailnet, Unavailable
from .track import Decision, LastGood, Settings, Track, Verdict
from .trust import Rejected, judge, own_servers

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


class Locator:
    """The state of the whole program; one owner, one thread.

    Feed it: `see` a look at the tailnet, `begin` / `connected` / `quiet` / `finish` / `listed` of probes.
    Ask it: `due`, `next_due`, `decide`. A *round* opens at the start and whenever the tailnet comes back:
    until everybody has been asked once, the server that was current before is waited for.
    """

    def __init__(self, settings: Settings, now: float, last_good: LastGood | None = None) -> None:
        self.settings = settings
        self.tracks: dict[str, Track] = {}
        self.rejected: list[Rejected] = []
        self.look: Tailnet | Unavailable | None = None
        self.last_good = last_good
        self.since = now
        self._tailnet: Tailnet | None = None
        self._away = False
        self._up: set[str] = set()
        self._flights: dict[str, tuple[float, bool]] = {}
        self._opening: set[str] | None = set()
        self._opened_at = now
        self._awaited = last_good.key if last_good else None
        self._evidence = Evidence()
        self._place(own_servers(settings.policy), now)

    # --- the tailnet

    def see(self, look: Tailnet | Unavailable, now: float) -> None:
        """Take in a look at the tailnet: servers appear, change and go."""
        self.look = look
        if isinstance(look, Tailnet):
            back, self._away, self._tailnet = self._away or self._tailnet is None, False, look
            self._judge(now)
            if back:
                self._open_round(now)
        elif look.reason not in _LOOK_FAILED:
            self._away = True

    def reconfigure(self, settings: Settings, now: float) -> None:
        """Take in another config; what is known of servers that stay is kept."""
        self.settings = settings
        self._judge(now)

    def recheck(self, now: float) -> None:
        """Let everybody be asked at once."""
        for track in self.tracks.values():
            track.due = min(track.due, now)

    def _judge(self, now: float) -> None:
        servers = own_servers(self.settings.policy)
        if self._tailnet is not None:
            found, self.rejected = judge(self._tailnet, self.settings.policy)
            servers += found
        self._place(servers, now)
        if self._tailnet is not None and self.last_good and self.last_good.key not in self.tracks:
            # Its address may be another's by now: what is trusted no more is published no more.
            self.last_good = self._awaited = None

    def _place(self, servers: Iterable[Server], now: float) -> None:
        tracks: dict[str, Track] = {}
        for server in servers:
            old = self.tracks.get(server.key)
            if old is None or old.server.url != server.url or old.server.host != server.host:
                tracks[server.key] = Track(server, due=now)
                if self._opening is not None:
                    self._opening.add(server.key)
                continue
            if server.online and not old.server.online:
                old.due, old.repeats = now, 0
            old.server = server
            tracks[server.key] = old
        self.tracks = tracks
        self._up = {key for key, track in tracks.items() if track.health.status is Status.UP}
        if self._opening is not None:
            self._opening &= tracks.keys()

    def _open_round(self, now: float) -> None:
        for track in self.tracks.values():
            if not track.server.loopback:
                self._set_health(track, forgiven(track.health, now))
            track.due = now
        self._opening, self._opened_at = set(self.tracks), now
        self._awaited = self.last_good.key if self.last_good else None

    def _set_health(self, track: Track, health: Health) -> None:
        track.health = health
        (self._up.add if health.status is Status.UP else self._up.discard)(track.server.key)

    # --- probes

    def due(self, now: float) -> list[Server]:
        """Whom to probe now: known servers first, then those said to be online, then the rest."""
        until = cadence.batch_until(now, self.settings.interval)
        if all(track.due > now for track in self._idle()):
            return []
        tracks = [track for track in self._idle() if track.due <= until]
        tracks.sort(key=lambda track: (track.health.answered_at is None, not track.server.online))
        return [track.server for track in tracks]

    def next_due(self) -> float | None:
        """The monotonic time of the next probe, None while all that exist are under way."""
        return min((track.due for track in self._idle()), default=None)

    def _idle(self) -> Iterable[Track]:
        for track in self.tracks.values():
            if track.server.key not in self._flights and self._reachable(track.server):
                yield track

    def _reachable(self, server: Server) -> bool:
        return not self._away or server.kind in (Kind.LOCAL, Kind.STATIC)

    def under_way(self) -> int:
        """How many probes are out."""
        return len(self._flights)

    def begin(self, key: str, now: float) -> None:
        """Its first SYN has left."""
        self._flights[key] = (now, False)

    def connected(self, key: str) -> None:
        """The connection stands."""
        if key in self._flights:
            self._flights[key] = (self._flights[key][0], True)

    def quiet(self, key: str) -> None:
        """Silent for so long that it is called silent for now; the attempt stays open."""
        track = self.tracks.get(key)
        if track is not None and track.probe is None and key in self._flights:
            track.probe = Probe(Outcome.SILENT, self._flights[key][0], "so far")
        if key != self._awaited:
            self._opened(key)

    def listed(self, key: str, models: tuple[str, ...] | None) -> None:
        """Its list of models arrived after the probe had ended."""
        if (track := self.tracks.get(key)) and models is not None:
            track.models = models

    def finish(self, key: str, probe: Probe, now: float, jitter: float = 0.0) -> None:
        """A probe has ended. One of a server that is no longer known is ignored."""
        self._flights.pop(key, None)
        self._opened(key)
        track = self.tracks.get(key)
        if track is None:
            return
        self._evidence.note(track.server, probe)
        track.probe, track.checked = probe, now
        if probe.outcome is Outcome.ALIVE:
            self._set_health(track, answered(track.health, now))
            track.repeats = 0
            track.rtt = probe.rtt
            track.models = probe.models if probe.models is not None else track.models
        else:
            proof = self._evidence.against(track.server, track.health, probe)
            self._set_health(track, failed(track.health, probe.sent, now, proof))
            track.repeats += 1
            if self._is_current(key) and track.health.misses == 1:
                self._ask_next_best(key, now)
        track.due = now + cadence.wait(
            track.health,
            probe.outcome,
            track.repeats,
            interval=self.settings.interval,
            online=track.server.online,
            jitter=jitter,
        )
        if self._asked_too_early(probe):
            track.due = now

    def _asked_too_early(self, probe: Probe) -> bool:
        """Whether it was under way already when the current server fell in doubt: it does not show whose fault."""
        current = self._current()
        since = current.health.suspect_since if current is not None else None
        return since is not None and probe.sent < since

    def _opened(self, key: str) -> None:
        if self._opening is not None:
            self._opening.discard(key)

    def _ask_next_best(self, doubted: str, now: float) -> None:
        """The current server is in doubt: ask others, to have a successor and to learn whose fault it is."""
        ranked = sorted(self._contenders(), key=lambda one: (one.tier, one.rtt or 0.0))
        keys = [one.key for one in ranked]
        keys += [key for key, t in self.tracks.items() if t.probe and t.probe.reached and key not in keys]
        for key in [key for key in keys if key != doubted][:NEXT_BEST]:
            self.tracks[key].due = min(self.tracks[key].due, now)

    # --- the decision

    def decide(self, now: float) -> Decision | None:
        """What is to be published now; None while the opening round has not shown enough."""
        choice = self.choice(now)
        if self._opening is not None:
            if self._round_over():
                self._opening = self._awaited = None
            elif choice.key is None or not (self._is_current(choice.key) or self._publishable(choice.key, now)):
                return None
        return self._publish(choice, now)

    def conclude(self, now: float) -> Decision:
        """What is to be published if nothing more is awaited."""
        choice = self.choice(now)
        self._opening = self._awaited = None
        return self._publish(choice, now)

    def _publish(self, choice: Choice, now: float) -> Decision:
        if choice.key is None:
            return self._without()
        server = self.tracks[choice.key].server
        if not self._is_current(choice.key):
            self.since = now
        self.last_good = LastGood(server.key, server.name, server.url)
        if self.tracks[server.key].health.misses >= FALL:
            return Decision(Verdict.STALE, self.last_good, Reason.NETWORK_SILENT, self.since)
        provisional = self._opening is not None
        return Decision(Verdict.FRESH, self.last_good, choice.reason, self.since, provisional=provisional)

    def _current(self) -> Track | None:
        return self.tracks.get(self.last_good.key) if self.last_good else None

    def _is_current(self, key: str) -> bool:
        return self.last_good is not None and self.last_good.key == key

    def choice(self, now: float) -> Choice:
        """The choice among the healthy as they stand."""
        current = self.last_good.key if self.last_good else None
        return selection.choose(
            self._contenders(now),
            current,
            required=self.settings.required_model,
            provisional=self._opening is not None and self._awaited is None,
        )

    def standing(self, key: str, choice: Choice) -> Standing:
        """Where one server stands, for people."""
        track = self.tracks[key]
        if track.server.kind is Kind.SELF_CHECK:
            return Standing.SELF_CHECK
        if not self._reachable(track.server):
            return Standing.UNREACHABLE
        if track.health.in_doubt:
            return Standing.FAILING
        if key in choice.standings:
            return choice.standings[key]
        return Standing.UNCHECKED if track.probe is None else Standing.DOWN

    def in_doubt(self) -> bool:
        """Whether the current server has failed since its last answer."""
        current = self._current()
        return current is not None and current.health.in_doubt

    def away(self) -> bool:
        """Whether tailscaled says that it does not run."""
        return self._away

    def wavering(self) -> bool:
        """Whether somebody's next check, which follows at once, may change the picture."""
        return any(track.health.wavering for track in self.tracks.values())

    def serves(self) -> bool:
        """Whether this machine's Ollama answers at its own tailnet address."""
        return any(f"self:{port}" in self._up for port in self.settings.policy.ports)

    def tier(self, server: Server) -> int:
        """The server's place in the order, `local` included."""
        if server.kind is Kind.LOCAL:
            return selection.local_tier(self.settings.local, server.tier, serves=self.serves())
        return selection.LAST_TIER if server.tier is None else server.tier

    def _contenders(self, now: float | None = None) -> list[Contender]:
        """The healthy. In doubt, only the current one stays; when it is down, only who answered since counts."""
        current = self._current()
        since = None
        if current is not None and current.health.status is Status.DOWN:
            since = current.health.suspect_since
        return [
            Contender(
                key,
                self.tier(track.server),
                track.rtt,
                track.models,
                held=now is not None and track.health.held_until > now,
            )
            for key in sorted(self._up)
            if (track := self.tracks[key]).server.kind is not Kind.SELF_CHECK
            and self._reachable(track.server)
            and (track is current or not track.health.in_doubt)
            and (since is None or track.health.answered_at is None or track.health.answered_at >= since)
        ]

    def _without(self) -> Decision:
        if self.last_good is None:
            return Decision(Verdict.NONE, None, Reason.NONE_YET, self.since)
        peer = not self.last_good.key.startswith(("local:", "static:"))
        reason = Reason.TAILNET_AWAY if peer and (self._away or self._tailnet is None) else Reason.ALL_LOST
        return Decision(Verdict.STALE, self.last_good, reason, self.since)

    def _round_over(self) -> bool:
        """The opening round ends when all who can be asked have said something, or were silent long enough."""
        if self._opening is None or self.look is None:
            return False
        return not any(self._reachable(self.tracks[key].server) for key in self._opening)

    def _publishable(self, key: str, now: float) -> bool:
        if self.look is None and now - self._opened_at < AWAITED_PATIENCE:
            return False
        leader = next(one for one in self._contenders(now) if one.key == key)
        flights = [
            self._flight(server, now)
            for key in self._opening or ()
            if self._reachable(server := self.tracks[key].server)
        ]
        return selection.may_publish(leader, flights)

    def _flight(self, server: Server, now: float) -> Flight:
        sent, connected = self._flights.get(server.key, (self._opened_at, False))
        # This machine's own place in the order is known only when it was seen at its tailnet address.
        awaited = server.key == self._awaited or server.kind is Kind.SELF_CHECK
        tier = selection.FIRST_TIER if awaited else self.tier(server)
        return Flight(tier, now - sent, connected, awaited=awaited)
