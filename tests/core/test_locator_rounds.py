"""Whom the locator asks, and what it publishes while a round is open: at the start, and when the tailnet returns."""

import pytest

from ollama_locate.core.constants import REST_SPREAD, TAILNET_SETTLES
from ollama_locate.core.health import Status
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.patterns import parse_pattern
from ollama_locate.core.selection import Local
from ollama_locate.core.tailnet import Absence
from ollama_locate.core.trust import Policy

from .world import (
    MISTRAL,
    Step,
    World,
    after,
    alive,
    ask,
    away,
    connected,
    decide,
    key,
    last_good,
    look,
    named,
    no,
    ok,
    quiet,
    settings,
)

ORDER = Policy((11434,), prefer=(parse_pattern("gpu"), parse_pattern("*"), parse_pattern("old")))
BACK = [ok("gpu", 30), ok("nas", 40), no("old"), decide, away(), after(60), look("gpu", "nas", "old")]


def due(world: World) -> list[str]:
    return [server.name for server in world.locator.due(world.now)]


@pytest.mark.parametrize(
    ("before", "steps", "want"),
    [
        pytest.param(None, [ok("nas")], None, id="a peer of a higher tier has not had its time"),
        pytest.param(None, [ask("gpu"), ok("nas"), after(0.014)], None, id="its SYN may yet be answered"),
        pytest.param(None, [ask("gpu"), ok("nas"), after(0.016)], "nas", id="its SYN is out for too long"),
        pytest.param(
            None, [ask("gpu"), connected("gpu"), ok("nas"), after(0.016)], None, id="it is connected: three steps"
        ),
        pytest.param(None, [ask("gpu"), connected("gpu"), ok("nas"), after(0.046)], "nas", id="even those are over"),
        pytest.param(None, [ok("gpu")], "gpu", id="those of a lower tier are not waited for"),
        pytest.param(None, [ok("nas"), quiet("gpu")], "nas", id="who is called silent is not waited for"),
        pytest.param(None, [no("gpu"), ok("nas")], "nas", id="who failed is not waited for"),
        pytest.param("old", [ok("gpu"), after(0.5)], None, id="who was current before is waited for"),
        pytest.param("old", [ok("gpu"), quiet("old"), after(0.5)], None, id="even when it is silent so far"),
        pytest.param("old", [ok("gpu"), after(1.1)], "gpu", id="for a second"),
        pytest.param("old", [ok("gpu"), no("old")], "gpu", id="or until it failed"),
        pytest.param("nas", [ok("nas")], "nas", id="who was current before is published at once"),
        pytest.param("pi", [ok("gpu")], "gpu", id="who was current before has left the tailnet"),
        pytest.param("nas", [no("gpu"), no("nas"), no("old")], "nas", id="the round is over: the last good one, stale"),
        pytest.param(None, [no("gpu"), no("nas"), no("old")], "", id="the round is over: nobody"),
    ],
)
def test_at_the_start_the_first_that_cannot_be_beaten_is_published(
    before: str | None, steps: list[Step], want: str | None
) -> None:
    world = World(settings(ORDER), before=before)
    for step in (look("gpu", "nas", "old"), *steps):
        step(world)
    decision = world.decide()
    assert (decision[1] or "" if decision else None) == want


@pytest.mark.parametrize(
    ("steps", "want"),
    [
        pytest.param([], None, id="nobody has been asked"),
        pytest.param([ok("nas", 5)], None, id="the current one is waited for"),
        pytest.param([ok("nas", 5), after(1.1)], "nas", id="for a second"),
        pytest.param([ok("gpu", 30)], "gpu", id="it is still the best: at once"),
        pytest.param([ok("gpu", 30), ok("nas", 25), no("old")], "gpu", id="and keeps its place"),
    ],
)
def test_when_the_tailnet_is_back_the_current_one_is_waited_for(steps: list[Step], want: str | None) -> None:
    world = World()
    for step in (look("gpu", "nas", "old"), *BACK, *steps):
        step(world)
    decision = world.decide()
    assert (decision[1] if decision else None) == want


def test_the_first_publication_is_provisional_and_a_better_one_needs_no_dead_band() -> None:
    world = World()
    for step in (look("gpu", "nas", "old"), ok("gpu", 12), quiet("nas"), quiet("old")):
        step(world)
    world.locator.see(named("gpu", "nas", "old", "mac"), world.now)
    world.now += 0.1
    first = world.locator.decide(world.now)
    assert first is not None
    assert (first.provisional, first.server) == (True, last_good("gpu"))
    world.ok("nas", 6)
    second = world.locator.decide(world.now)
    assert second is not None
    assert second.server == last_good("nas")


def test_once_the_one_before_has_failed_the_first_publication_needs_no_dead_band_either() -> None:
    world = World(before="old")
    for step in (look("gpu", "nas", "old", "mac"), no("old"), ok("gpu", 12), after(0.1), decide, ok("nas", 6)):
        step(world)
    assert world.decide() == ("fresh", "nas", "fastest")


@pytest.mark.parametrize(
    ("steps", "want"),
    [
        pytest.param([ok("local")], None, id="tailscale has not answered yet: a second"),
        pytest.param([ok("local"), after(1.1)], "this machine", id="then this machine is better than nothing"),
        pytest.param([away(Absence.NOT_INSTALLED), ok("local")], "this machine", id="there is no tailscale"),
        pytest.param([away(Absence.HUNG), no("local")], "", id="tailscale hangs, and there is no Ollama here"),
        pytest.param([no("local"), after(9)], None, id="no answer yet from tailscale, and none from here"),
        pytest.param([look("gpu"), ok("local")], None, id="the others get the time to be called silent"),
        pytest.param([look("gpu"), ok("local"), after(0.9)], None, id="whether it serves its tailnet is not known yet"),
        pytest.param(
            [look("gpu"), ok("local"), no("self"), after(0.9)], "this machine", id="nobody else answered in time"
        ),
        pytest.param([look("gpu"), ok("local"), ok("self")], "this machine", id="it serves its tailnet: at once"),
    ],
)
def test_this_machine_is_the_last_resort_of_the_opening_round(steps: list[Step], want: str | None) -> None:
    world = World(settings(local=Local.AUTO))
    for step in steps:
        step(world)
    decision = world.decide()
    assert (decision[1] or "" if decision else None) == want


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        pytest.param([away()], "tailnet_away", id="tailscale is turned off"),
        pytest.param([away(Absence.HUNG)], "tailnet_away", id="tailscale cannot be asked"),
        pytest.param([look("gpu"), no("gpu")], "all_lost", id="it does not answer"),
    ],
)
def test_after_a_start_the_last_good_one_of_the_run_before_is_kept(steps: list[Step], reason: str) -> None:
    world = World(before="gpu")
    for step in steps:
        step(world)
    assert world.decide() == ("stale", "gpu", reason)


def test_known_servers_are_asked_first_then_those_said_to_be_online() -> None:
    world = World()
    world.look("gpu", "nas", "mac", Online=False)
    for step in (ok("mac"), look("gpu", "nas", "mac", "pi", Online=False)):
        step(world)
    world.locator.see(named("gpu", "nas", "mac", Online=False), world.now)
    online = named("nas").peers[0]
    peers = named("gpu", "nas", "mac", Online=False)
    world.locator.see(type(peers)(peers.self, (peers.peers[0], online, peers.peers[2]), "tail-lab.ts.net", tun=True), 0)
    world.locator.recheck(world.now)
    assert due(world) == ["mac", "nas", "gpu"]


def test_nobody_is_asked_twice_at_once() -> None:
    world = World()
    for step in (look("gpu", "nas"), ask("gpu")):
        step(world)
    assert due(world) == ["nas"]
    world.ask("nas")
    assert (due(world), world.locator.next_due(), world.locator.under_way()) == ([], None, 2)


def test_servers_due_at_nearly_the_same_time_are_asked_together_but_none_before_the_first_is_due() -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("gpu"), after(1.5), ok("nas")):
        step(world)
    assert due(world) == []
    assert world.locator.next_due() == 1030.0
    world.now = 1030.0
    assert due(world) == ["gpu", "nas"]


def test_checks_that_decide_stay_apart_whoever_else_is_due() -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("gpu"), ok("nas", 40), decide, after(20)):
        step(world)
    world.locator.begin(key("gpu"), world.now)
    world.locator.finish(key("gpu"), Probe(Outcome.REFUSED, world.now), world.now)
    assert due(world) == ["nas"]


def test_when_the_tailnet_is_back_this_machine_keeps_its_record() -> None:
    world = World(settings(local=Local.LAST))
    for step in (look("gpu"), ok("local"), ok("gpu"), away(), look("gpu")):
        step(world)
    assert world.track("local").health.status is Status.UP
    assert world.track("gpu").health.status is Status.UNKNOWN


def test_while_the_tailnet_is_away_only_this_machine_and_static_servers_are_asked() -> None:
    world = World(settings(local=Local.AUTO, static={"den": "192.168.7.7"}))
    for step in (look("gpu"), away()):
        step(world)
    world.locator.recheck(world.now)
    assert sorted(due(world)) == ["den", "this machine"]


def test_when_the_tailnet_is_back_everybody_is_asked_at_once() -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("gpu"), no("nas"), away(), after(1), look("gpu", "nas")):
        step(world)
    assert sorted(due(world)) == ["gpu", "nas"]


def test_who_comes_online_is_asked_at_once() -> None:
    world = World()
    for step in (look("gpu", "nas", Online=False), no("gpu"), no("nas"), look("gpu", "nas", Online=True)):
        step(world)
    assert due(world) == ["gpu", "nas"]
    assert world.track("gpu").repeats == 0


def test_who_goes_offline_is_asked_when_it_would_have_been() -> None:
    world = World()
    for step in (look("gpu"), ok("gpu"), look("gpu", Online=False)):
        step(world)
    assert (due(world), world.locator.next_due()) == ([], 1030.0)


def test_silent_so_far_is_said_of_who_never_ended_a_probe_only() -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("nas"), ask("gpu"), ask("nas"), quiet("gpu"), quiet("nas"), quiet("pi")):
        step(world)
    probes = [world.track(name).probe for name in ("gpu", "nas")]
    assert probes[0] == Probe(Outcome.SILENT, world.now, "so far")
    assert probes[1] is not None
    assert probes[1].outcome is Outcome.ALIVE


def test_a_connection_of_a_probe_that_has_ended_is_no_flight() -> None:
    world = World()
    for step in (look("gpu"), ok("gpu"), connected("gpu")):
        step(world)
    assert world.locator.under_way() == 0


@pytest.mark.parametrize(
    ("steps", "asked"),
    [
        pytest.param([ok("nas", 9), ok("mac", 8), ok("pi", 7), ok("vm", 6)], {"vm", "pi", "mac"}, id="the fastest"),
        pytest.param([no("nas", Outcome.REFUSED), no("mac")], {"nas"}, id="who refused proves the network"),
        pytest.param(
            [ok("nas", 1, ()), ok("mac", 2, ()), ok("pi", 3, ()), ok("vm", 90, MISTRAL)],
            {"vm", "nas", "mac"},
            id="those with models first, as in the choice",
        ),
        pytest.param(
            [ok("nas", None), ok("mac", None), ok("pi", None), ok("vm", 5)],
            {"vm", "nas", "mac"},
            id="those of unknown round trip last, as in the choice",
        ),
    ],
)
def test_when_the_current_one_is_in_doubt_the_three_next_best_are_asked_too(steps: list[Step], asked: set[str]) -> None:
    world = World()
    for step in (look("gpu", "nas", "mac", "pi", "vm"), *steps, ok("gpu", 1), decide, after(10)):
        step(world)
    world.no("gpu")
    now = {server.name for server in world.locator.due(world.now) if world.track(server.name).due <= world.now}
    assert now & asked == asked
    assert len(now - {"gpu"}) <= 3


def test_a_probe_sent_before_the_tailnet_came_back_says_nothing_of_the_new_round() -> None:
    world = World()
    for step in (look("gpu"), ok("gpu"), decide, ask("gpu"), after(1), away(), after(1), look("gpu")):
        step(world)
    world.locator.finish(key("gpu"), Probe(Outcome.SILENT, world.now - 2), world.now)
    assert due(world) == ["gpu"]


def test_an_answer_counts_even_when_it_was_asked_for_before_the_first_look() -> None:
    world = World(settings(static={"den": "192.168.7.7"}))
    for step in (ask("static:den"), after(0.02), look("gpu")):
        step(world)
    world.locator.finish("static:den", alive(world.now - 0.02), world.now)
    assert world.track("static:den").health.status is Status.UP


def test_when_the_tailnet_is_back_failures_count_only_once_somebody_answers() -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("gpu"), ok("nas"), decide, away(), after(9), look("gpu", "nas"), no("gpu")):
        step(world)
    assert world.track("gpu").health.status is not Status.DOWN


def test_while_the_tailnet_is_away_no_failure_counts() -> None:
    world = World(settings(static={"den": "192.168.7.7"}))
    for step in (look("gpu"), ok("gpu"), ok("static:den"), decide, no("gpu"), ok("static:den"), no("gpu"), ask("gpu")):
        step(world)
    world.away()
    world.locator.finish(key("gpu"), Probe(Outcome.SILENT, world.now), world.now)
    assert world.track("gpu").health.penalty == 0.0


def restarted(world: World) -> None:
    world.locator.restarted(world.now)


@pytest.mark.parametrize(
    ("steps", "decision"),
    [
        pytest.param(
            [restarted, no("gpu", times=6), ok("nas")],
            ("fresh", "gpu", "fastest"),
            id="silent while its tunnel is made anew, though another one answers",
        ),
        pytest.param(
            [restarted, after(TAILNET_SETTLES), ok("nas"), no("gpu"), ok("nas"), no("gpu", times=2)],
            ("fresh", "nas", "only"),
            id="silent for longer than that",
        ),
        pytest.param(
            [restarted, no("gpu", Outcome.REFUSED, times=3), ok("nas")],
            ("fresh", "nas", "only"),
            id="it refuses: the tunnel is there",
        ),
    ],
)
def test_after_a_restart_of_tailscaled(steps: list[Step], decision: tuple[str, str, str]) -> None:
    world = World()
    for step in (look("gpu", "nas"), ok("gpu"), ok("nas", 40), decide, after(30), *steps):
        step(world)
    assert world.decide() == decision


def test_who_never_answered_and_is_offline_is_asked_again_over_ten_seconds() -> None:
    world = World()
    for step in (look("gpu", "nas", "mac", Online=False), ok("gpu"), no("nas"), no("mac")):
        step(world)
    world.locator.recheck(world.now)
    assert {name: world.track(name).due - world.now for name in ("gpu", "nas", "mac")} == {
        "gpu": 0.0,
        "nas": REST_SPREAD / 2,
        "mac": REST_SPREAD,
    }


def test_a_failure_that_began_before_this_program_stood_still_says_nothing() -> None:
    world = World()
    for step in (look("gpu"), ok("gpu"), decide, ask("gpu"), after(5)):
        step(world)
    world.locator.stalled(world.now)
    world.locator.finish(key("gpu"), Probe(Outcome.SILENT, world.now - 5), world.now)
    assert (world.track("gpu").health.misses, world.track("gpu").due) == (0, world.now)


def test_the_answer_of_a_busy_one_is_waited_for_longer() -> None:
    world = World()
    world.look("gpu")
    world.ok("gpu")
    before = world.locator.terms(key("gpu")).answer_wait
    world.no("gpu", Outcome.BUSY)
    assert world.locator.terms(key("gpu")).answer_wait > before
