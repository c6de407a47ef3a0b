"""When a server is asked again, and what the end of a probe may change."""

import pytest

from ollama_locate.core.constants import (
    CLOSED_RECHECK,
    FAST_RECHECK,
    KNOWN_MAX_WAIT,
    OFFLINE_MAX_WAIT,
    REFUSED_MAX_WAIT,
    RELAY_SHARE,
    RETURN_MIN_WAIT,
    RETURN_SHARE,
    SILENT_MAX_WAIT,
    STRANGERS_A_SECOND,
    TAILNET_SETTLES,
)
from ollama_locate.core.health import Status
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.selection import Local
from tests.standins.tailscale import node

from .world import NUMBERS, Step, World, after, alive, ask, away, decide, key, look, no, ok, settings, tailnet

REFUSED, INTERVAL = Outcome.REFUSED, 30.0
RELAY = {"CurAddr": "", "Active": True}
DEN = "static:den"


def chosen(world: World) -> None:
    """gpu is published, after everybody has been heard."""
    for step in (ok("gpu"), no("nas"), no(DEN), decide):
        step(world)
    assert world.locator.board.is_current(key("gpu"))


def went(*steps: Step, local: Local = Local.OFF) -> World:
    world = World(settings(local=local, static={"den": "10.0.0.7"}))
    for step in steps:
        step(world)
    return world


def waits(world: World, name: str) -> float:
    """Seconds from the end of the last probe to the next one."""
    track = world.track(name)
    assert track.checked is not None
    return track.due - track.checked


@pytest.mark.parametrize(
    ("steps", "name", "seconds"),
    [
        pytest.param([ok("gpu")], "gpu", INTERVAL, id="who answers, each interval"),
        pytest.param([look("gpu", "nas", **RELAY), ok("gpu")], "gpu", RELAY_SHARE * INTERVAL, id="by a relay, less"),
        pytest.param([chosen, look("gpu", "nas", **RELAY), ok("gpu")], "gpu", INTERVAL, id="not so the current one"),
        pytest.param([no("nas", REFUSED)], "nas", INTERVAL, id="who refuses, at first each interval"),
        pytest.param([no("nas", REFUSED, 3)], "nas", REFUSED_MAX_WAIT, id="then each minute"),
        pytest.param([no("nas", times=2)], "nas", 2 * INTERVAL, id="a stranger that is silent again, half as often"),
        pytest.param([no("nas", times=3)], "nas", 4 * INTERVAL, id="and less and less"),
        pytest.param([no("nas", times=9)], "nas", SILENT_MAX_WAIT, id="to a quarter of an hour"),
        pytest.param(
            [look("gpu", "nas", Online=False), no("nas")], "nas", SILENT_MAX_WAIT, id="at once, if it is offline"
        ),
        pytest.param([no(DEN, times=9)], DEN, KNOWN_MAX_WAIT, id="a server of the config is always wanted"),
        pytest.param([ok("gpu"), ok("nas"), decide, no("nas")], "nas", 0.0, id="in doubt, at once: it is silent"),
        pytest.param([ok("gpu"), ok("nas"), decide, no("nas", Outcome.ERROR)], "nas", FAST_RECHECK, id="it fails"),
        pytest.param([ok("gpu"), ok("nas"), decide, no("nas", REFUSED)], "nas", CLOSED_RECHECK, id="it refuses"),
        pytest.param(
            [ok("gpu"), ok("nas"), ok("nas"), decide, no("nas", REFUSED, 3)],
            "nas",
            REFUSED_MAX_WAIT,
            id="when it is down, as anybody, by how often it failed since it answered",
        ),
        pytest.param(
            [look("gpu", "nas", Online=False), ok("gpu"), ok("nas"), decide, no("nas", REFUSED, 2), no("nas", times=9)],
            "nas",
            OFFLINE_MAX_WAIT,
            id="who is offline and was known",
        ),
        pytest.param([chosen, no("gpu", REFUSED, 3)], "gpu", RETURN_MIN_WAIT, id="the last good one is wanted back"),
        pytest.param(
            [chosen, no("gpu", REFUSED, 3), after(600 - 1.2), no("gpu", REFUSED)],
            "gpu",
            RETURN_SHARE * 600,
            id="the longer it is away, the less often",
        ),
    ],
)
def test_when_it_is_asked_again(steps: list[Step], name: str, seconds: float) -> None:
    assert waits(went(look("gpu", "nas"), *steps), name) == pytest.approx(seconds, abs=0.01)


def test_strangers_are_asked_less_often_the_more_there_are() -> None:
    world = World()
    world.locator.see(tailnet(*(node(f"peer{number}", number) for number in range(2, 602))), world.now)
    world.no("gpu")
    assert waits(world, "gpu") == pytest.approx(600 / STRANGERS_A_SECOND)
    assert len(NUMBERS) < 600


CURRENT = (look("gpu", "nas", "mac"), ok("gpu"), ok("nas", 50), no("mac"), no(DEN), decide)


@pytest.mark.parametrize(
    ("steps", "name", "outcome", "differs"),
    [
        pytest.param([], "gpu", Outcome.ALIVE, True, id="the current one's"),
        pytest.param([], "gpu", Outcome.SILENT, True, id="whatever it says"),
        pytest.param([], "nas", Outcome.ALIVE, True, id="one that is up"),
        pytest.param([no("nas", REFUSED, 2)], "nas", REFUSED, True, id="one that was up"),
        pytest.param([], "mac", Outcome.ALIVE, True, id="one that comes up"),
        pytest.param([], "mac", Outcome.SILENT, False, id="one that stays down"),
        pytest.param([], "mac", REFUSED, False, id="whatever it says, while nobody is in doubt"),
        pytest.param(
            [no("gpu", REFUSED, 3), no("nas", REFUSED, 3)], "gpu", REFUSED, True, id="a current one that is down"
        ),
        pytest.param(
            [no("gpu", times=3)], "mac", REFUSED, True, id="the network is back: who is in doubt is asked anew"
        ),
        pytest.param([no("gpu", times=3)], "mac", Outcome.SILENT, False, id="it is not"),
        pytest.param([lambda world: world.locator.resume(world.now)], "mac", REFUSED, True, id="while a round is open"),
        pytest.param([look("gpu", "nas")], "mac", Outcome.ALIVE, False, id="one that has gone"),
    ],
)
def test_whether_the_end_of_a_probe_may_change_the_decision(
    steps: list[Step], name: str, outcome: Outcome, *, differs: bool
) -> None:
    world = went(*CURRENT, after(9), *steps)
    probe = alive(world.now) if outcome is Outcome.ALIVE else Probe(outcome, world.now)
    if name == "mac" and key(name) in world.locator.tracks:
        world.ask(name)
    assert world.locator.finish(key(name), probe, world.now) is differs


@pytest.mark.parametrize(
    ("steps", "asked"),
    [
        pytest.param([no("nas")], set(), id="the current one is well: nobody"),
        pytest.param([no("gpu", Outcome.ERROR), no("nas", Outcome.ERROR)], {"mac"}, id="one more for each that fails"),
    ],
)
def test_in_doubt_for_each_next_best_that_fails_another_one_is_asked(steps: list[Step], asked: set[str]) -> None:
    peers = ("gpu", "nas", "mac", "pi", "vm", "old")
    world = went(look(*peers), *(ok(name, place) for place, name in enumerate(peers, 1)), no(DEN), decide, after(1))
    for name in ("mac", "pi", "vm", "old"):
        world.track(name).due = world.now + 99
    for step in steps[:1]:
        step(world)
    for name in ("mac", "pi", "vm", "old"):
        world.track(name).due = world.now + 99
    for step in steps[1:]:
        step(world)
    assert {name for name in peers[2:] if world.track(name).due <= world.now} == asked


def test_who_may_not_be_reached_yet_after_a_restart_of_tailscaled_was_up_before() -> None:
    """Of a stranger, silence says what it always says."""
    world = went(look("gpu", "nas"), ok("gpu"), decide)
    world.locator.restarted(world.now)
    world.no("nas")
    assert world.track("nas").health.status is Status.DOWN
    world.no("gpu")
    assert world.track("gpu").health.misses == 0
    assert world.track("gpu").due == pytest.approx(world.now, abs=0.5)
    world.now += TAILNET_SETTLES
    world.no("gpu")
    assert world.track("gpu").health.misses == 1


def test_after_a_restart_of_tailscaled_everybody_is_asked() -> None:
    world = went(look("gpu", "nas"), ok("gpu"), ok("nas"), decide, after(5))
    world.locator.restarted(world.now)
    assert [world.track(name).due for name in ("gpu", "nas")] == [world.now, world.now]


def test_what_was_sent_before_the_tailnet_went_says_nothing_but_of_this_machine() -> None:
    world = went(look("gpu"), ok("gpu"), ok("local"), decide, ask("gpu"), ask("local"), local=Local.LAST)
    world.now += 1
    world.locator.resume(world.now)
    sent = world.now - 1
    world.locator.finish(key("gpu"), Probe(REFUSED, sent), world.now)
    assert (world.track("gpu").health.misses, world.track("gpu").due) == (0, world.now)
    world.locator.finish(key("local"), Probe(REFUSED, sent), world.now)
    assert world.track("local").health.misses == 1


def test_a_failure_that_was_sent_with_the_first_one_counts() -> None:
    world = went(look("gpu", "nas"), ok("gpu"), ok("nas"), decide, after(1), no("gpu", REFUSED))
    since = world.track("gpu").health.suspect_since
    assert since is not None
    world.ask("gpu")
    world.locator.finish(key("gpu"), Probe(REFUSED, since), world.now)
    assert world.track("gpu").health.misses == 2


@pytest.mark.parametrize(
    ("steps", "open_round"),
    [
        pytest.param([ok("nas")], True, id="a peer answers: the last good one may be as near"),
        pytest.param([no("nas", REFUSED)], False, id="a refusal is no answer of a server"),
        pytest.param([ok("local")], False, id="this machine's answer says nothing of the network"),
    ],
)
def test_somebody_answers_after_a_silence_of_all(steps: list[Step], *, open_round: bool) -> None:
    world = went(look("gpu", "nas"), no("local"), chosen, away(), look("gpu", "nas"), local=Local.LAST)
    for step in (no("gpu"), no("nas"), no("local"), no(DEN)):  # so that no round is open
        step(world)
    world.decide()
    assert world.locator.board.opening is None
    for step in steps:
        step(world)
    assert (world.locator.board.opening is not None) is open_round


def test_a_probe_sent_before_the_round_opened_does_not_end_the_wait_for_its_server() -> None:
    world = went(look("gpu", "nas"), chosen, after(1))
    world.locator.resume(world.now)
    world.ask("gpu")
    world.locator.finish(key("gpu"), Probe(REFUSED, world.now - 1), world.now)
    opening = world.locator.board.opening
    assert opening is not None
    assert (opening.awaited, key("gpu") in opening.pending) == (key("gpu"), True)
    world.no("gpu", REFUSED)
    assert (opening.awaited, key("gpu") in opening.pending) == (None, False)


def test_an_answer_ends_what_readers_said_and_tells_how_busy_it_is() -> None:
    world = went(look("gpu"), ok("gpu"), decide)
    for _ in range(2):
        world.now += 2
        assert world.locator.report("http://100.64.0.2:11434", world.now)
    assert not world.track("gpu").complaints.demoted(world.now)
    world.ask("gpu")
    world.locator.finish(key("gpu"), replace_answer(world.now, 0.2), world.now)
    track = world.track("gpu")
    assert track.complaints.demoted(world.now)
    assert (track.answers.smoothed, track.repeats, track.alive_at) == (0.2, 0, world.now)


def replace_answer(sent: float, seconds: float) -> Probe:
    return Probe(Outcome.ALIVE, sent, rtt=0.005, answer=seconds)


def test_a_report_about_nobody_is_told_apart() -> None:
    assert not went(look("gpu")).locator.report("http://nobody:1", 1000.0)


def test_an_attempt_counts_each_failure_since_the_last_answer() -> None:
    world = went(look("gpu", "nas"), no("nas", times=2))
    assert world.track("nas").repeats == 2
    world.ok("nas")
    assert world.track("nas").repeats == 0
