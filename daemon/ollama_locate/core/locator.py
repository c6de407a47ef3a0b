"""Everything that is known, and the decision that follows. No I/O: events in, a decision out, `now` given."""

from collections.abc import Iterable

from . import cadence, selection
from .constants import FALL, NEXT_BEST
from .evidence import Evidence
from .health import Health, Status, answered, doubted_anew, failed, forgiven
from .opening import Opening
from .outcome import Outcome, Probe
from .roster import Roster
from .selection import Choice, Contender, Reason, Standing
from .server import Kind, Server
from .tailnet import Tailnet, Unavailable
from .track import Decision, LastGood, Settings, Track, UnderWay, Verdict


class Locator:
    """The state of the whole program; one owner, one thread.

    Feed it: `see` a look at the tailnet, `begin` / `connected` / `quiet` / `finish` / `listed` of probes.
    Ask it: `due`, `next_due`, `decide`. A *round* opens at the start and whenever the tailnet comes back:
    until everybody has been asked once, the server that was current before is waited for.
    """

    def __init__(self, settings: Settings, now: float, last_good: LastGood | None = None) -> None:
        self.settings = settings
        self.roster = Roster(settings.policy, now)
        self.last_good = last_good
        self.since = now
        self._up: set[str] = set()
        self._doubted: set[str] = set()
        self._flights: dict[str, UnderWay] = {}
        self._moved = False
        self._opened_at = now
        self._opening: Opening | None = Opening(self.tracks, now, last_good.key if last_good else None)
        self._evidence = Evidence()

    @property
    def tracks(self) -> dict[str, Track]:
        """What is known of each server, by its key."""
        return self.roster.tracks

    # --- the tailnet

    def see(self, look: Tailnet | Unavailable, now: float) -> None:
        """Take in a look at the tailnet: servers appear, change and go."""
        before = set(self.tracks)
        back = self.roster.see(look, now)
        self._regroup(before, now)
        if back:
            self._open_round(now)

    def reconfigure(self, settings: Settings, now: float) -> None:
        """Take in another config."""
        before = set(self.tracks)
        self.settings = settings
        self.roster.reconfigure(settings.policy, now)
        self._regroup(before, now)
        for track in self.tracks.values():
            track.due = min(track.due, now + settings.interval)

    def recheck(self, now: float) -> None:
        """Let everybody be asked at once."""
        for track in self.tracks.values():
            track.due = min(track.due, now)

    def _regroup(self, before: set[str], now: float) -> None:
        for track in self.tracks.values():
            self._set_health(track, track.health)
        self._up &= self.tracks.keys()
        self._doubted &= self.tracks.keys()
        if self._opening is not None:
            self._opening.join(self.tracks.keys() - before, self.tracks)
        good = self.last_good
        moved = self.tracks.get(good.key) if good else None
        if good and moved and moved.server.url != good.url:
            # The same machine at another address: it is asked there, and waited for as at a start.
            self.last_good = LastGood(good.key, moved.server.name, moved.server.url)
            self._opening = self._opening or Opening((good.key,), now, good.key)
            self._moved = True
        elif good and not self.roster.still_trusts(good):
            self.last_good = None
            if self._opening is not None:
                self._opening.awaited = None

    def _open_round(self, now: float) -> None:
        for track in self.tracks.values():
            if not track.server.loopback:
                self._set_health(track, forgiven(track.health, now))
            track.due = now
        self._opened_at = now
        self._opening = Opening(self.tracks, now, self.last_good.key if self.last_good else None)

    def _set_health(self, track: Track, health: Health) -> None:
        track.health = health
        (self._up.add if health.status is Status.UP else self._up.discard)(track.server.key)
        (self._doubted.add if health.in_doubt else self._doubted.discard)(track.server.key)

    # --- probes

    def due(self, now: float) -> list[Server]:
        """Whom to probe now: known servers, then who was never asked (online ones first), then who waits longest."""
        until = cadence.batch_until(now, self.settings.interval)
        if all(track.due > now for track in self._idle()):
            return []
        # Checks that decide keep their distance; the others may come a little early, for company.
        tracks = [one for one in self._idle() if one.due <= (now if one.health.unsettled else until)]
        tracks.sort(key=Track.turn)
        return [track.server for track in tracks]

    def next_due(self) -> float | None:
        """The monotonic time of the next probe, None while all that exist are under way."""
        return min((track.due for track in self._idle()), default=None)

    def _idle(self) -> Iterable[Track]:
        for track in self.tracks.values():
            if track.server.key not in self._flights and self.roster.reachable(track.server):
                yield track

    def under_way(self) -> int:
        """How many probes are out."""
        return len(self._flights)

    def begin(self, key: str, now: float) -> None:
        """Its first SYN has left."""
        self._flights[key] = UnderWay(now, self.tracks[key].server.host, self.tracks[key].server.url)

    def connected(self, key: str) -> None:
        """The connection stands."""
        if key in self._flights:
            self._flights[key].connected = True

    def quiet(self, key: str) -> None:
        """Silent for so long that it is called silent for now; the attempt stays open."""
        track = self.tracks.get(key)
        if track is not None and track.probe is None and key in self._flights:
            track.probe = Probe(Outcome.SILENT, self._flights[key].sent, "so far")
        if self._opening is not None:
            self._opening.quiet(key)

    def listed(self, key: str, models: tuple[str, ...] | None) -> None:
        """Its list of models arrived after the probe had ended."""
        if (track := self.tracks.get(key)) and models is not None:
            track.models = models

    def finish(self, key: str, probe: Probe, now: float, jitter: float = 0.0) -> bool:
        """A probe has ended; returns whether the decision may be another one now.

        One of a server that is no longer known, or not as it was asked, is ignored.
        """
        flight, track = self._flights.pop(key, None), self.tracks.get(key)
        if track is not None and flight is not None and self._is_void(track.server, flight, probe):
            track.due = now
            return True
        if track is None:
            return False
        was_up = key in self._up
        if self._opening is not None:
            self._opening.heard(key, alive=probe.outcome is Outcome.ALIVE)
        anew = self._evidence.note(track.server, probe) and self._doubt_anew(now)
        track.probe, track.checked = probe, now
        if probe.outcome is Outcome.ALIVE:
            self._set_health(track, answered(track.health, now))
            track.repeats = 0
            track.rtt = probe.rtt if probe.rtt is not None else track.rtt
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
            wanted=track.server.kind is Kind.STATIC or self._is_current(key),
            jitter=jitter,
        )
        if self._asked_too_early(probe):
            track.due = now
        return anew or was_up or key in self._up or self._opening is not None or self._is_current(key)

    def _is_void(self, server: Server, flight: UnderWay, probe: Probe) -> bool:
        """Whether a probe says nothing of today: another address, a tailnet that is away or was since."""
        if not self.roster.reachable(server) or (server.host, server.url) != (flight.host, flight.url):
            return True
        return probe.outcome is not Outcome.ALIVE and not server.loopback and flight.sent < self._opened_at

    def _doubt_anew(self, now: float) -> bool:
        """Somebody answers: who has failed while nobody did is asked again at the fast pace; whether there was one."""
        found = False
        for track in [self.tracks[key] for key in self._doubted]:
            if track.health.misses > track.health.fails and not track.health.hurried:
                track.health = doubted_anew(track.health)
                track.due, found = min(track.due, now), True
        return found

    def _asked_too_early(self, probe: Probe) -> bool:
        """Whether it was under way already when the current server fell in doubt: it does not show whose fault."""
        current = self._current()
        since = current.health.suspect_since if current is not None else None
        return since is not None and probe.sent < since

    def _ask_next_best(self, doubted: str, now: float) -> None:
        """The current server is in doubt: ask others, to have a successor and to learn whose fault it is."""
        ranked = selection.rank(self._contenders(), self.settings.required_model)
        keys = [one.key for one in ranked]
        keys += [key for key, t in self.tracks.items() if t.probe and t.probe.reached and key not in keys]
        for key in [key for key in keys if key != doubted][:NEXT_BEST]:
            self.tracks[key].due = min(self.tracks[key].due, now)

    # --- the decision

    def decide(self, now: float) -> Decision | None:
        """What is to be published now; None while the opening round has not shown enough."""
        choice = self.choice(now)
        if (opening := self._opening) is not None:
            if self._round_over(opening):
                self._opening = None
            elif choice.key is None or not (
                self._is_current(choice.key) or self._publishable(opening, choice.key, now)
            ):
                return self._at_its_new_address(choice)
        return self._publish(choice, now)

    def conclude(self, now: float) -> Decision:
        """What is to be published if nothing more is awaited."""
        choice = self.choice(now)
        self._opening = None
        return self._publish(choice, now)

    def _publish(self, choice: Choice, now: float) -> Decision:
        self._moved = False
        if choice.key is None:
            return self._without(choice)
        server = self.tracks[choice.key].server
        if not self._is_current(choice.key):
            self.since = now
        self.last_good = LastGood(server.key, server.name, server.url)
        if self.tracks[server.key].health.misses >= FALL:
            return Decision(Verdict.STALE, self.last_good, Reason.NETWORK_SILENT, self.since, choice=choice)
        provisional = self._opening is not None
        return Decision(Verdict.FRESH, self.last_good, choice.reason, self.since, provisional, choice)

    def _current(self) -> Track | None:
        return self.tracks.get(self.last_good.key) if self.last_good else None

    def _at_its_new_address(self, choice: Choice) -> Decision | None:
        """A server that moved must not stay published where it was, which may be another's, while it is waited for."""
        if not self._moved or self.last_good is None:
            return None
        return Decision(Verdict.STALE, self.last_good, Reason.MOVED, self.since, choice=choice)

    def _is_current(self, key: str) -> bool:
        return self.last_good is not None and self.last_good.key == key

    def choice(self, now: float) -> Choice:
        """The choice among the healthy as they stand."""
        current = self.last_good.key if self.last_good else None
        return selection.choose(
            self._contenders(now),
            current,
            required=self.settings.required_model,
            provisional=self._opening is not None and self._opening.awaited is None,
        )

    def standing(self, key: str, choice: Choice) -> Standing:
        """Where one server stands, for people."""
        track = self.tracks[key]
        if track.server.kind is Kind.SELF_CHECK:
            return Standing.SELF_CHECK
        if not self.roster.reachable(track.server):
            return Standing.UNREACHABLE
        if track.health.in_doubt:
            return Standing.FAILING
        if key in choice.standings and track.health.status is Status.UP:
            return choice.standings[key]
        down = track.probe is not None and track.health.status is Status.DOWN
        silent_so_far = track.probe is not None and track.health.answered_at is None
        return Standing.DOWN if down or silent_so_far else Standing.UNCHECKED

    def in_doubt(self) -> bool:
        """Whether the current server has failed since its last answer."""
        current = self._current()
        return current is not None and current.health.in_doubt

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
            and self.roster.reachable(track.server)
            and (track is current or not track.health.in_doubt)
            and (since is None or track.health.answered_at is None or track.health.answered_at >= since)
        ]

    def _without(self, choice: Choice) -> Decision:
        if self.last_good is None:
            return Decision(Verdict.NONE, None, Reason.NONE_YET, self.since, choice=choice)
        reason = Reason.TAILNET_AWAY if self.roster.tailnet_lacks(self.last_good) else Reason.ALL_LOST
        return Decision(Verdict.STALE, self.last_good, reason, self.since, choice=choice)

    def _round_over(self, opening: Opening) -> bool:
        """Whether all who can be asked have said something, or were silent long enough."""
        return self.roster.look is not None and not any(
            self.roster.reachable(self.tracks[key].server) for key in opening.pending
        )

    def _publishable(self, opening: Opening, key: str, now: float) -> bool:
        if self.roster.look is None and opening.waits_for_the_tailnet(now):
            return False
        leader = next(one for one in self._contenders(now) if one.key == key)
        pending = [server for k in opening.pending if self.roster.reachable(server := self.tracks[k].server)]
        return opening.may_publish(leader, pending, self._under_way, self.tier, now)

    def _under_way(self, server: Server) -> tuple[float, bool]:
        flight = self._flights.get(server.key)
        since = self._opening.since if self._opening is not None else self._opened_at
        return (flight.sent, flight.connected) if flight is not None else (since, False)
