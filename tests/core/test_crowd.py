"""Each machine's share of a server's time: how many there are, what is left to others, what it adds up to."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ollama_locate.core.constants import INTERVAL, REQUESTS_A_CHECK, SHARED_BY, SURGE_A_SECOND
from ollama_locate.core.crowd import Crowd
from ollama_locate.core.net import Net
from ollama_locate.core.patterns import parse_pattern
from ollama_locate.core.server import Kind, Server
from ollama_locate.core.tailnet import Tailnet, parse_status
from ollama_locate.core.trust import Policy, Rejected, Rejection, judge
from tests.standins.tailscale import node, raw

PLAIN = Policy((11434,))
GPU = Server("n2:11434", "gpu", Kind.PEER, "100.64.0.2", 11434, "http://100.64.0.2:11434")
HERE = Server("local:11434", "this machine", Kind.LOCAL, "127.0.0.1", 11434, "http://localhost:11434")
BOB = {"UserID": 2}


def seen(*peers: dict[str, Any]) -> Tailnet:
    found = parse_status(raw(*peers))
    assert isinstance(found, Tailnet)
    return found


ALONE = seen()


def crowd(machines: int, number: int = 1) -> Crowd:
    """That of one machine among so many."""
    found = Crowd(0.0, machines)
    found.see([(Net(), replace(ALONE, self=replace(ALONE.self, id=f"n{number}")))], ())
    return found


@pytest.mark.parametrize(
    ("more", "machines"),
    [
        pytest.param({}, 1, id="one of mine"),
        pytest.param({"Online": False}, 1, id="off now, on tomorrow"),
        pytest.param(BOB, 1, id="another user's: it may run a daemon too"),
        pytest.param({"UserID": 3, "Tags": ["tag:ci"]}, 1, id="a tagged one"),
        pytest.param({"OS": "iOS"}, 0, id="a phone"),
        pytest.param({"Tags": ["tag:mullvad-exit-node"]}, 0, id="an exit node of Mullvad"),
        pytest.param({"Expired": True}, 0, id="its key has expired"),
        pytest.param({"ShareeNode": True}, 0, id="somebody with whom a machine is shared"),
    ],
)
def test_who_may_run_a_daemon_is_counted(more: dict[str, object], machines: int) -> None:
    found, look = Crowd(0.0), seen(node("two", 2, **more))
    found.see([(Net(), look)], judge(look, PLAIN)[1])
    assert found.machines == machines


def test_of_several_tailnets_the_largest_counts() -> None:
    """The machines of one do not ask the servers of another."""
    home, work = seen(node("two", 2), node("three", 3)), seen(node("four", 4), node("five", 5), node("six", 6))
    phone = Rejected(work.peers[0], Rejection.PHONE_OR_TV, "work")
    found = Crowd(0.0)
    found.see([(Net("home"), home), (Net("work"), work)], ())
    assert found.machines == 3
    found.see([(Net("home"), home), (Net("work"), work)], (phone, phone))
    assert found.machines == 2


def test_what_the_config_says_of_their_number_is_believed() -> None:
    found = crowd(10_000)
    assert found.machines == 10_000
    found.told = 0
    assert found.machines == 0


@pytest.mark.parametrize(
    ("machines", "cycle", "window", "again", "shares"),
    [
        pytest.param(1, 30.0, 0.0, 0.01, False, id="one person, two machines"),
        pytest.param(10, 30.0, 0.0, 0.1, False, id="as many as the interval is meant for"),
        pytest.param(11, 33.0, 0.0, 0.11, True, id="one more"),
        pytest.param(100, 300.0, 0.0, 1.0, True, id="a team"),
        pytest.param(1000, 3000.0, 0.0, 10.0, True, id="a company: all at once are no surge yet"),
        pytest.param(10_000, 30_000.0, 10.0, 100.0, True, id="ten thousand"),
    ],
)
def test_the_more_machines_the_less_often_each_asks(
    machines: int, cycle: float, window: float, again: float, *, shares: bool
) -> None:
    found = crowd(machines)
    assert found.cycle(INTERVAL) == pytest.approx(cycle)
    assert (found.window, found.again, found.shares) == (window, again, shares)


def test_an_interval_of_ones_own_is_shared_as_well() -> None:
    assert crowd(1000).cycle(1.0) == 100.0


def test_this_machine_is_asked_by_nobody_else_and_waits_for_nobody() -> None:
    assert crowd(10_000).soon(HERE, 5.0) == 5.0
    assert 5.0 < crowd(10_000).soon(GPU, 5.0) <= 15.0


def test_machines_that_see_no_tailnet_have_lots_of_their_own_as_well() -> None:
    assert Crowd(1234.567891, 10_000).lot("static:den") != Crowd(1234.567892, 10_000).lot("static:den")


fleets = st.integers(SHARED_BY + 1, 2000)


@settings(max_examples=25)
@given(fleets, st.integers(0, 10**6), st.floats(0, 1e7))
def test_a_server_hears_a_request_a_second_from_all_together(machines: int, first: int, now: float) -> None:
    """In one cycle each has one turn, and the turns lie evenly: no minute has many more than its share."""
    fleet = [crowd(machines, first + number) for number in range(machines)]
    cycle = fleet[0].cycle(INTERVAL)
    turns = [now + one.until_turn(GPU.key, now, INTERVAL) for one in fleet]
    assert machines / cycle * REQUESTS_A_CHECK == pytest.approx(1.0)
    assert all(now + INTERVAL - 1e-6 <= turn < now + cycle + INTERVAL for turn in turns)
    minutes = Counter(int((turn % cycle) // 60) for turn in turns)
    share = 60 * machines / cycle
    assert max(minutes.values()) <= share + 5 * share**0.5


@given(fleets, st.integers(0, 10**6), st.floats(0, 1e7), st.floats(0, 1.0))
def test_whatever_happens_in_between_a_turn_stays_where_it_was(
    machines: int, number: int, now: float, part: float
) -> None:
    one = crowd(machines, number)
    cycle = one.cycle(INTERVAL)
    turn = now + one.until_turn(GPU.key, now, INTERVAL)
    later = now + part * (turn - now)
    again = later + one.until_turn(GPU.key, later, INTERVAL)
    # The same turn, or the next where that would come too soon after a check of now.
    assert min(abs(again - turn), abs(again - turn - cycle)) < 1e-3


@settings(max_examples=25)
@given(st.integers(1, 5000), st.integers(0, 10**6))
def test_after_an_event_no_second_has_more_than_a_surge(machines: int, first: int) -> None:
    times = [crowd(machines, first + number).soon(GPU, 0.0) for number in range(machines)]
    seconds = Counter(int(time) for time in times)
    assert max(seconds.values()) <= SURGE_A_SECOND + 5 * SURGE_A_SECOND**0.5


def test_the_lots_of_one_machine_differ_from_server_to_server() -> None:
    one = crowd(10_000)
    lots = sorted(one.lot(f"n{number}:11434") for number in range(50))
    assert lots[0] < 0.1
    assert lots[-1] > 0.9
    assert len(set(lots)) == 50


def test_the_machines_of_one_tailnet_do_not_ask_the_servers_of_another() -> None:
    found, here = Crowd(0.0), seen(node("nas", 3))
    many = replace(ALONE, peers=here.peers * 10_000)
    found.see([(Net("home"), here), (Net("work", "/w"), many)], ())
    home, work = replace(GPU, net="home"), replace(GPU, net="work")
    assert (found.of(home).machines, found.of(work).machines) == (1, 10_000)
    assert (found.of(home).cycle(INTERVAL), found.soon(home, 5.0)) == (INTERVAL, 5.0)
    assert found.of(GPU).machines == 10_000, "of a server of no tailnet the largest counts"


def test_a_tag_that_is_allowed_is_a_machine_as_well() -> None:
    look = seen(node("gpu", 2, UserID=3, Tags=["tag:ollama"]), node("bob", 3, **BOB))
    found = Crowd(0.0)
    found.see([(Net(), look)], judge(look, Policy((11434,), allow=(parse_pattern("tag:ollama"),)))[1])
    assert found.machines == 2


@pytest.mark.parametrize(
    ("machines", "share"), [(1, 16), (SHARED_BY, 16), (20, 8), (100, 1), (10_000, 1)], ids=lambda one: f"{one:,}"
)
def test_of_what_is_asked_once_each_machine_does_its_share(machines: int, share: int) -> None:
    assert crowd(machines).share(16) == share
