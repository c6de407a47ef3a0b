"""Everything that is known, and the decision that follows. No I/O: events in, a decision out, `now` given."""

from . import complaints, latency, patience
from .board import Board
from .catalogue import Catalogue
from .constants import NEXT_BEST, REPORT_MIN_GAP, TAILNET_SETTLES
from .decider import Decider
from .evidence import Evidence
from .health import Proof, Status, answered, failed, forgiven
from .inventory import Model
from .mdns import Heard
from .opening import Opening
from .outcome import Outcome, Probe
from .patience import Terms
from .sentinel import Sentinel, Watch
from .server import Server, base_url
from .succession import Succession
from .tailnet import Tailnet, Unavailable
from .track import Decision, LastGood, Settings, Track, UnderWay
from .turns import Turns
from .void import Void


class Locator:
    """The state of the whole program; one owner, one thread.

    Feed it: `see` a look at the tailnet; `hear` the LAN; `begin` / `connected` / `quiet` / `finish` / `listed` of
    probes; `watching` / `unwatchable` / `lost` of the sentinel; what disturbs this machine; `report`s of readers.
    Ask it: `due`, `next_due`, `terms`, `watch`, `decide`. A *round* opens at the start and whenever the
    tailnet comes back: until everybody has been asked once, the server that was current before is waited for.
    """

    def __init__(self, settings: Settings, now: float, last_good: LastGood | None = None) -> None:
        self.board = Board(settings, now, last_good)
        self.roster = self.board.roster
        self.sentinel = Sentinel()
        self.sentinel.on = settings.sentinel
        self._flights: dict[str, UnderWay] = {}
        self.catalogue = Catalogue(self.board)
        self._decider = Decider(self.board, self._flights, now)
        self._void = Void(self.roster, now)
        self.board.opening = Opening(self.tracks, now, last_good.key if last_good else None)
        self._evidence = Evidence()
        self._succession = Succession(self.board, self._flights, self._evidence)
        self._turns = Turns(self.board, self._flights, self.sentinel)

    @property
    def settings(self) -> Settings:
        """What of the config decides."""
        return self.board.settings

    @property
    def last_good(self) -> LastGood | None:
        """The server that was chosen last."""
        return self.board.last_good

    @property
    def tracks(self) -> dict[str, Track]:
        """What is known of each server, by its key."""
        return self.board.tracks

    # --- the tailnet, the config, this machine

    def see(self, look: Tailnet | Unavailable, now: float, net: str = "") -> None:
        """Take in a look at a tailnet: servers appear, change and go."""
        before = set(self.tracks)
        back = self.roster.see(look, now, net)
        self._regroup(before, now)
        if back:
            self.resume(now, net)

    def hear(self, heard: Heard, now: float) -> None:
        """Take in what mDNS hears on the LAN."""
        before = set(self.tracks)
        self.roster.hear(heard, now)
        self._regroup(before, now)

    def reconfigure(self, settings: Settings, now: float) -> None:
        """Take in another config."""
        before, unpinned = set(self.tracks), self.settings.pin is not None and settings.pin is None
        self.board.reconfigure(settings)
        self.catalogue.reconfigure()
        self.sentinel.on = settings.sentinel
        self.roster.crowd.told = settings.machines
        self.roster.reconfigure(settings.policy, now)
        self._regroup(before, now)
        for track in self.tracks.values():
            track.due = min(track.due, now + self.roster.crowd.cycle(settings.interval))
        pinned = self.board.pinned()
        if pinned is not None and pinned.probe is None and self.board.opening is None:
            # Nobody knows yet whether it lives: what was published stays until it has been asked.
            self.board.opening = Opening((pinned.server.key,), now, pinned.server.key)
        if unpinned and self.board.opening is None:
            # The pinned one was not chosen for its merits: no dead band protects it.
            self.board.opening = Opening((), now, None)

    def recheck(self, now: float) -> None:
        """Let everybody be asked again. Among thousands of machines only a person asks for this."""
        self._turns.at_once(self._of(None), now)

    def _of(self, net: str | None) -> list[Track]:
        """The servers of a tailnet; None: all."""
        return [track for track in self.tracks.values() if net is None or track.server.net == net]

    def moved(self, now: float, net: str | None = None) -> None:
        """This machine's network may be another one, or that of one tailnet: its servers are asked again.

        Among thousands of machines a few are.
        """
        if not self._succession.ask_a_few(now):
            self._turns.at_once(self._of(net), now)

    def resume(self, now: float, net: str | None = None) -> None:
        """A tailnet is back, or (None) this machine slept: the past says nothing, and whoever is there is asked again.

        Where there is one tailnet only, all is taken to depend on it.
        """
        net = self.roster.one_of_several(net)
        tracks, few = self._of(net), self._succession.ask_a_few(now)
        for track in tracks:
            if not track.server.loopback:
                self.board.set_health(track, forgiven(track.health, now))
        keys = {track.server.key for track in tracks}
        if few:
            keys &= self._succession.asked_by(now + self.roster.crowd.window)
        else:
            self._turns.at_once(tracks, now)
        self._void.before.set(now, net)
        if net is None:
            self.board.opening = Opening(keys, now, self.last_good.key if self.last_good else None)
        else:
            self.board.returned(keys, now)

    def restarted(self, now: float, net: str | None = None) -> None:
        """Tailscaled was started anew, and nobody saw it away: who is silent may only not be reached yet."""
        net = self.roster.one_of_several(net)
        self._void.settles.set(now + TAILNET_SETTLES, net)
        self.moved(now, net)

    def forwards(self, url: str | None) -> None:
        """The stable address listens at this URL, or (None) not any more: what only a proxy reaches needs it."""
        self.board.forward = url
        if url is None and self.last_good is not None and self.roster.needs_forward(self.last_good.key):
            self.board.last_good = None

    def stalled(self, now: float) -> None:
        """This program stood still: who failed meanwhile may have answered in time, and is asked again."""
        self._void.before.set(now)

    def _regroup(self, before: set[str], now: float) -> None:
        board, good = self.board, self.last_good
        board.regroup()
        self.sentinel.keep(self.tracks)
        if board.opening is not None:
            board.opening.join(self.tracks.keys() - before, self.tracks)
        moved = self.tracks.get(good.key) if good else None
        if good and moved and moved.server.url != good.url and moved.server.usable(forward=True):
            # The same machine at another address: it is asked there, and waited for as at a start.
            board.last_good = LastGood(good.key, moved.server.name, moved.server.url)
            if board.opening is None or board.opening.succession:
                board.opening = Opening((good.key,), now, good.key)
            self._decider.moved = True
        elif good and not self.roster.still_trusts(good):
            board.last_good = None
            if board.opening is not None:
                board.opening.awaited = None

    # --- probes

    def due(self, now: float) -> list[Server]:
        """Whom to probe now, in this order."""
        return self._turns.due(now)

    def next_due(self) -> float | None:
        """The monotonic time of the next probe, None while all that exist are under way."""
        return self._turns.next_due()

    def terms(self, key: str) -> Terms:
        """How long the next probe of this server may take."""
        track = self.tracks[key]
        wait = patience.answer_wait(track.answers, self.settings.timeout)
        return Terms(track.rtt, sure=track.health.in_doubt, answer_wait=wait)

    def under_way(self) -> int:
        """How many probes are out."""
        return len(self._flights)

    def begin(self, key: str, now: float) -> None:
        """Its first SYN has left."""
        self._flights[key] = UnderWay(now, self.tracks[key].server.where)

    def connected(self, key: str) -> None:
        """The connection stands."""
        if key in self._flights:
            self._flights[key].connected = True

    def quiet(self, key: str) -> None:
        """Silent for so long that it is called silent for now; the attempt stays open."""
        track = self.tracks.get(key)
        if track is not None and track.probe is None and key in self._flights:
            track.probe = Probe(Outcome.SILENT, self._flights[key].sent, "so far")
        if self.board.opening is not None:
            self.board.opening.quiet(key)

    def listed(self, key: str, models: tuple[str, ...] | None) -> None:
        """Its list of models arrived after the probe had ended."""
        if track := self.tracks.get(key):
            self.catalogue.listed(track, models)

    def stocked(self, key: str, models: tuple[Model, ...]) -> bool:
        """What it has and what of it is loaded; returns whether another server may be the best for a model now."""
        track = self.tracks.get(key)
        return track is not None and self.catalogue.stocked(track, models)

    def finish(self, key: str, probe: Probe, now: float, jitter: float = 0.0) -> bool:
        """A probe has ended; returns whether the decision may be another one now.

        One of a server that is no longer known, or not as it was asked, is ignored.
        """
        flight, track = self._flights.pop(key, None), self.tracks.get(key)
        if track is None:
            return False
        if flight is not None and self._void.covers(track, flight, probe):
            track.due = now
            return True
        was_up = key in self.board.up
        if self.board.opening is not None:
            outdated = probe.sent < self.board.opening.since or self._evidence.outdates(probe)
            self.board.opening.heard(key, alive=probe.outcome is Outcome.ALIVE, outdated=outdated)
        elif probe.outcome is Outcome.ALIVE and not track.server.loopback:
            self._succession.wait_for_the_last_good(now)
        anew = self._evidence.note(track.server, probe, now) and self._succession.doubt_anew(now)
        track.probe, track.checked = probe, now
        if probe.outcome is Outcome.ALIVE:
            self._is_alive(track, probe, now)
        else:
            self._has_failed(track, probe, now)
            if self.roster.crowd.shares and not self.board.reaches():
                self._succession.ask_everybody_known(now, fell=was_up)
        track.due = now + self._turns.wait(track, probe, now, jitter)
        if self._succession.is_to_be_asked_again(track, probe):
            track.due = now
        open_round = self.board.opening is not None
        return anew or was_up or key in self.board.up or open_round or self.board.is_current(key)

    def _is_alive(self, track: Track, probe: Probe, now: float) -> None:
        if track.health.status is not Status.UP:
            track.recent = ()  # of the path as it was before
        self.board.set_health(track, answered(track.health, now))
        self.sentinel.answered(track.server.key, now)
        track.repeats, track.alive_at = 0, now
        if probe.rtt is not None:
            track.rtt, track.recent = probe.rtt, latency.remember(track.recent, probe.rtt)
        self.catalogue.listed(track, probe.models)
        track.complaints = complaints.passed(track.complaints, now)
        if probe.answer is not None:
            track.answers = patience.measured(track.answers, probe.answer)

    def _has_failed(self, track: Track, probe: Probe, now: float) -> None:
        key, before = track.server.key, track.health
        proof = self._evidence.against(track.server, before, probe)
        self.board.set_health(track, failed(before, probe.sent, now, proof, probe.attempts, track.fall()))
        track.repeats += 1
        if probe.outcome is Outcome.BUSY:
            track.answers = patience.missed(track.answers)
        if self.board.is_current(key):
            if before.misses == 0:
                self._succession.ask_next_best(now, NEXT_BEST)
            if track.health.status is Status.DOWN:
                self.sentinel.fell(key)
                if before.in_doubt:
                    self._succession.wait_for_successors(now)
        elif (current := self.board.current()) is not None and current.health.misses > 0 and not self.board.opening:
            self._succession.ask_next_best(now, 1, healthy=True)

    # --- the sentinel, and reports of readers

    def watch(self, now: float) -> Watch | None:
        """To whom a connection is to be held now."""
        track = self.board.current()
        if track is None or track.health.status is not Status.UP or not self.roster.reachable(track.server):
            return None
        return self.sentinel.wanted(track.server, now)

    def watch_again(self) -> float | None:
        """When `watch` may say something else without any event."""
        track = self.board.current()
        return self.sentinel.again(track.server) if track is not None else None

    def watching(self, key: str, now: float) -> None:
        """The sentinel's connection stands."""
        self.sentinel.stands(key, now)

    def unwatchable(self, key: str, now: float) -> None:
        """The sentinel's connection could not be had: a probe shall say why."""
        self.sentinel.refused(key, now)
        if (track := self.tracks.get(key)) is not None:
            track.due = min(track.due, now)

    def lost(self, key: str, now: float, alive_at: float | None = None) -> None:
        """The sentinel's connection has ended: a failure, and checks at once. `alive_at`: its last sign of life."""
        track = self.tracks.get(key)
        self.sentinel.ended(key, now)
        if track is None or track.health.status is not Status.UP:
            return
        if alive_at is not None:
            track.alive_at = max(alive_at, track.alive_at or alive_at)
        if not track.health.in_doubt:
            self.board.set_health(track, failed(track.health, now, now, Proof.NONE))
            if self.board.is_current(key):
                self._succession.ask_next_best(now, NEXT_BEST)
        track.due = min(track.due, now)

    def doubted(self, key: str, now: float) -> None:
        """A request to it failed: a probe shall say why, unless it was asked a moment ago."""
        track = self.tracks.get(key)
        if track is not None:
            track.due = min(track.due, max(now, (track.checked or now - REPORT_MIN_GAP) + REPORT_MIN_GAP))
            self._succession.somebody_waits(now)

    def report(self, url: str, now: float) -> bool:
        """A reader says that the server at this URL failed it; returns whether there is such a server."""
        found = self.board.at(base_url(url))
        for track in found:
            before = track.complaints
            track.complaints = complaints.reported(before, now)
            if track.complaints is not before:
                track.due = min(track.due, now)
                self._succession.somebody_waits(now)
        return bool(found)

    # --- the decision

    def decide(self, now: float) -> Decision | None:
        """What is to be published now; None while an open round has not shown enough."""
        decision = self._decider.decide(now)
        self._succession.keep_asking_the_unwatched(watched=self.sentinel.on)
        return decision

    def conclude(self, now: float) -> Decision:
        """What is to be published if nothing more is awaited."""
        return self._decider.conclude(now)
