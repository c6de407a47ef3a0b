"""The one value that is published, at one moment."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from ollama_locate.core.complaints import Complaints
from ollama_locate.core.constants import ANSWER_MIN, VERSION
from ollama_locate.core.inventory import Model
from ollama_locate.core.mdns import Heard, Mdns, Sighting
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.selection import Local
from ollama_locate.core.snapshot import ServerState, Snapshot, best_by_model, last_good, rfc3339, variables
from ollama_locate.core.tailnet import Absence, Unavailable
from ollama_locate.core.taking import Clock, Run, take
from ollama_locate.core.track import Decision, LastGood, Settings, Verdict
from tests.standins.tailscale import node

from .world import PLAIN, Step, World, after, alive, ask, away, decide, key, look, no, ok, quiet, settings, tailnet

WALL = 1_800_000_000.0
TEMPLATES = {"OLLAMA_ENDPOINT": "{url}", "OLLAMA_HOST": "{host}:{port}", "OPENAI_BASE_URL": "{url}/v1"}
REFUSED = Outcome.REFUSED
ALL_FIVE = look("vm", "pi", "gpu", "nas", "mac")


def snap(*steps: Step, chosen: Settings | None = None, before: str | None = None) -> Snapshot:
    world = World(chosen, before)
    for step in steps:
        step(world)
    return of(world, world.locator.conclude(world.now))


def of(world: World, decision: Decision) -> Snapshot:
    return take(world.locator, decision, TEMPLATES, Clock(world.now, WALL), Run(77, 5, 2))


def server(snapshot: Snapshot, name: str) -> ServerState:
    return next(one for one in snapshot.servers if one.key == key(name))


@pytest.mark.parametrize(
    ("epoch", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_800_000_000.0, "2027-01-15T08:00:00.000Z"),
        (1_799_999_999.9996, "2027-01-15T08:00:00.000Z"),
        (1_800_000_000.0625, "2027-01-15T08:00:00.062Z"),
    ],
)
def test_times_are_utc_to_the_millisecond(epoch: float, text: str) -> None:
    assert rfc3339(epoch) == text


def test_a_monotonic_time_becomes_a_wall_time() -> None:
    assert Clock(1000.0, WALL).at(990.0) == "2027-01-15T07:59:50.000Z"


def test_what_is_published_when_all_is_well() -> None:
    found = snap(look("gpu", "nas"), after(3), ok("gpu", 5), ok("nas", 40), after(7))
    assert (found.schema, found.pid, found.round, found.refreshes) == (1, 77, 5, 2)
    assert found.written_at == "2027-01-15T08:00:00.000Z"
    assert (found.tailnet.state, found.tailnet.self) == ("running", "laptop")
    decision = found.decision
    assert (decision.verdict, decision.endpoint, decision.server) == ("fresh", "http://100.64.0.2:11434", "n2:11434")
    assert (decision.name, decision.reason, decision.since) == ("gpu", "fastest", "2027-01-15T08:00:00.000Z")
    gpu = server(found, "gpu")
    assert (gpu.standing, gpu.health, gpu.outcome, gpu.fails) == ("chosen", "up", "alive", 0)
    assert (gpu.rtt_ms, gpu.spread_ms, gpu.version, gpu.models) == (5.0, 1.0, "0.17.4", ("mistral:latest",))
    assert (gpu.path, gpu.tier, gpu.kind, gpu.url) == ("direct", 0, "peer", "http://100.64.0.2:11434")
    assert gpu.checked_at == "2027-01-15T07:59:53.000Z"
    assert found.variables == {
        "OLLAMA_ENDPOINT": "http://100.64.0.2:11434",
        "OLLAMA_HOST": "100.64.0.2:11434",
        "OPENAI_BASE_URL": "http://100.64.0.2:11434/v1",
    }


@pytest.mark.parametrize(
    ("steps", "before", "want"),
    [
        pytest.param([look()], None, ("none", "http://localhost:11434", None, "default"), id="never found one"),
        pytest.param(
            [look("gpu"), ok("gpu"), decide, no("gpu", REFUSED, times=3)],
            None,
            ("stale", "http://100.64.0.2:11434", "n2:11434", "gpu"),
            id="lost all: the last good",
        ),
        pytest.param(
            [away()], "gpu", ("stale", "http://100.64.0.2:11434", "n2:11434", "gpu"), id="the last good of a run before"
        ),
    ],
)
def test_what_is_published_when_nobody_answers(
    steps: list[Step], before: str | None, want: tuple[str, str, str | None, str]
) -> None:
    decision = snap(*steps, before=before).decision
    assert (decision.verdict, decision.endpoint, decision.server, decision.name) == want


def test_servers_come_in_the_order_of_the_choice_then_the_rest_by_name() -> None:
    found = snap(
        look("gpu"),
        ok("gpu", 30),
        decide,
        look("vm", "pi", "gpu", "nas", "mac"),
        ok("nas", 25),
        ok("mac", 60),
        no("pi"),
    )
    assert [one.name for one in found.servers] == ["gpu", "nas", "mac", "pi", "vm"]
    assert [one.standing for one in found.servers] == ["chosen", "similar", "slower", "down", "unchecked"]


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        pytest.param([], "waits for its next check", id="not asked"),
        pytest.param([ok("gpu")], "chosen", id="chosen"),
        pytest.param([no("gpu", REFUSED)], REFUSED.text, id="down: what it does"),
        pytest.param([ask("gpu"), quiet("gpu")], Outcome.SILENT.text, id="silent so far"),
        pytest.param([ok("gpu"), no("gpu")], f"{Outcome.SILENT.text}; the next checks decide", id="in doubt"),
        pytest.param(
            [ok("gpu"), no("gpu", REFUSED, times=3)],
            "refuses now: its Ollama has ended, or listens elsewhere",
            id="it answered before",
        ),
        pytest.param(
            [ok("gpu"), no("gpu", REFUSED, times=3), ok("gpu")], "answers again; the next check decides", id="rising"
        ),
        pytest.param([ok("gpu"), away()], "Tailscale is not up", id="out of reach"),
        pytest.param(
            [ok("gpu", 9), ok("nas", 5), decide, after(1), no("nas", REFUSED, times=3)],
            "waits for its next check",
            id="healthy, but not asked since the current one failed",
        ),
    ],
)
def test_each_server_says_why_it_stands_where_it_stands(steps: list[Step], text: str) -> None:
    assert server(snap(look("gpu", "nas"), *steps), "gpu").text == text


@pytest.mark.parametrize(
    ("step", "name", "text"),
    [
        pytest.param(ok("self"), "self", "this machine's Ollama serves the tailnet", id="it serves"),
        pytest.param(no("self", REFUSED), "self", "this machine's Ollama does not serve the tailnet", id="it does not"),
        pytest.param(no("local", REFUSED), "local", "no Ollama runs here", id="there is none here"),
        pytest.param(no("local"), "local", Outcome.SILENT.text, id="it hangs"),
        pytest.param(ok("local"), "local", "chosen", id="it is used"),
    ],
)
def test_this_machine_has_words_of_its_own(step: Step, name: str, text: str) -> None:
    found = server(snap(look(), step, chosen=settings(local=Local.AUTO)), name)
    assert (found.text, found.path) == (text, "local")


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        pytest.param(Outcome.SILENT, "is silent: off, asleep, or kept away by a firewall", id="silent"),
        pytest.param(REFUSED, "refuses: no Ollama there, or it listens at another address or port", id="refused"),
        pytest.param(Outcome.EMPTY, "accepts and closes: the Ollama behind it is dead", id="behind a proxy"),
        pytest.param(Outcome.NOT_OLLAMA, Outcome.NOT_OLLAMA.text, id="the others as everybody's"),
    ],
)
def test_a_server_of_the_config_is_not_told_of_tailscale(outcome: Outcome, text: str) -> None:
    found = server(snap(no("static:den", outcome), chosen=settings(static={"den": "10.0.0.7"})), "static:den").text
    assert (found, "ail" in found) == (text, False)


def test_this_machine_s_place_is_explained_by_its_setting() -> None:
    found = snap(look("gpu"), ok("local", 1), ok("gpu", 50), chosen=settings(local=Local.LAST))
    assert "see `local` in the config" in server(found, "local").text


def test_the_daemon_s_problems_are_published() -> None:
    world = World()
    decision = world.locator.conclude(world.now)
    found = take(world.locator, decision, TEMPLATES, Clock(0.0, WALL), Run(1, problems=("no disk",)))
    assert found.problems == ("no disk",)


def test_a_round_trip_is_shown_while_the_server_is_up_only() -> None:
    found = server(snap(look("gpu"), ok("gpu"), no("gpu", REFUSED, times=3)), "gpu")
    assert (found.rtt_ms, found.spread_ms, found.health, found.fails) == (None, None, "down", 3)


def test_figures_are_rounded() -> None:
    world = World()
    world.look("gpu")
    world.ask("gpu")
    probe = msgspec.structs.replace(alive(world.now, 0.00512349), spread=0.00112349, answer=0.0204567)
    world.locator.finish(key("gpu"), probe, world.now)
    found = server(of(world, world.locator.conclude(world.now)), "gpu")
    assert (found.rtt_ms, found.spread_ms, found.answer_ms) == (5.123, 1.123, 20.5)
    assert (found.busy, found.alive_at) == (False, "2027-01-15T08:00:00.000Z")


@pytest.mark.parametrize(
    ("steps", "answer", "busy"),
    [
        pytest.param([], ANSWER_MIN, True, id="it takes long to answer"),
        pytest.param([], 0.01, False, id="it answers at once"),
        pytest.param([no("gpu", REFUSED, times=3)], ANSWER_MIN, False, id="who is down is not busy"),
        pytest.param([no("gpu", Outcome.BUSY)], 0.01, True, id="an answer did not come in time"),
    ],
)
def test_whether_a_server_is_busy(steps: list[Step], answer: float, *, busy: bool) -> None:
    world = World()
    world.look("gpu")
    world.ask("gpu")
    world.locator.finish(key("gpu"), msgspec.structs.replace(alive(world.now), answer=answer), world.now)
    for step in steps:
        step(world)
    assert server(of(world, world.locator.conclude(world.now)), "gpu").busy is busy


def test_what_readers_said_is_shown_until_it_is_over() -> None:
    world = World()
    world.look("gpu")
    world.ok("gpu")
    world.track("gpu").complaints = Complaints(until=world.now + 60)
    assert server(of(world, world.locator.conclude(world.now)), "gpu").reported_until == "2027-01-15T08:01:00.000Z"
    world.now += 60
    assert server(of(world, world.locator.conclude(world.now)), "gpu").reported_until is None


def closes(name: str) -> Step:
    """It closes an idle connection though it lives."""

    def step(world: World) -> None:
        world.locator.watching(key(name), world.now)
        world.locator.lost(key(name), world.now)
        world.ok(name)

    return step


def on_battery(world: World) -> None:
    world.locator.sentinel.on_battery = True


START = (look("gpu"), ok("gpu"), decide)


@pytest.mark.parametrize(
    ("steps", "sentinel"),
    [
        pytest.param([], "none", id="nobody is chosen"),
        pytest.param([*START], "on", id="a connection is held"),
        pytest.param([*START, on_battery], "battery", id="on battery"),
        pytest.param([*START, away()], "none", id="the tailnet is away"),
        pytest.param([*START, closes("gpu")], "none", id="it closed one: later again"),
        pytest.param([*START, closes("gpu"), closes("gpu")], "closes_idle", id="it always does"),
    ],
)
def test_whether_a_connection_is_held(steps: list[Step], sentinel: str) -> None:
    assert snap(*steps).decision.sentinel == sentinel
    assert snap(*steps, chosen=replace(settings(), sentinel=False)).decision.sentinel == "off"


def test_a_hold_is_shown_until_it_is_over() -> None:
    steps = (look("gpu"), ok("gpu"), no("gpu", REFUSED, times=3), ok("gpu"), ok("gpu"))
    assert server(snap(*steps), "gpu").held_until == "2027-01-15T08:01:00.000Z"
    assert server(snap(*steps, after(61)), "gpu").held_until is None
    assert server(snap(*steps, after(60)), "gpu").held_until is None


@pytest.mark.parametrize(
    ("look", "state", "text"),
    [
        pytest.param(None, "unknown", "tailscale has not answered yet", id="not looked yet"),
        pytest.param(Unavailable(Absence.STARTING), "starting", "tailscaled is starting", id="without a detail"),
        pytest.param(Unavailable(Absence.EXIT_CODE, "x 3"), "exit_code", "the tailscale command failed (x 3)", id="x"),
    ],
)
def test_the_tailnet_has_a_state(look: Unavailable | None, state: str, text: str) -> None:
    world = World()
    if look is not None:
        world.locator.see(look, world.now)
    found = of(world, world.locator.conclude(world.now)).tailnet
    assert (found.state, found.text, found.self, found.watch) == (state, text, "", "poll")
    run = Run(1, rings=frozenset(world.locator.roster.nets))
    found = take(world.locator, world.locator.conclude(0.0), TEMPLATES, Clock(0.0, WALL), run).tailnet
    assert (found.state, found.text, found.watch) == (state, text, "bus")


@pytest.mark.parametrize(
    ("me", "name"),
    [
        pytest.param({}, "laptop", id="its name in the tailnet"),
        pytest.param({"HostName": "other"}, "laptop", id="comes before the one it gives itself"),
        pytest.param({"DNSName": ""}, "laptop", id="which is enough where there is no other"),
        pytest.param({"DNSName": "", "HostName": "x" * 64}, "x" * 64, id="a long one"),
        pytest.param({"DNSName": "", "HostName": "x" * 65}, "x" * 63 + "…", id="too long a one"),
    ],
)
def test_this_machine_has_a_name(me: dict[str, Any], name: str) -> None:
    world = World()
    world.locator.see(tailnet(me=node("laptop", 1, **me)), world.now)
    assert of(world, world.locator.conclude(world.now)).tailnet.self == name


def test_rejected_peers_are_named_safely() -> None:
    world = World()
    hostile: dict[str, Any] = {
        "ID": "n\x1b9",
        "DNSName": "",
        "HostName": "x\ny",
        "TailscaleIPs": ["\x07", *["1.1.1.1"] * 9],
    }
    world.locator.see(tailnet(node("evil", 9, **hostile)), world.now)
    (found,) = of(world, world.locator.conclude(world.now)).rejected
    assert (found.key, found.name, found.addresses) == ("n 9", "x y", ("", "1.1.1.1", "1.1.1.1", "1.1.1.1"))
    assert (found.reason, bool(found.text)) == ("no_id", True)


def test_long_names_are_cut() -> None:
    world = World()
    peers = [
        node("bobs", 8, UserID=2, ID="i" * length, DNSName="n" * length, TailscaleIPs=["a" * length])
        for length in (64, 65)
    ]
    world.locator.see(tailnet(*peers, node("named", 9, UserID=2, DNSName="")), world.now)
    whole, cut, named = of(world, world.locator.conclude(world.now)).rejected
    for text, letter in ((whole.key, "i"), (whole.name, "n"), (whole.addresses[0], "a")):
        assert text == letter * 64
    for text, letter in ((cut.key, "i"), (cut.name, "n"), (cut.addresses[0], "a")):
        assert text == letter * 63 + "…"
    assert (named.name, named.kind) == ("named", "peer")


def test_long_names_of_the_lan_are_cut() -> None:
    world = World(settings(replace(PLAIN, mdns=Mdns(browse=True))))
    sightings = tuple(Sighting("s" * (length + 59), "h" * length, 11434, ("192.168.1.20",)) for length in (64, 65))
    world.locator.hear(Heard(sightings, frozenset(), ()), world.now)
    whole, cut = sorted(of(world, world.locator.conclude(world.now)).rejected, key=lambda one: one.name == "h" * 64)[
        ::-1
    ]
    assert (len(whole.key), whole.key[-1], whole.name) == (128, "s", "h" * 64)
    assert (len(cut.key), cut.key[-1], cut.name) == (128, "…", "h" * 63 + "…")


@pytest.mark.parametrize(
    ("url", "want"),
    [
        pytest.param(
            "http://[fd00::7]:8080",
            {
                "OLLAMA_ENDPOINT": "http://[fd00::7]:8080",
                "OLLAMA_HOST": "[fd00::7]:8080",
                "OPENAI_BASE_URL": "http://[fd00::7]:8080/v1",
            },
            id="IPv6 keeps its brackets",
        ),
        pytest.param("http://a b:1", {}, id="what could not stand unquoted is left out"),
        pytest.param(
            f"http://{'a' * 502}:1",
            {"OLLAMA_ENDPOINT": f"http://{'a' * 502}:1", "OLLAMA_HOST": f"{'a' * 502}:1"},
            id="as is what has become too long",
        ),
    ],
)
def test_variables_are_filled_in(url: str, want: dict[str, str]) -> None:
    assert variables(TEMPLATES, url) == want


@pytest.mark.parametrize(
    ("steps", "want"),
    [
        pytest.param([look("gpu"), ok("gpu")], "gpu", id="a peer"),
        pytest.param([look("gpu"), no("gpu"), ok("local")], "local", id="this machine, as in `prefer`"),
        pytest.param([look("gpu"), no("gpu")], None, id="nobody: prompts show nothing"),
    ],
)
def test_the_server_s_name_for_prompts(steps: list[Step], want: str | None) -> None:
    world = World(settings(local=Local.LAST))
    for step in steps:
        step(world)
    templates = {"OLLAMA_LOCATE_NAME": "{name}"}
    found = take(world.locator, world.locator.conclude(world.now), templates, Clock(world.now, WALL), Run(1))
    assert found.variables.get("OLLAMA_LOCATE_NAME") == want


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://$(reboot):1", id="it cannot stand unquoted"),
        pytest.param("", id="it is empty"),
        pytest.param(f"http://{'a' * 510}:11434", id="it is too long"),
    ],
)
def test_a_last_good_url_that_cannot_be_published_is_not(url: str) -> None:
    world = World()
    decision = Decision(
        Verdict.STALE, LastGood("n2:11434", "gpu", url), world.locator.board.choice(0).reason, world.now
    )
    found = of(world, decision).decision
    assert (found.endpoint, found.verdict, found.server) == ("http://localhost:11434", "none", None)


def test_the_best_server_for_each_model() -> None:
    found = snap(
        look("gpu", "nas", "mac", "pi"),
        ok("gpu", 5, ("a:1", "b:1")),
        ok("nas", 40, ("b:1", "c:1", "e\nvil")),
        ok("mac", 60, ("d:1",)),
        no("mac"),
        no("pi"),
    )
    assert best_by_model(found) == {
        "a:1": "http://100.64.0.2:11434",
        "b:1": "http://100.64.0.2:11434",
        "c:1": "http://100.64.0.3:11434",
        "d:1": "http://100.64.0.4:11434",
    }


def test_a_server_whose_url_cannot_be_published_is_not_offered_for_its_models() -> None:
    chosen = settings(static={"den": "a b"})
    assert best_by_model(snap(away(), ok("static:den"), chosen=chosen)) == {}


def test_a_probe_s_detail_is_published() -> None:
    world = World()
    world.look("gpu")
    world.locator.finish(key("gpu"), Probe(Outcome.ERROR, world.now, "no route"), world.now)
    assert server(of(world, world.locator.conclude(world.now)), "gpu").detail == "no route"


def test_the_server_that_stands_as_chosen_is_the_one_that_is_published() -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("gpu", 30), no("nas")):
        step(world)
    decision = world.locator.decide(world.now)
    assert decision is not None
    world.ok("nas", 1)
    world.ok("nas", 1)
    found = of(world, decision)
    assert [one.key for one in found.servers if one.standing == "chosen"] == [found.decision.server]


def test_a_server_that_fell_after_the_decision_is_not_offered_for_its_models() -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("gpu", 5, ("a:1",)), ok("nas", 40, ("b:1",))):
        step(world)
    decision = world.locator.decide(world.now)
    assert decision is not None
    for step in (after(1), no("nas", REFUSED, times=3)):
        step(world)
    assert best_by_model(of(world, decision)) == {"a:1": "http://100.64.0.2:11434"}


def test_what_is_known_of_a_server_s_models_is_published() -> None:
    world = World()
    world.look("gpu")
    world.ok("gpu", 5, ("a:1",))
    world.stock("gpu", Model("a:1", can=("tools",)))
    found = of(world, world.locator.conclude(world.now))
    assert server(found, "gpu").inventory == (Model("a:1", can=("tools",)),)


REQUIRED = replace(settings(), require=(("a:1", "b:1"), ("z:1",)))


@pytest.mark.parametrize(
    ("steps", "problems"),
    [
        pytest.param(
            [look("gpu"), ok("gpu", 5, ("b:1",))],
            ("no server that answers has z:1, which [models] require names; gpu is used anyway",),
            id="what nobody has is named",
        ),
        pytest.param([look("gpu", "nas"), ok("gpu", 5, ("b:1",)), ok("nas", 5, ("z:1",))], (), id="somebody has each"),
        pytest.param([away()], (), id="nobody is found"),
        pytest.param([look("gpu"), no("gpu")], (), id="nobody was ever found"),
        pytest.param([look("gpu"), ok("gpu"), decide, no("gpu", REFUSED, times=3)], (), id="all are lost"),
    ],
)
def test_required_models_that_nobody_has(steps: list[Step], problems: tuple[str, ...]) -> None:
    assert snap(*steps, chosen=REQUIRED).problems == problems


def test_while_a_round_is_open_nobody_is_said_to_lack_a_model() -> None:
    world = World(REQUIRED)
    for step in (look("gpu", "nas"), ok("gpu", 5, ("b:1",)), after(9)):
        step(world)
    decision = world.locator.decide(world.now)
    assert decision is not None
    found = of(world, decision)
    assert (found.decision.provisional, found.problems) == (True, ())
    world.no("nas")
    assert not of(world, world.locator.conclude(world.now)).decision.provisional


def test_the_last_good_one_is_read_from_it() -> None:
    found = snap(look("gpu"), ok("gpu"))
    assert last_good(found) == LastGood("n2:11434", "gpu", "http://100.64.0.2:11434")
    assert last_good(snap(away())) is None


def test_a_snapshot_with_no_more_than_it_must_have_is_read_as_what_it_does_not_say() -> None:
    """As programs write it that fake one, and as older versions did."""
    decision = dict.fromkeys(("verdict", "endpoint", "server", "name", "reason", "text", "since"), "")
    server = dict.fromkeys(("key", "name", "url", "kind", "standing", "text", "health"), "")
    least = {"schema": 1, "program": VERSION, "pid": 1, "written_at": "", "round": 1, "tailnet": {"state": "x"}}
    rest = {"decision": decision, "servers": [server], "rejected": [], "variables": {}}
    found = msgspec.convert(least | rest, Snapshot)
    assert (found.decision.provisional, found.decision.sentinel, found.refreshes) == (False, "none", 0)
    assert (found.servers[0].fails, found.servers[0].busy, found.servers[0].path) == (0, False, "unknown")
    assert Run(1) == Run(1, rounds=0, refreshes=0, problems=(), rings=frozenset(), forward=None)


def test_a_model_of_a_server_that_is_down_hides_no_alias() -> None:
    chosen = replace(settings(), aliases={"coder": ("b:1",)})
    steps = [look("gpu", "nas"), ok("gpu", 5, ("b:1",)), ok("nas", 9, ("coder:latest",)), decide]
    found = snap(*steps, no("nas", REFUSED, times=3), chosen=chosen)
    assert (found.aliases, found.problems) == ({"coder": ("b:1",)}, ())


def test_an_alias_that_would_hide_a_model_is_not_used_and_said() -> None:
    chosen = replace(settings(), aliases={"mistral": ("b:1",), "coder": ("b:1",)})
    found = snap(look("gpu"), ok("gpu", 5, ("mistral:latest", "b:1")), chosen=chosen)
    assert found.aliases == {"coder": ("b:1",)}
    assert found.problems == ("[models.alias] mistral is not used: a server has a model of that name",)


CODER = replace(settings(), require=(("coder",),), aliases={"coder": ("b:1", "c:1")})


@pytest.mark.parametrize(
    ("gpu", "nas", "chosen", "why"),
    [
        pytest.param(("a:1",), ("c:1",), "nas", "it does not list b:1 or c:1, which", id="one of an alias's models"),
        pytest.param(
            ("b:1",), ("coder:latest",), "nas", "it does not list coder:latest, which", id="a real model of that name"
        ),
    ],
)
def test_what_a_required_alias_means_hangs_on_whether_it_is_in_force(
    gpu: tuple[str, ...], nas: tuple[str, ...], chosen: str, why: str
) -> None:
    found = snap(look("gpu", "nas"), ok("gpu", 5, gpu), ok("nas", 90, nas), chosen=CODER)
    assert found.decision.name == chosen
    assert server(found, "gpu").text == f"{why} `[models] require` names"
    assert not [one for one in found.problems if "no server that answers" in one]


def test_a_few_of_the_missing_models_are_named() -> None:
    every = tuple((f"m{number}:1",) for number in range(5))
    chosen = replace(settings(), require=every)
    full = tuple(name for names in every for name in names)
    found = snap(look("gpu", "nas", "pi"), ok("gpu", 5, full), ok("nas", 9, ("x:1",)), ok("pi", 9, None), chosen=chosen)
    said = "it does not list m0:1 and m1:1 and m2:1 and 2 more, which `[models] require` names"
    assert server(found, "nas").text == said
    assert server(found, "pi").text.startswith("its list of models is not known yet")
