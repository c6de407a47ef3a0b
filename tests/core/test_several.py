"""Several tailnets at once: what befalls one of them says nothing of the others."""

from dataclasses import replace

import pytest

from ollama_locate.core.constants import TAILNET_SETTLES
from ollama_locate.core.locator import Locator
from ollama_locate.core.net import Net
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.tailnet import Absence, Unavailable
from ollama_locate.core.taking import Clock, Run, take
from ollama_locate.core.track import LastGood
from tests.standins.tailscale import node

from .world import PLAIN, alive, said, settings, tailnet

HOME, WORK = Net("home"), Net("work", "/run/work.sock")
GPU, NAS, BOX = "home/n2:11434", "home/n3:11434", "work/n2:11434"
BOTH = settings(replace(PLAIN, nets=(HOME, WORK)))
BOX_BEFORE = LastGood(BOX, "box", "http://100.64.0.12:11434")


class Two:
    """A locator with a home (gpu, nas) and a work (box), whose box has the ID that gpu has at home."""

    def __init__(self, before: LastGood | None = None) -> None:
        self.now = 1000.0
        self.locator = Locator(BOTH, self.now, before)

    def home(self) -> None:
        self.locator.see(tailnet(node("gpu", 2), node("nas", 3)), self.now, "home")

    def work(self) -> None:
        self.locator.see(tailnet(node("box", 12, ID="n2"), me=node("laptop", 11)), self.now, "work")

    def gone(self, net: str, reason: Absence = Absence.STOPPED) -> None:
        self.locator.see(Unavailable(reason), self.now, net)

    def ok(self, key: str, ms: float = 5.0) -> None:
        self.locator.begin(key, self.now)
        self.locator.finish(key, alive(self.now, ms / 1000), self.now)

    def no(self, key: str) -> None:
        self.locator.begin(key, self.now)
        self.locator.finish(key, Probe(Outcome.SILENT, self.now), self.now)

    def decide(self) -> tuple[str, str | None, str] | None:
        decision = self.locator.decide(self.now)
        return None if decision is None else said(decision)


@pytest.fixture
def two() -> Two:
    """Both run, all have answered, gpu is current."""
    made = Two()
    made.home()
    made.work()
    for key, ms in ((GPU, 5.0), (NAS, 50.0), (BOX, 50.0)):
        made.ok(key, ms)
    assert made.decide() == ("fresh", "gpu", "fastest")
    made.now += 10.0
    return made


def test_one_that_is_away_holds_only_its_own_servers(two: Two) -> None:
    two.gone("home")
    assert two.decide() == ("fresh", "box", "only")
    two.now += 60.0
    assert {server.key for server in two.locator.due(two.now)} == {BOX}
    assert two.locator.tracks[GPU].server.name == "gpu", "what is known of it is kept"


def test_one_that_is_away_changes_nothing_for_the_others(two: Two) -> None:
    two.gone("work")
    assert two.decide() == ("fresh", "gpu", "fastest")
    assert not two.locator.roster.away


def test_while_all_are_away_the_last_good_one_is_kept(two: Two) -> None:
    two.gone("home")
    two.gone("work")
    assert two.decide() == ("stale", "gpu", "tailnet_away")
    assert two.locator.roster.away


def test_what_a_command_cannot_say_is_not_taken_for_a_tailnet_that_is_away(two: Two) -> None:
    two.gone("home", Absence.HUNG)
    assert two.decide() == ("fresh", "gpu", "fastest")


def test_another_one_that_comes_back_opens_no_round_and_leaves_the_dead_band(two: Two) -> None:
    two.gone("work")
    two.decide()
    two.work()
    assert two.locator.board.opening is None
    two.ok(BOX, 4.0)
    assert two.decide() == ("fresh", "gpu", "kept")


def test_the_past_of_the_others_counts_on(two: Two) -> None:
    before = two.locator.tracks[NAS].health
    two.gone("work")
    two.work()
    assert two.locator.tracks[NAS].health == before
    assert two.locator.tracks[BOX].health != before
    assert two.locator.tracks[NAS].due > two.now >= two.locator.tracks[BOX].due


def test_the_current_one_is_waited_for_when_its_own_comes_back(two: Two) -> None:
    two.gone("home")
    two.gone("work")
    two.decide()
    two.work()
    two.now += 0.01
    two.home()
    two.ok(BOX, 5.0)
    assert two.decide() is None, "gpu was current, and has not been asked yet"
    two.ok(GPU, 5.0)
    assert two.decide() == ("fresh", "gpu", "fastest")


def test_while_nobody_is_current_the_one_that_comes_back_is_asked_as_at_a_start(two: Two) -> None:
    two.gone("home")
    two.gone("work")
    two.decide()
    two.work()
    assert two.locator.board.opening is not None
    assert two.locator.board.opening.pending == {BOX}
    two.ok(BOX)
    assert two.decide() == ("fresh", "box", "only")


@pytest.mark.parametrize("hears", [True, False])
def test_at_the_start_the_last_good_one_is_waited_for_though_its_tailnet_answers_last(*, hears: bool) -> None:
    two = Two(BOX_BEFORE)
    two.home()
    two.ok(GPU)
    two.ok(NAS)
    assert two.decide() is None
    two.now += 0.5
    if hears:
        two.work()
        assert two.decide() is None
        two.ok(BOX)
        assert two.decide() == ("fresh", "box", "kept")
    else:
        two.now += 0.6
        assert two.decide() == ("fresh", "gpu", "fastest")


def test_a_round_that_goes_on_takes_in_who_comes_with_another_tailnet() -> None:
    two = Two()
    two.home()
    two.work()
    assert two.locator.board.opening is not None
    assert two.locator.board.opening.pending == {GPU, NAS, BOX}


def fails(two: Two, others: str) -> None:
    """Gpu is silent three times, while this one answers."""
    for _ in range(3):
        two.no(GPU)
        two.now += 0.4
        two.ok(others, 50.0)
        two.now += 0.4


def test_an_answer_at_work_lets_home_be_left_and_blames_nobody(two: Two) -> None:
    fails(two, BOX)
    assert two.decide() == ("fresh", "box", "only")
    assert two.locator.tracks[GPU].health.penalty == 0.0


def test_an_answer_at_home_is_held_against_it(two: Two) -> None:
    fails(two, NAS)
    decided = two.decide()
    assert decided is not None
    assert decided[:2] == ("fresh", "nas")
    assert two.locator.tracks[GPU].health.penalty == 1.0


@pytest.mark.parametrize(("net", "misses"), [("home", 0), ("work", 1)])
def test_a_tailscaled_that_was_restarted_excuses_its_own_servers(two: Two, net: str, misses: int) -> None:
    two.locator.restarted(two.now, net)
    two.now += TAILNET_SETTLES / 2
    two.no(GPU)
    assert two.locator.tracks[GPU].health.misses == misses


def test_after_a_sleep_everybody_is_asked_anew(two: Two) -> None:
    two.locator.resume(two.now)
    assert two.locator.board.opening is not None
    assert two.locator.board.opening.pending == {GPU, NAS, BOX}


@pytest.mark.parametrize(
    ("nets", "keys"),
    [
        pytest.param((HOME,), {GPU, NAS}, id="one is taken out"),
        pytest.param((HOME, replace(WORK, socket="/run/other.sock")), {GPU, NAS}, id="another socket is another one"),
        pytest.param((HOME, replace(WORK, socks5=("127.0.0.1", 1))), {GPU, NAS, BOX}, id="a proxy is the way only"),
    ],
)
def test_another_config(two: Two, nets: tuple[Net, ...], keys: set[str]) -> None:
    two.locator.reconfigure(replace(BOTH, policy=replace(BOTH.policy, nets=nets)), two.now)
    assert set(two.locator.tracks) == keys
    two.gone("gone")
    assert set(two.locator.tracks) == keys, "a look that was under way at one that is not there any more"


def test_the_last_good_one_of_a_tailnet_that_was_taken_out_is_no_more() -> None:
    two = Two(replace(BOX_BEFORE, key="club/n2:11434"))
    assert two.locator.roster.tailnet_lacks(replace(BOX_BEFORE, key="club/n2:11434"))
    two.home()
    assert two.locator.last_good is None


def test_this_machine_serves_where_one_of_its_tailnets_sees_it() -> None:
    locator = Locator(replace(BOTH, policy=replace(BOTH.policy, use_local=True, check_self=True)), 0.0)
    locator.see(tailnet(), 0.0, "home")
    locator.see(tailnet(me=node("laptop", 11)), 0.0, "work")
    assert not locator.board.serves()
    locator.begin("work/self:11434", 0.0)
    locator.finish("work/self:11434", alive(0.0), 0.1)
    assert locator.board.serves()


def shown(locator: Locator, now: float) -> Snapshot:
    clock = Clock(now, 1_700_000_000.0)
    return take(locator, locator.conclude(now), {}, clock, Run(1, rings=frozenset({"work"}), forward=None))


def test_the_snapshot_has_each(two: Two) -> None:
    two.gone("home")
    found = shown(two.locator, two.now)
    assert [(one.name, one.state, one.watch) for one in found.tailnets] == [
        ("home", "stopped", "poll"),
        ("work", "running", "bus"),
    ]
    assert found.tailnet == found.tailnets[1], "the first that runs"
    assert {one.key: one.tailnet for one in found.servers} == {GPU: "home", NAS: "home", BOX: "work"}
    two.gone("work")
    assert shown(two.locator, two.now).tailnet.name == "home"
