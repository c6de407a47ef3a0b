"""Any life of a tailnet: peers come, go, change hands and address; servers live, die and hang; the promises hold."""

from collections.abc import Callable
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ollama_locate.core.constants import FALL, FALL_BUSY
from ollama_locate.core.health import Status
from ollama_locate.core.inventory import Model
from ollama_locate.core.locator import Locator
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.patterns import parse_pattern
from ollama_locate.core.selection import Local, Required
from ollama_locate.core.server import Kind
from ollama_locate.core.speed import Speed
from ollama_locate.core.tailnet import Absence, Tailnet, Unavailable, parse_status
from ollama_locate.core.track import Decision, LastGood, Settings, Verdict
from ollama_locate.core.trust import Policy, StaticServer
from tests.standins.tailscale import ME, node, raw

BOB = 2
NUMBERS = (2, 3, 4)
KEYS = (*(f"n{number}:11434" for number in NUMBERS), "local:11434", "self:11434", "static:den")
SAYS_AWAY = {
    Absence.NOT_RUNNING,
    Absence.STOPPED,
    Absence.NEEDS_LOGIN,
    Absence.NEEDS_MACHINE_AUTH,
    Absence.STARTING,
    Absence.NO_STATE,
}
REPORTED = ("http://100.64.0.2:11434", "http://localhost:11434/", "http://100.64.9.9:11434")
DEN = StaticServer("den", "192.168.7.7", 11434)
OUTCOMES = [Outcome.ALIVE] * 6 + [Outcome.REFUSED] * 3 + [Outcome.SILENT] * 3 + list(Outcome)
TAKES = {Outcome.SILENT: 1.0, Outcome.EMPTY: 3.0}


D = "d" * 12
SPEEDS = tuple(
    Speed(key, model, D, 1e9, 0.1, 10.0 * place, load)
    for place, key in enumerate(KEYS[:4], 1)
    for model, load in (("a:1", 0.0), ("b:1", 4.0))
)
STOCKS = (
    (Model("a:1", D),),
    (Model("a:1", D, loaded=True), Model("b:1", D)),
    (Model("a:1", "e" * 12), Model("b:1", D, loaded=True)),
    (Model("a:1", D, absent=True),),
    (),
)


def config(local: Local, *, den: bool, ordered: bool, sentinel: bool, by_speed: bool, require: Required) -> Settings:
    policy = Policy(
        (11434,),
        prefer=(parse_pattern("peer3"), parse_pattern("*")) if ordered else (),
        static=(DEN,) if den else (),
        use_local=local is not Local.OFF,
        check_self=local is Local.AUTO,
    )
    speeds = SPEEDS if by_speed else ()
    return Settings(policy, 30.0, local, require, sentinel=sentinel, speeds=speeds)


configs = st.builds(
    config,
    st.sampled_from([Local.OFF, *Local]),
    den=st.booleans(),
    ordered=st.booleans(),
    sentinel=st.sampled_from([True, True, False]),
    by_speed=st.booleans(),
    require=st.sampled_from([(), (), (("b:1",),), (("z:1", "a:1"), ("b:1",))]),
)
outcomes = st.sampled_from(OUTCOMES)
all_outcomes = st.tuples(*([outcomes] * len(KEYS)))
numbers = st.sampled_from(NUMBERS)
owners = st.sampled_from([ME, ME, ME, BOB])
round_trips = st.sampled_from([None, 0.001, 0.012, 0.030, 0.200])
model_lists = st.sampled_from([None, (), ("a:1",)])


class Tailnets(RuleBasedStateMachine):
    """Two locators get the same events; after each event both decide, as the daemon lets them."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.peers: dict[int, dict[str, Any]] = {}
        self.acts: dict[str, Outcome] = {}
        self.flights: dict[str, tuple[float, str]] = {}
        self.seen: Tailnet | None = None
        self.found = False
        self.published: LastGood | None = None
        self.newest: Decision | None = None
        self.away = False
        self.watched: str | None = None
        self.twins: tuple[Locator, Locator]

    @initialize(
        chosen=configs,
        before=st.none() | numbers,
        who=st.tuples(owners, owners, owners),
        acts=all_outcomes,
        sees=st.sampled_from([True, True, False]),
    )
    def start(
        self, chosen: Settings, before: int | None, who: tuple[int, ...], acts: tuple[Outcome, ...], *, sees: bool
    ) -> None:
        good = LastGood(f"n{before}:11434", f"peer{before}", f"http://100.64.0.{before}:11434") if before else None
        self.found, self.published = good is not None, good
        self.twins = (Locator(chosen, self.now, good), Locator(chosen, self.now, good))
        self.peers = {number: {"UserID": owner} for number, owner in zip(NUMBERS, who, strict=True)}
        self.acts = dict(zip(KEYS, acts, strict=True))
        if sees:
            self.look()
        self.life_goes_on(2)

    @property
    def locator(self) -> Locator:
        return self.twins[0]

    def happen(self, event: Callable[[Locator], object]) -> None:
        """Something happens to both; then both decide, decide the same, and the promises hold."""
        for twin in self.twins:
            event(twin)
        first, second = (twin.decide(self.now) for twin in self.twins)
        assert first == second
        assert first is None or second is None or first.choice == second.choice
        if self.published is not None and not self.is_trusted(self.published):
            self.published = None
        self.newest = first
        self.each_model_is_where_it_is_said_to_be()
        if first is not None:
            self.promises(first)
            self.successor_answered_since(first)
            self.published = first.server

    # --- the tailnet

    @rule(number=numbers, owner=owners, online=st.booleans(), moved=st.sampled_from([0, 0, 0, 50]))
    def peer_is_there(self, number: int, owner: int, moved: int, *, online: bool) -> None:
        addresses = [f"100.64.0.{number + moved}"]
        self.peers[number] = {"UserID": owner, "Online": online, "TailscaleIPs": addresses}
        self.look()

    @rule(owner=owners, moved=st.sampled_from([0, 50]))
    def the_published_one_is_seen_otherwise(self, owner: int, moved: int) -> None:
        if self.published is not None and self.published.key.startswith("n"):
            self.peer_is_there(int(self.published.key[1]), owner, moved, online=True)

    @rule(number=numbers)
    def peer_leaves(self, number: int) -> None:
        self.peers.pop(number, None)
        self.look()

    @rule()
    def look(self) -> None:
        nodes = [node(f"peer{number}", number, **fields) for number, fields in sorted(self.peers.items())]
        found = parse_status(raw(*nodes))
        assert isinstance(found, Tailnet)
        self.seen, self.away = found, False
        self.happen(lambda twin: twin.see(found, self.now))

    @rule(reason=st.sampled_from([Absence.STOPPED, Absence.STARTING, *Absence]))
    def look_fails(self, reason: Absence) -> None:
        self.away = self.away or reason in SAYS_AWAY or (reason is Absence.NOT_INSTALLED and self.seen is None)
        self.happen(lambda twin: twin.see(Unavailable(reason), self.now))

    @rule(chosen=configs)
    def reconfigure(self, chosen: Settings) -> None:
        self.happen(lambda twin: twin.reconfigure(chosen, self.now))

    # --- servers and probes

    @rule(key=st.sampled_from(KEYS), outcome=outcomes, batches=st.integers(0, 8))
    def a_server_changes(self, key: str, outcome: Outcome, batches: int) -> None:
        self.acts[key] = outcome
        self.life_goes_on(batches)

    @rule(outcome=outcomes, batches=st.integers(0, 8))
    def the_published_one_changes(self, outcome: Outcome, batches: int) -> None:
        if self.published is not None:
            self.a_server_changes(self.published.key, outcome, batches)

    @rule(acts=all_outcomes, batches=st.integers(0, 8))
    def all_servers_change(self, acts: tuple[Outcome, ...], batches: int) -> None:
        self.acts = dict(zip(KEYS, acts, strict=True))
        self.life_goes_on(batches)

    @rule(outcome=st.sampled_from([Outcome.SILENT, Outcome.REFUSED, Outcome.ALIVE]), batches=st.integers(0, 8))
    def all_servers_change_alike(self, outcome: Outcome, batches: int) -> None:
        self.acts = dict.fromkeys(KEYS, outcome)
        self.life_goes_on(batches)

    @rule()
    def ask_who_is_due(self) -> None:
        asked = self.locator.due(self.now)
        assert asked == self.twins[1].due(self.now)
        for server in asked:
            assert server.key not in self.flights
            assert server.kind in (Kind.LOCAL, Kind.STATIC) or not self.away
            self.flights[server.key] = self.now, server.host
            self.happen(lambda twin, key=server.key: twin.begin(key, self.now))  # type: ignore[misc]
            self.now += 0.00002

    # --- the sentinel, this machine, readers

    @rule(stands=st.sampled_from([True, True, False]))
    def watch(self, *, stands: bool) -> None:
        """As the daemon does after each decision: let go, or hold a connection to whom the core names."""
        wanted, other = (twin.watch(self.now) for twin in self.twins)
        assert wanted == other
        if wanted is None:
            self.watched = None
            return
        assert self.locator.settings.sentinel
        assert self.locator.board.is_current(wanted.key)
        assert self.locator.tracks[wanted.key].health.status is Status.UP
        assert not self.away or wanted.key.startswith(("static:", "local:"))
        self.watched = wanted.key if stands else None
        happens = Locator.watching if stands else Locator.unwatchable
        self.happen(lambda twin: happens(twin, wanted.key, self.now))

    @precondition(lambda self: self.watched is not None)
    @rule(ago=st.sampled_from([0.0, 3.0]), batches=st.integers(0, 3))
    def the_connection_ends(self, ago: float, batches: int) -> None:
        key, self.watched = self.watched, None
        assert key is not None
        self.happen(lambda twin: twin.lost(key, self.now, self.now - ago))
        self.life_goes_on(batches)

    @rule(event=st.sampled_from([Locator.stalled, Locator.resume, Locator.recheck]), batches=st.integers(0, 3))
    def this_machine_was_disturbed(self, event: Callable[[Locator, float], None], batches: int) -> None:
        self.happen(lambda twin: event(twin, self.now))
        self.life_goes_on(batches)

    @rule(url=st.sampled_from(REPORTED), times=st.integers(1, 2), batches=st.integers(0, 2))
    def a_reader_reports(self, url: str, times: int, batches: int) -> None:
        for _ in range(times):
            self.happen(lambda twin: twin.report(url, self.now))
            self.now += 1.5
        self.life_goes_on(batches)

    @precondition(lambda self: self.published is not None)
    @rule(batches=st.integers(0, 2))
    def a_reader_reports_the_published_one(self, batches: int) -> None:
        assert self.published is not None
        self.a_reader_reports(f"{self.published.url}/v1", 2, batches)

    @rule()
    def ask_all(self) -> None:
        self.happen(lambda twin: twin.recheck(self.now))

    @precondition(lambda self: self.flights)
    @rule(data=st.data(), rtt=round_trips, models=model_lists)
    def probe_ends(self, data: st.DataObject, rtt: float | None, models: tuple[str, ...] | None) -> None:
        self.end(data.draw(st.sampled_from(sorted(self.flights))), rtt, models)

    def end(self, key: str, rtt: float | None = 0.005, models: tuple[str, ...] | None = ("a:1",)) -> None:
        (sent, host), outcome = self.flights.pop(key), self.acts.get(key, Outcome.SILENT)
        self.now = max(self.now, sent + TAKES.get(outcome, 0.02))
        alive = outcome is Outcome.ALIVE
        probe = Probe(outcome, sent, rtt=rtt, models=models) if alive else Probe(outcome, sent)
        track = self.locator.tracks.get(key)
        usable = track is not None and track.server.host == host and track.server.kind is not Kind.SELF_CHECK
        self.found |= alive and usable
        self.happen(lambda _: None)
        before = self.newest
        may_differ = [twin.finish(key, probe, self.now) for twin in self.twins]
        self.happen(lambda _: None)
        assert may_differ[0] == may_differ[1]
        assert may_differ[0] or before == self.newest

    @rule(key=st.sampled_from(KEYS), models=st.sampled_from(STOCKS))
    def its_models_are_told(self, key: str, models: tuple[Model, ...]) -> None:
        self.happen(lambda _: None)
        before = self.newest
        may_differ = [twin.stocked(key, models) for twin in self.twins]
        self.happen(lambda _: None)
        assert may_differ[0] == may_differ[1]
        assert may_differ[0] or before == self.newest

    @precondition(lambda self: self.flights)
    @rule(data=st.data(), connects=st.booleans())
    def probe_goes_on(self, data: st.DataObject, *, connects: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.flights)))
        self.happen(lambda twin: twin.connected(key) if connects else twin.quiet(key))

    @rule(seconds=st.sampled_from([0.01, 1.1, 30.0, 61.0, 4000.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.happen(lambda _: None)

    @rule(batches=st.integers(1, 8))
    def life_goes_on(self, batches: int) -> None:
        """As in the daemon: whoever is due is asked and answers, then time passes until the next is due."""
        for _ in range(batches):
            self.ask_who_is_due()
            for key in sorted(self.flights, key=lambda key: TAKES.get(self.acts.get(key, Outcome.SILENT), 0.0)):
                self.end(key)
            due = self.locator.next_due()
            self.now = max(self.now, due if due is not None else self.now)
        self.happen(lambda _: None)

    # --- the promises

    def trusted(self) -> dict[str, str]:
        """Key -> URL of what may be published, by tailscale's last word and the config; told without the core."""
        policy = self.locator.settings.policy
        urls = {f"static:{one.name}": f"http://{one.host}:{one.port}" for one in policy.static}
        urls |= {"local:11434": "http://localhost:11434"} if policy.use_local else {}
        for peer in self.seen.peers if self.seen else ():
            if peer.user_id == ME:
                urls[f"{peer.id}:11434"] = f"http://{peer.addresses[0]}:11434"
        return urls

    def is_trusted(self, server: LastGood) -> bool:
        own = server.key.startswith(("static:", "local:"))
        return self.trusted().get(server.key) == server.url or (self.seen is None and not own)

    def promises(self, decision: Decision) -> None:
        assert (decision.server is None) == (decision.verdict is Verdict.NONE)
        if decision.server is None:
            assert self.published is None, "the default only where nobody trusted was found"
            return
        key = decision.server.key
        assert self.found, "never found one, but published one"
        assert self.is_trusted(decision.server)
        assert key in self.locator.tracks or decision.verdict is Verdict.STALE
        if decision.verdict is Verdict.FRESH:
            track = self.locator.tracks[key]
            busy = track.probe is not None and track.probe.outcome is Outcome.BUSY
            assert track.health.status is Status.UP
            assert track.health.misses < (FALL_BUSY if busy else FALL)
            assert not self.away or key.startswith(("static:", "local:"))
        self.nobody_better_is_passed_over(decision, decision.server)
        if self.published is not None and not self.locator.board.up:
            assert (decision.server, decision.verdict) == (self.published, Verdict.STALE), "all lost: the last good one"

    def each_model_is_where_it_is_said_to_be(self) -> None:
        first, second = (twin.best_by_model(self.now) for twin in self.twins)
        assert first == second
        trusted, up = self.trusted(), self.locator.board.up
        for model, key in first.items():
            track = self.locator.tracks[key]
            assert model in (track.models or ())
            assert key in up, "a model is never said to be where nobody answers"
            assert key in trusted or self.seen is None
            assert not key.startswith("self:")
        for key in up:
            track = self.locator.tracks[key]
            if (
                not track.health.in_doubt
                and not key.startswith("self:")
                and self.locator.roster.reachable(track.server)
            ):
                current = self.locator.board.current()
                fell = current is not None and current.health.status is Status.DOWN
                assert fell or set(track.models or ()) <= first.keys(), "who answers is said to have its models"

    def successor_answered_since(self, decision: Decision) -> None:
        """Who takes the place of one that is down has answered since that one's first failure."""
        old = self.locator.tracks.get(self.published.key) if self.published else None
        if old is not None and old.health.status is Status.DOWN and decision.verdict is Verdict.FRESH:
            assert decision.server is not None
            answered_at = self.locator.tracks[decision.server.key].health.answered_at
            assert answered_at is not None
            assert answered_at >= (old.health.suspect_since or 0.0)

    def nobody_better_is_passed_over(self, decision: Decision, server: LastGood) -> None:
        """A server that is down is not kept while a healthy one that can be reached has answered since."""
        kept = self.locator.tracks.get(server.key)
        if kept is None or kept.health.status is not Status.DOWN:
            return
        since = kept.health.suspect_since or 0.0
        for key, track in self.locator.tracks.items():
            if track.health.status is Status.UP and not track.health.in_doubt and not key.startswith("self:"):
                assert (self.away and track.server.kind is Kind.PEER) or (track.health.answered_at or 0.0) < since
        assert decision.verdict is Verdict.STALE


TestTailnets = Tailnets.TestCase
TestTailnets.settings = hypothesis_settings(max_examples=80, stateful_step_count=30, report_multiple_bugs=False)
