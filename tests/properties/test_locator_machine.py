"""Any life of a tailnet: peers come, go, change hands; probes end in every way; and still the promises hold."""

from collections.abc import Callable
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ollama_locate.core.health import Status
from ollama_locate.core.locator import Locator
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.patterns import parse_pattern
from ollama_locate.core.selection import Local
from ollama_locate.core.server import Kind
from ollama_locate.core.tailnet import Absence, Tailnet, Unavailable, parse_status
from ollama_locate.core.track import Decision, LastGood, Settings, Verdict
from ollama_locate.core.trust import Policy, StaticServer
from tests.standins.tailscale import ME, node, raw

BOB = 2
NUMBERS = (2, 3, 4, 5)
DEN = StaticServer("den", "192.168.7.7", 11434)


def config(local: Local, *, den: bool, ordered: bool) -> Settings:
    policy = Policy(
        (11434,),
        prefer=(parse_pattern("peer3"), parse_pattern("*")) if ordered else (),
        static=(DEN,) if den else (),
        use_local=local is not Local.OFF,
        check_self=local is Local.AUTO,
    )
    return Settings(policy, 30.0, local)


configs = st.builds(config, st.sampled_from(Local), den=st.booleans(), ordered=st.booleans())
outcomes = st.sampled_from([Outcome.ALIVE] * 7 + list(Outcome))
round_trips = st.none() | st.sampled_from([0.001, 0.012, 0.030, 0.200])
model_lists = st.sampled_from([None, (), ("a:1",)])


class Tailnets(RuleBasedStateMachine):
    """Two locators get the same events; after each event both decide, as the daemon lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.peers: dict[int, dict[str, Any]] = {}
        self.flights: dict[str, float] = {}
        self.seen: Tailnet | None = None
        self.found = False
        self.decision: Decision | None = None
        self.newest: Decision | None = None
        self.twins: tuple[Locator, Locator]

    @property
    def locator(self) -> Locator:
        return self.twins[0]

    def happen(self, event: Callable[[Locator], object]) -> None:
        """Something happens to both; then both decide, and decide the same."""
        for twin in self.twins:
            event(twin)
        decisions = [twin.decide(self.now) for twin in self.twins]
        assert decisions[0] == decisions[1]
        self.newest = decisions[0]
        self.decision = self.newest or self.decision

    @initialize(chosen=configs, before=st.none() | st.sampled_from(NUMBERS))
    def start(self, chosen: Settings, before: int | None) -> None:
        good = LastGood(f"n{before}:11434", f"peer{before}", f"http://100.64.0.{before}:11434") if before else None
        self.found = good is not None
        self.twins = (Locator(chosen, self.now, good), Locator(chosen, self.now, good))

    # --- the tailnet

    @rule(number=st.sampled_from(NUMBERS), owner=st.sampled_from([ME, ME, ME, BOB]), online=st.booleans())
    def peer_is_there(self, number: int, owner: int, online: bool) -> None:  # noqa: FBT001 - hypothesis gives it
        self.peers[number] = {"UserID": owner, "Online": online}

    @rule(number=st.sampled_from(NUMBERS))
    def peer_leaves(self, number: int) -> None:
        self.peers.pop(number, None)

    @rule()
    def look(self) -> None:
        nodes = [node(f"peer{number}", number, **fields) for number, fields in sorted(self.peers.items())]
        found = parse_status(raw(*nodes))
        assert isinstance(found, Tailnet)
        self.seen = found
        self.happen(lambda twin: twin.see(found, self.now))

    @rule(reason=st.sampled_from(Absence))
    def look_fails(self, reason: Absence) -> None:
        self.happen(lambda twin: twin.see(Unavailable(reason), self.now))

    @rule(chosen=configs)
    def reconfigure(self, chosen: Settings) -> None:
        self.happen(lambda twin: twin.reconfigure(chosen, self.now))

    # --- probes

    @rule()
    def ask_who_is_due(self) -> None:
        asked = [server.key for server in self.locator.due(self.now)]
        assert asked == [server.key for server in self.twins[1].due(self.now)]
        assert not self.flights.keys() & set(asked)
        for key in asked:
            self.flights[key] = self.now
            self.happen(lambda twin, key=key: twin.begin(key, self.now))  # type: ignore[misc]
            self.now += 0.00002

    @rule()
    def ask_all(self) -> None:
        self.happen(lambda twin: twin.recheck(self.now))

    @precondition(lambda self: self.flights)
    @rule(data=st.data(), takes=st.sampled_from([0.003, 0.1, 1.0]))
    def probe_ends(self, data: st.DataObject, takes: float) -> None:
        key = data.draw(st.sampled_from(sorted(self.flights)))
        sent, self.now = self.flights.pop(key), self.now + takes
        outcome = data.draw(outcomes)
        rtt, models = data.draw(round_trips), data.draw(model_lists)
        probe = Probe(outcome, sent, rtt=rtt, models=models) if outcome is Outcome.ALIVE else Probe(outcome, sent)
        track = self.locator.tracks.get(key)
        self.found |= outcome is Outcome.ALIVE and track is not None and track.server.kind is not Kind.SELF_CHECK
        self.happen(lambda twin: twin.finish(key, probe, self.now))

    @precondition(lambda self: self.flights)
    @rule(data=st.data())
    def all_probes_end_alike(self, data: st.DataObject) -> None:
        outcome = data.draw(st.sampled_from([Outcome.ALIVE, Outcome.REFUSED, Outcome.SILENT]))
        self.now += 1.0
        for key, sent in sorted(self.flights.items()):
            track = self.locator.tracks.get(key)
            self.found |= outcome is Outcome.ALIVE and track is not None and track.server.kind is not Kind.SELF_CHECK
            probe = Probe(outcome, sent, rtt=0.005 if outcome is Outcome.ALIVE else None)
            self.happen(lambda twin, key=key, probe=probe: twin.finish(key, probe, self.now))  # type: ignore[misc]
        self.flights.clear()

    @precondition(lambda self: self.flights)
    @rule(data=st.data())
    def probe_goes_on(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.flights)))
        if data.draw(st.booleans()):
            self.happen(lambda twin: twin.connected(key))
        else:
            self.happen(lambda twin: twin.quiet(key))

    @rule(seconds=st.sampled_from([0.01, 0.4, 1.1, 30.0, 61.0, 4000.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.happen(lambda _: None)

    # --- the promises

    def trusted(self) -> set[str]:
        """What may be published by what tailscale said last and by the config, told without the core."""
        policy = self.locator.settings.policy
        keys = {f"static:{entry.name}" for entry in policy.static}
        keys |= {"local:11434"} if policy.use_local else set()
        return keys | {f"{peer.id}:11434" for peer in (self.seen.peers if self.seen else ()) if peer.user_id == ME}

    @invariant()
    def nobody_untrusted_is_published(self) -> None:
        if self.newest is not None and self.newest.server is not None and self.seen is not None:
            assert self.newest.server.key in self.trusted()

    @invariant()
    def fresh_is_up_known_and_reachable(self) -> None:
        if self.newest is not None and self.newest.verdict is Verdict.FRESH:
            assert self.newest.server is not None
            track = self.locator.tracks[self.newest.server.key]
            assert track.health.status is Status.UP
            assert track.server.kind is not Kind.SELF_CHECK
            assert (track.server.url, track.server.name) == (self.newest.server.url, self.newest.server.name)
            assert track.server.kind is not Kind.PEER or not self.locator.roster.away

    @invariant()
    def a_down_one_is_left_when_another_answered_since(self) -> None:
        if self.newest is None or self.newest.server is None:
            return
        kept = self.locator.tracks.get(self.newest.server.key)
        if kept is None or kept.health.status is Status.UP or self.locator.roster.away:
            return
        since = kept.health.suspect_since or 0.0
        for track in self.locator.tracks.values():
            if track is not kept and track.server.kind is not Kind.SELF_CHECK and track.health.status is Status.UP:
                assert track.health.in_doubt or track.health.answered_at is None or track.health.answered_at < since

    @invariant()
    def what_was_found_is_kept_while_it_is_trusted(self) -> None:
        """All lost: the last good one, stale; the default only where no trusted one was ever found."""
        if self.newest is None:
            return
        assert (self.newest.server is None) == (self.newest.verdict is Verdict.NONE)
        if not self.found:
            assert self.newest.verdict is Verdict.NONE
        if self.newest.verdict is Verdict.NONE:
            assert all(
                track.health.status is not Status.UP or track.server.kind is Kind.SELF_CHECK or track.health.in_doubt
                for key, track in self.locator.tracks.items()
                if not self.locator.roster.away or track.server.kind is not Kind.PEER
            )

    @invariant()
    def nobody_waits_for_ever(self) -> None:
        """Whoever can be asked is under way, or has a time; nobody who is away is asked."""
        due = self.locator.next_due() if hasattr(self, "twins") else None
        if due is not None:
            assert due <= self.now + 4000.0


TestTailnets = Tailnets.TestCase
TestTailnets.settings = hypothesis_settings(max_examples=120, stateful_step_count=60)
