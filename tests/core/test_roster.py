"""Who is there, and whether what was published before may still be published."""

from dataclasses import replace

import pytest

from ollama_locate.core.patterns import parse_pattern
from ollama_locate.core.roster import Roster
from ollama_locate.core.server import Kind
from ollama_locate.core.tailnet import Absence, Tailnet, Unavailable
from ollama_locate.core.track import LastGood
from ollama_locate.core.trust import StaticServer

from .world import PLAIN, key, last_good, named

DEN = LastGood("static:den", "den", "http://192.168.7.7:11434")
WITH_DEN = replace(PLAIN, use_local=False, static=(StaticServer("den", "192.168.7.7", 11434),))
HERE = LastGood("local:11434", "this machine", "http://localhost:11434")


@pytest.mark.parametrize(
    ("reason", "away"),
    [(reason, False) for reason in (Absence.HUNG, Absence.GARBAGE, Absence.TRUNCATED, Absence.TOO_LARGE)]
    + [
        (reason, False)
        for reason in (Absence.WRONG_TYPE, Absence.EXIT_CODE, Absence.GUI_NOT_CLI, Absence.NOT_INSTALLED)
    ]
    + [(reason, True) for reason in (Absence.NOT_RUNNING, Absence.STOPPED, Absence.NO_STATE)]
    + [(reason, True) for reason in (Absence.NEEDS_LOGIN, Absence.NEEDS_MACHINE_AUTH, Absence.STARTING)],
)
def test_a_look_that_failed_does_not_take_the_tailnet_away(reason: Absence, *, away: bool) -> None:
    roster = Roster(PLAIN, 0.0)
    roster.see(named("gpu"), 0.0)
    assert roster.see(Unavailable(reason), 1.0) is False
    assert roster.away is away
    assert key("gpu") in roster.tracks


def test_a_command_that_vanishes_is_being_upgraded_unless_it_never_was_there() -> None:
    roster = Roster(PLAIN, 0.0)
    roster.see(Unavailable(Absence.NOT_INSTALLED), 0.0)
    assert roster.away
    roster.see(named("gpu"), 1.0)
    roster.see(Unavailable(Absence.NOT_INSTALLED), 2.0)
    assert not roster.away


def test_the_tailnet_comes_back_once() -> None:
    roster = Roster(PLAIN, 0.0)
    hung, stopped = Unavailable(Absence.HUNG), Unavailable(Absence.STOPPED)
    looks: list[Tailnet | Unavailable] = [named("gpu"), named("gpu"), hung, named("gpu"), stopped]
    assert [roster.see(look, 0.0) for look in looks] == [True, False, False, False, False]
    assert [roster.see(named("gpu"), 0.0) for _ in range(2)] == [True, False]


def test_while_it_is_away_only_this_machine_and_static_servers_can_be_reached() -> None:
    roster = Roster(replace(WITH_DEN, use_local=True), 0.0)
    roster.see(named("gpu"), 0.0)
    reached = {track.server.kind for track in roster.tracks.values() if roster.reachable(track.server)}
    assert reached == set(Kind) - {Kind.MDNS}
    roster.see(Unavailable(Absence.STOPPED), 0.0)
    reached = {track.server.kind for track in roster.tracks.values() if roster.reachable(track.server)}
    assert reached == {Kind.LOCAL, Kind.STATIC}


@pytest.mark.parametrize(
    ("good", "seen", "want"),
    [
        pytest.param(last_good("gpu"), False, True, id="a peer, and no tailnet was seen yet: it cannot be judged"),
        pytest.param(last_good("pi"), False, False, id="a peer that the config denies by name"),
        pytest.param(last_good("vm"), False, False, id="a peer that the config denies by address"),
        pytest.param(last_good("gpu"), True, True, id="a peer that is there"),
        pytest.param(last_good("nas"), True, False, id="a peer that is not there"),
        pytest.param(replace(last_good("gpu"), url="http://100.64.0.9:11434"), True, False, id="at another address"),
        pytest.param(DEN, False, True, id="a static server"),
        pytest.param(replace(DEN, key="static:attic"), False, False, id="one that was taken out of the config"),
        pytest.param(replace(DEN, url="http://192.168.7.8:11434"), False, False, id="one whose URL was changed"),
        pytest.param(HERE, False, False, id="this machine, which the config leaves out"),
    ],
)
def test_what_was_published_is_still_trusted(good: LastGood, *, seen: bool, want: bool) -> None:
    denied = (parse_pattern("pi.tail-lab.ts.net"), parse_pattern("100.64.0.6"), parse_pattern("tag:nas"))
    roster = Roster(replace(WITH_DEN, deny=denied), 0.0)
    if seen:
        roster.see(named("gpu"), 0.0)
    assert roster.still_trusts(good) is want


@pytest.mark.parametrize(
    ("good", "away", "want"),
    [
        pytest.param(last_good("gpu"), True, True, id="a peer"),
        pytest.param(last_good("gpu"), False, False, id="a peer, and the tailnet is there"),
        pytest.param(DEN, True, False, id="a static server needs none"),
    ],
)
def test_a_lost_peer_is_excused_by_the_tailnet(good: LastGood, *, away: bool, want: bool) -> None:
    roster = Roster(WITH_DEN, 0.0)
    roster.see(named("gpu"), 0.0)
    if away:
        roster.see(Unavailable(Absence.STOPPED), 0.0)
    assert roster.tailnet_lacks(good) is want
