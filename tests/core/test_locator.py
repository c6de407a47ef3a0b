"""What is decided after a row of events: each scenario is a list of steps and the wanted decision."""

import pytest

from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.patterns import parse_pattern
from ollama_locate.core.selection import Local, Standing
from ollama_locate.core.tailnet import Absence
from ollama_locate.core.trust import Policy

from .world import Step, World, after, away, decide, key, look, no, ok, settings

GPU_FIRST = Policy((11434,), prefer=(parse_pattern("gpu"),))
REFUSED = Outcome.REFUSED


@pytest.mark.parametrize(
    ("steps", "want"),
    [
        pytest.param([], None, id="nothing is said before anything is known"),
        pytest.param([look()], ("none", None, "none_yet"), id="nobody to ask: the default"),
        pytest.param([look("gpu"), no("gpu", REFUSED)], ("none", None, "none_yet"), id="the only one refuses"),
        pytest.param([look("gpu"), ok("gpu")], ("fresh", "gpu", "only"), id="the only one answers"),
        pytest.param([look("gpu", "nas"), ok("gpu", 30), ok("nas", 5)], ("fresh", "nas", "fastest"), id="the faster"),
        pytest.param(
            [look("gpu", "nas"), ok("gpu", 5, ()), ok("nas", 90)], ("fresh", "nas", "models"), id="who lists models"
        ),
        pytest.param(
            [look("gpu", "nas"), ok("gpu", 30), ok("nas", 40), decide, ok("nas", 25)],
            ("fresh", "gpu", "kept"),
            id="the current one keeps its place",
        ),
        pytest.param(
            [look("gpu", "nas"), ok("gpu", 30), ok("nas", 40), decide, ok("nas", 5)],
            ("fresh", "nas", "fastest"),
            id="unless another is clearly better",
        ),
        pytest.param(
            [look("gpu", "nas"), ok("gpu", 5), ok("nas"), decide, no("gpu")],
            ("fresh", "gpu", "fastest"),
            id="one failure is no reason to leave",
        ),
        pytest.param(
            [look("gpu", "nas"), ok("gpu", 5), ok("nas", 9), decide, no("gpu"), ok("nas", 9), no("gpu", times=2)],
            ("fresh", "nas", "only"),
            id="three failures while another answers are",
        ),
        pytest.param(
            [look("gpu", "nas"), ok("gpu", 5), ok("nas", 9), decide, no("gpu", REFUSED, times=3), ok("nas", 9)],
            ("fresh", "nas", "only"),
            id="a refusal proves the network by itself",
        ),
        pytest.param(
            [look("gpu", "nas"), ok("gpu", 5), ok("nas", 9), decide, after(1), no("gpu", REFUSED, times=3)],
            None,
            id="one that has not answered since is waited for",
        ),
        pytest.param(
            [
                *(look("gpu", "nas"), ok("gpu", 5), ok("nas", 9), decide, after(1)),
                *(no("gpu", REFUSED, times=3), no("nas", REFUSED)),
            ],
            ("stale", "gpu", "all_lost"),
            id="only one that answered since is published",
        ),
        pytest.param(
            [look("gpu", "nas"), ok("gpu", 5), ok("nas", 9), decide, after(1), no("gpu", times=9), no("nas")],
            ("stale", "gpu", "network_silent"),
            id="while nobody answers the fault may be ours: the last good one, stale",
        ),
        pytest.param(
            [look("gpu", "nas"), ok("gpu"), ok("nas"), decide, after(1), no("gpu", times=9), no("nas"), ok("gpu")],
            ("fresh", "gpu", "only"),
            id="the network is back, and so is the current one",
        ),
        pytest.param(
            [look("gpu"), ok("gpu"), decide, no("gpu", REFUSED, times=3), after(86400)],
            ("stale", "gpu", "all_lost"),
            id="all are lost: the last good one for ever",
        ),
        pytest.param(
            [look("gpu"), ok("gpu"), decide, no("gpu", REFUSED, times=3), ok("gpu")],
            ("stale", "gpu", "all_lost"),
            id="one answer does not bring back who fell",
        ),
        pytest.param(
            [look("gpu"), ok("gpu"), decide, no("gpu", REFUSED, times=3), ok("gpu"), ok("gpu")],
            ("fresh", "gpu", "only"),
            id="two do, and with no healthy one there it is taken at once",
        ),
        pytest.param(
            [look("gpu"), ok("gpu"), decide, away()],
            ("stale", "gpu", "tailnet_away"),
            id="tailscale is turned off",
        ),
        pytest.param(
            [look("gpu"), ok("gpu"), decide, away(Absence.HUNG)],
            ("fresh", "gpu", "only"),
            id="a look that failed says nothing of the tailnet",
        ),
        pytest.param(
            [look("gpu"), ok("gpu"), decide, away(), away(Absence.GARBAGE)],
            ("stale", "gpu", "tailnet_away"),
            id="nor that it is back",
        ),
        pytest.param(
            [look("gpu", "nas"), ok("gpu"), ok("nas"), decide, look("nas")],
            ("fresh", "nas", "only"),
            id="the current one left the tailnet",
        ),
        pytest.param([look("gpu"), ok("gpu"), decide, look()], ("none", None, "none_yet"), id="the only one left it"),
        pytest.param(
            [look("gpu"), ok("gpu"), decide, look("gpu", UserID=2)],
            ("none", None, "none_yet"),
            id="it was given to another user: what is trusted no more is published no more",
        ),
        pytest.param(
            [look("gpu"), ok("gpu"), decide, look("gpu", ShareeNode=True)],
            ("none", None, "none_yet"),
            id="it turned out to be somebody else's",
        ),
        pytest.param(
            [look("gpu"), ok("gpu"), decide, look("gpu", Online=False)],
            ("fresh", "gpu", "only"),
            id="offline is a hint, not a fact",
        ),
    ],
)
def test_the_decision_after(steps: list[Step], want: tuple[str, str | None, str] | None) -> None:
    world = World()
    for step in steps:
        step(world)
    assert world.decide() == want


SILENCE = (look("gpu", "nas"), no("nas", REFUSED), ok("gpu"), decide, after(1), no("gpu", times=6))


def test_who_has_long_been_silent_is_not_fresh_because_another_one_answers() -> None:
    world = World()
    for step in (*SILENCE, no("nas", REFUSED)):
        step(world)
    decision = world.decide()
    assert decision is not None
    assert decision[0] == "stale"


def test_a_probe_s_end_says_when_the_decision_may_be_another_one() -> None:
    world = World()
    for step in SILENCE:
        step(world)
    before = world.decide()
    world.ask("nas")
    differs = world.locator.finish(key("nas"), Probe(REFUSED, world.now), world.now)
    assert differs or world.decide() == before


@pytest.mark.parametrize(
    ("lived", "want"),
    [
        pytest.param(1, ("fresh", "nas", "held_others"), id="just risen: it is held"),
        pytest.param(59, ("fresh", "nas", "held_others"), id="for a minute"),
        pytest.param(61, ("fresh", "gpu", "tier"), id="then the user's order counts again"),
    ],
)
def test_who_fell_may_displace_a_healthy_one_after_a_minute_only(lived: float, want: tuple[str, str, str]) -> None:
    world = World(settings(GPU_FIRST))
    steps = [look("gpu", "nas"), ok("gpu"), ok("nas"), decide, no("gpu", REFUSED, times=3), ok("nas"), decide]
    for step in (*steps, ok("gpu"), ok("gpu"), after(lived)):
        step(world)
    assert world.decide() == want


@pytest.mark.parametrize(
    ("local", "steps", "want"),
    [
        pytest.param(Local.AUTO, [ok("local"), ok("self"), ok("gpu")], "this machine", id="auto: it serves"),
        pytest.param(Local.AUTO, [ok("local"), no("self", REFUSED), ok("gpu")], "gpu", id="auto: it does not"),
        pytest.param(
            Local.AUTO, [ok("local"), no("self", REFUSED), no("gpu")], "this machine", id="auto: nobody else answers"
        ),
        pytest.param(Local.FIRST, [ok("local", 9), ok("gpu", 1)], "this machine", id="first"),
        pytest.param(Local.LAST, [ok("local", 1), ok("gpu", 90)], "gpu", id="last"),
        pytest.param(Local.LAST, [ok("local", 1), no("gpu")], "this machine", id="last, and nobody else"),
        pytest.param(Local.AUTO, [ok("self"), no("local"), no("gpu")], None, id="the self-check is never published"),
    ],
)
def test_this_machine_is_used_as_local_says(local: Local, steps: list[Step], want: str | None) -> None:
    world = World(settings(local=local))
    for step in (look("gpu"), *steps):
        step(world)
    decision = world.decide()
    assert decision is not None
    assert decision[1] == want


def test_this_machine_s_answer_is_enough_to_use_it_but_not_to_blame_another() -> None:
    world = World(settings(local=Local.LAST))
    for step in (look("gpu"), ok("gpu"), ok("local"), decide, after(1), no("gpu"), ok("local"), no("gpu", times=2)):
        step(world)
    assert world.decide() == ("fresh", "this machine", "only")
    assert world.track("gpu").health.penalty == 0.0


@pytest.mark.parametrize(
    ("steps", "want"),
    [
        pytest.param([ok("static:den"), decide, away()], ("fresh", "den", "only"), id="it needs no tailnet"),
        pytest.param(
            [no("gpu"), ok("static:den"), decide, no("static:den", REFUSED, times=3), away()],
            ("stale", "den", "all_lost"),
            id="and does not excuse itself with it",
        ),
        pytest.param(
            [ok("gpu"), ok("static:den"), decide, away()],
            ("fresh", "den", "only"),
            id="it takes over while tailscale is away",
        ),
    ],
)
def test_static_servers_are_asked_with_or_without_a_tailnet(steps: list[Step], want: tuple[str, str, str]) -> None:
    world = World(settings(static={"den": "192.168.7.7"}))
    for step in (look("gpu"), *steps):
        step(world)
    assert world.decide() == want


def test_in_doubt_only_the_current_one_may_stay() -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("gpu", 30), ok("nas", 40), decide, no("nas")):
        step(world)
    assert set(world.locator.board.choice(world.now).standings) == {key("gpu")}
    assert world.locator.board.standing(key("nas"), world.locator.board.choice(world.now)) is Standing.FAILING
    assert world.locator.board.wavering()


def test_a_lost_burst_does_not_cost_the_current_one_its_place() -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("gpu", 5), ok("nas", 200), decide, ok("gpu", None)):
        step(world)
    assert world.decide() == ("fresh", "gpu", "fastest")


def test_a_list_of_models_that_was_not_fetched_this_time_is_the_last_one() -> None:
    world = World()
    for step in (look("gpu"), ok("gpu", 5, ("a:1",)), ok("gpu", 5, None)):
        step(world)
    assert world.track("gpu").models == ("a:1",)


def test_a_list_of_models_may_come_late() -> None:
    world = World()
    for step in (look("gpu"), ok("gpu", 5, None)):
        step(world)
    world.locator.listed(key("gpu"), None)
    assert world.track("gpu").models is None
    world.locator.listed(key("gpu"), ("a:1",))
    assert world.track("gpu").models == ("a:1",)
    world.locator.listed("gone", ("a:1",))
    assert set(world.locator.tracks) == {key("gpu")}


@pytest.mark.parametrize(
    ("steps", "standing"),
    [
        pytest.param([], Standing.UNCHECKED, id="not asked yet"),
        pytest.param([no("gpu")], Standing.DOWN, id="silent"),
        pytest.param([ok("gpu")], Standing.CHOSEN, id="the only one"),
        pytest.param([ok("gpu"), away()], Standing.UNREACHABLE, id="tailscale is away"),
        pytest.param([ok("gpu"), decide, no("gpu")], Standing.FAILING, id="in doubt"),
        pytest.param(
            [ok("gpu", 9), ok("nas", 5), decide, after(1), no("nas", REFUSED, times=3)],
            Standing.UNCHECKED,
            id="healthy, but not asked since the current one failed",
        ),
        pytest.param(
            [ok("gpu"), away(), look("gpu", "nas")],
            Standing.UNCHECKED,
            id="the tailnet is back, it has not been asked yet",
        ),
    ],
)
def test_where_a_server_stands(steps: list[Step], standing: Standing) -> None:
    world = World()
    for step in (look("gpu", "nas"), *steps):
        step(world)
    assert world.locator.board.standing(key("gpu"), world.locator.board.choice(world.now)) is standing


def test_the_self_check_has_a_standing_of_its_own() -> None:
    world = World(settings(local=Local.AUTO))
    for step in (look(), ok("self"), ok("local")):
        step(world)
    assert world.locator.board.standing("self:11434", world.locator.board.choice(world.now)) is Standing.SELF_CHECK


def test_a_decision_says_since_when() -> None:
    world = World()
    for step in (look("gpu"), after(5), ok("gpu"), decide, after(60)):
        step(world)
    decision = world.locator.decide(world.now)
    assert decision is not None
    assert decision.since == 1005.0


def test_whether_the_current_one_is_in_doubt_is_told() -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("gpu"), ok("nas", 40), decide, no("nas")):
        step(world)
    assert not world.locator.board.in_doubt()
    world.no("gpu")
    assert world.locator.board.in_doubt()


def test_what_is_concluded_awaits_nobody() -> None:
    world = World(before="nas")
    for step in (look("gpu", "nas"), ok("gpu")):
        step(world)
    assert world.decide() is None
    decision = world.locator.conclude(world.now)
    assert (decision.verdict.value, decision.provisional) == ("fresh", False)


def test_the_error_of_one_probe_is_kept_for_people() -> None:
    world = World()
    world.look("gpu")
    world.locator.finish(key("gpu"), Probe(Outcome.ERROR, world.now, "no route"), world.now)
    probe = world.track("gpu").probe
    assert probe is not None
    assert probe.detail == "no route"
