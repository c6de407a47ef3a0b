"""Among many machines: whose turn it is, what is spread, what is asked at once all the same, and what is believed."""

from dataclasses import replace
from typing import Any

import pytest

from ollama_locate.core.locator import Locator
from ollama_locate.core.net import Net
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.selection import Local, Standing
from ollama_locate.core.tailnet import Absence, Unavailable
from ollama_locate.core.track import Settings
from tests.standins.tailscale import node

from .world import Step, World, after, alive, decide, key, look, named, no, ok, settings, tailnet

FLEET = 10_000


def many(machines: int = FLEET, *, sentinel: bool = True, local: Local = Local.OFF) -> Settings:
    return replace(settings(local=local), machines=machines, sentinel=sentinel)


def fleet(*steps: Step, machines: int = FLEET, born: float = 0.0, **more: Any) -> World:
    """One of many: gpu is chosen and watched, nas and mac are known."""
    world = World(many(machines, **more))
    world.now += born
    world.locator = Locator(many(machines, **more), world.now)
    for step in (look("gpu", "nas", "mac", "pi"), ok("gpu", 5), ok("nas", 40), ok("mac", 42), no("pi"), decide):
        step(world)
    world.locator.watching(key("gpu"), world.now)
    for step in (ok("gpu", 5), *steps):
        step(world)
    return world


def waits(world: World, *names: str) -> list[float]:
    return [world.track(name).due - world.now for name in names]


def test_each_waits_for_its_turn() -> None:
    world = fleet()
    assert all(30.0 <= wait <= 30_030.0 for wait in waits(world, "gpu", "nas", "mac", "pi"))
    assert max(waits(world, "gpu", "nas", "mac")) > 300.0


def test_few_machines_ask_as_often_as_the_interval_says() -> None:
    assert waits(fleet(machines=10), "gpu", "nas") == pytest.approx([30.0, 29.6])


def test_this_machines_own_is_asked_as_ever() -> None:
    world = fleet(ok("local", 0.1), local=Local.AUTO)
    assert waits(world, "local") == pytest.approx([30.0])


def test_the_chosen_one_is_asked_more_often_while_no_connection_to_it_is_held() -> None:
    world = fleet()
    world.locator.lost(key("gpu"), world.now)
    world.ok("gpu")
    assert waits(world, "gpu") == pytest.approx([100.0])


def test_without_a_sentinel_it_is_asked_more_often_from_the_moment_it_is_chosen() -> None:
    world = fleet(sentinel=False)
    world.decide()
    assert 90.0 <= waits(world, "gpu")[0] <= 110.0


def test_the_first_checks_of_thousands_are_spread_over_seconds() -> None:
    world = World(many())
    world.look("gpu", "nas", "mac")
    dues = waits(world, "gpu", "nas", "mac")
    assert all(0.0 <= due <= 10.0 for due in dues)
    assert len(set(dues)) == 3
    # Who is due in a moment is not taken along: that would be a surge again.
    assert world.locator.due(world.now + min(dues)) == [
        world.track(("gpu", "nas", "mac")[dues.index(min(dues))]).server
    ]


def test_a_machine_that_comes_online_is_asked_within_the_window() -> None:
    world = fleet()
    for online in (False, True):
        world.now += 200
        world.look("gpu", "nas", "mac", "pi", Online=online)
    assert all(wait <= 10.0 for wait in waits(world, "nas", "pi"))


def test_one_that_comes_and_goes_is_not_asked_each_time() -> None:
    world = fleet(ok("nas", 40))
    for online in (False, True):
        world.look("gpu", "nas", "mac", "pi", Online=online)
    assert waits(world, "nas")[0] >= 100.0


def test_when_the_chosen_one_dies_the_next_best_are_asked_within_the_window() -> None:
    world = fleet()
    world.locator.lost(key("gpu"), world.now)
    assert waits(world, "gpu")[0] <= 0.0
    assert all(0.0 <= wait <= 10.0 for wait in waits(world, "nas", "mac"))
    for _ in range(3):
        world.no("gpu", Outcome.REFUSED)
    assert world.decide() == ("stale", "gpu", "all_lost")
    world.ok("mac", 42)
    assert world.decide() == ("fresh", "mac", "only")
    assert waits(world, "nas")[0] <= 10.0


@pytest.mark.parametrize("early", [True, False], ids=["before its end is seen", "after that"])
@pytest.mark.parametrize("reported", [True, False], ids=["a program reports it", "a request of the forward failed"])
def test_a_machine_that_is_in_use_asks_at_once(*, early: bool, reported: bool) -> None:
    world = fleet()

    def failed() -> None:
        if reported:
            world.locator.report("http://100.64.0.2:11434", world.now)
        else:
            world.locator.doubted(key("gpu"), world.now)

    if early:
        failed()
    world.locator.lost(key("gpu"), world.now)
    if not early:
        failed()
    assert waits(world, "nas", "mac") == [0.0, 0.0]


def test_those_that_are_as_good_are_asked_in_an_order_of_each_machines_own() -> None:
    orders = set()
    for born in range(20):
        world = fleet(machines=1000, born=born / 7)
        orders.add(tuple(world.locator.board.successors(world.now, healthy=True)))
    assert orders == {(key("nas"), key("mac")), (key("mac"), key("nas"))}


def test_an_old_answer_makes_nobody_displace_a_healthy_one() -> None:
    world = fleet(after(3600))
    for _ in range(8):
        world.ok("gpu", 90)
    assert world.decide() == ("fresh", "gpu", "kept")
    choice = world.locator.board.choice(world.now)
    assert world.locator.board.standing(key("nas"), choice) is Standing.UNCHECKED
    world.ok("mac", 42)
    assert world.decide() == ("fresh", "mac", "fastest")


@pytest.mark.parametrize("slept", [True, False], ids=["after a sleep", "after a change of the network"])
@pytest.mark.parametrize(
    ("machines", "asked"),
    [
        pytest.param(10, {"gpu", "nas", "mac", "pi"}, id="few machines: everybody"),
        pytest.param(1000, {"gpu", "nas", "mac", "pi"}, id="a thousand, as well"),
        pytest.param(FLEET, {"gpu", "nas", "mac"}, id="thousands: the current one and its next best"),
    ],
)
def test_what_happens_by_itself_makes_a_few_be_asked(machines: int, asked: set[str], *, slept: bool) -> None:
    world = fleet(after(600), machines=machines)
    (world.locator.resume if slept else world.locator.moved)(world.now)
    assert {name for name in ("gpu", "nas", "mac", "pi") if waits(world, name)[0] <= 10.0} >= asked
    assert (waits(world, "pi")[0] <= 10.0) is ("pi" in asked)


def test_one_of_several_tailnets_that_comes_back_to_thousands_of_machines_asks_a_few() -> None:
    nets = Net("home"), Net("work", "/w")
    chosen = many()
    locator = Locator(replace(chosen, policy=replace(chosen.policy, nets=nets)), 0.0)
    home = named("gpu", "nas", "mac", "pi")
    locator.see(home, 0.0, "home")
    locator.see(tailnet(node("box", 12)), 0.0, "work")
    gpu, pi, box = f"home/{key('gpu')}", f"home/{key('pi')}", "work/n12:11434"
    for one in (gpu, pi, box):
        locator.begin(one, 0.0)
        locator.finish(one, alive(0.0) if one != pi else Probe(Outcome.SILENT, 0.0), 0.1)
    for track in locator.tracks.values():
        track.due = 9000.0
    locator.conclude(1.0)
    locator.see(Unavailable(Absence.STOPPED), 2.0, "home")
    locator.see(home, 3600.0, "home")
    assert locator.board.opening is not None
    assert locator.board.opening.pending == {gpu}
    assert [locator.tracks[one].due <= 3610.0 for one in (gpu, pi)] == [True, False]


def test_a_person_who_asks_for_it_makes_everybody_be_asked_at_once() -> None:
    world = fleet(after(600))
    world.locator.recheck(world.now)
    assert max(waits(world, "gpu", "nas", "mac", "pi")) == 0.0


def test_where_the_few_fail_everybody_known_is_asked() -> None:
    world = fleet(after(3600))
    world.locator.resume(world.now)
    world.track("mac").due = world.now + 9000.0
    for name in ("gpu", "nas"):
        world.no(name)
    assert waits(world, "mac")[0] <= 10.0
    assert waits(world, "pi")[0] > 10.0


def test_where_the_last_one_falls_everybody_known_is_asked() -> None:
    world = fleet(machines=100)
    for name in ("mac", "gpu", "nas"):
        for _ in range(3):
            world.no(name, Outcome.REFUSED)
            world.now += 0.4
    assert all(wait <= 2.0 for wait in waits(world, "gpu", "mac"))
    world.no("nas", Outcome.REFUSED)
    assert waits(world, "nas")[0] <= 66.0


def test_while_thousands_have_no_server_the_last_good_one_is_asked_every_ten_seconds() -> None:
    world = World(many())
    for step in (look("gpu"), ok("gpu"), decide):
        step(world)
    for _ in range(5):
        world.no("gpu", Outcome.SILENT)
    assert waits(world, "gpu") == [10.0]


def test_another_number_of_machines_counts_from_now_on() -> None:
    world = fleet()
    world.locator.reconfigure(many(10), world.now)
    assert waits(world, "gpu", "nas", "mac") == pytest.approx([30.0] * 3)
    world.ok("nas", 40)
    assert waits(world, "nas") == pytest.approx([30.0])
