"""Servers that only a SOCKS5 proxy reaches: programs need the stable address, and are given nothing else."""

from dataclasses import replace

import pytest

from ollama_locate.core.for_model import stand_for
from ollama_locate.core.locator import Locator
from ollama_locate.core.net import Net
from ollama_locate.core.pin import Pin
from ollama_locate.core.placement import answering
from ollama_locate.core.snapshot import Snapshot, best_by_model, last_good
from ollama_locate.core.taking import Clock, Run, take
from ollama_locate.core.track import LastGood, Settings
from tests.standins.tailscale import node

from .world import MISTRAL, PLAIN, alive, said, settings, tailnet

NET = Net(socks5=("127.0.0.1", 1055))
BEHIND = settings(replace(PLAIN, nets=(NET,)), static={"den": "192.168.7.7"})
GPU, NAS, DEN = "n2:11434", "n3:11434", "static:den"
FORWARD = "http://127.0.0.1:11435"
OWN = LastGood(GPU, "gpu", "http://100.64.0.2:11434")


def found(
    *keys: str, forward: str | None = FORWARD, chosen: Settings = BEHIND, good: LastGood | None = None
) -> Locator:
    """A locator with these alive, the first the fastest."""
    locator = Locator(chosen, 0.0, good)
    locator.forwards(forward)
    locator.see(tailnet(node("gpu", 2), node("nas", 3), TUN=False), 0.0)
    for place, key in enumerate(keys):
        locator.begin(key, 0.0)
        locator.finish(key, alive(0.0, 0.005 + 0.05 * place), 0.1)
    return locator


def shown(locator: Locator, forward: str | None = FORWARD) -> Snapshot:
    return take(locator, locator.conclude(1.0), {}, Clock(1.0, 1_700_000_000.0), Run(1, forward=forward))


@pytest.mark.parametrize(
    ("alive_keys", "forward", "endpoint", "name"),
    [
        pytest.param((GPU, DEN), FORWARD, FORWARD, "gpu", id="the stable address leads to it"),
        pytest.param(
            (DEN, GPU), FORWARD, "http://192.168.7.7:11434", "den", id="one that the kernel reaches is better"
        ),
        pytest.param((GPU, DEN), None, "http://192.168.7.7:11434", "den", id="without it only that one can be used"),
        pytest.param((GPU,), None, "http://localhost:11434", "default", id="and where there is none, none"),
    ],
)
def test_what_is_published(alive_keys: tuple[str, ...], forward: str | None, endpoint: str, name: str) -> None:
    decision = shown(found(*alive_keys, forward=forward), forward).decision
    assert (decision.endpoint, decision.name) == (endpoint, name)


def test_without_the_stable_address_it_is_told_which_line_of_the_config_mends_it() -> None:
    gpu = next(one for one in shown(found(GPU, forward=None), None).servers if one.key == GPU)
    assert (gpu.standing, gpu.health, gpu.socks5) == ("needs_forward", "up", "127.0.0.1:1055")
    assert "`[forward]` with `listen` in the config" in gpu.text


def test_it_is_published_as_soon_as_the_stable_address_listens_and_no_longer() -> None:
    locator = found(GPU, forward=None)
    assert said(locator.conclude(1.0)) == ("none", None, "none_yet")
    locator.forwards(FORWARD)
    assert said(locator.conclude(1.0)) == ("fresh", "gpu", "only")
    locator.forwards(None)
    assert said(locator.conclude(1.0)) == ("none", None, "none_yet")


def test_the_last_good_one_of_an_earlier_run_is_kept_while_the_stable_address_listens() -> None:
    locator = Locator(BEHIND, 0.0, OWN)
    locator.forwards(FORWARD)
    assert shown(locator).decision.endpoint == FORWARD
    locator.forwards(None)
    assert locator.last_good is None


@pytest.mark.parametrize(
    ("keys", "good"),
    [
        pytest.param((GPU,), OWN, id="its own URL, not the stable address"),
        pytest.param((DEN,), LastGood(DEN, "den", "http://192.168.7.7:11434"), id="what was published"),
        pytest.param((), None, id="nobody"),
    ],
)
def test_what_the_next_run_goes_on_from(keys: tuple[str, ...], good: LastGood | None) -> None:
    assert last_good(shown(found(*keys))) == good


def test_one_that_nothing_leads_to_is_never_published() -> None:
    """Between the start and the moment at which the stable address listens."""
    locator = Locator(BEHIND, 0.0, OWN)
    decision = shown(locator, None).decision
    assert (decision.verdict, decision.endpoint, decision.server) == ("none", "http://localhost:11434", None)


@pytest.mark.parametrize(("forward", "followed"), [(FORWARD, True), (None, False)])
def test_a_pin_is_followed_where_programs_can_follow(forward: str | None, *, followed: bool) -> None:
    pinned = replace(BEHIND, pin=Pin("gpu", OWN.url, GPU))
    snapshot = shown(found(GPU, DEN, forward=forward, chosen=pinned), forward)
    assert snapshot.pin is not None
    assert snapshot.pin.followed is followed
    assert snapshot.decision.name == ("gpu" if followed else "den")


def test_models_are_found_where_the_stable_address_leads() -> None:
    locator = found(GPU, NAS)
    locator.listed(NAS, ("qwen:8b",))
    assert best_by_model(shown(locator)) == {MISTRAL[0]: FORWARD}, "not qwen: nobody says that it would lead to nas"


def test_a_model_of_another_one_behind_the_proxy_is_found_where_programs_reach_it() -> None:
    locator = found(GPU, NAS, DEN)
    for key in (NAS, DEN):
        locator.listed(key, ("qwen:8b",))
    snapshot = shown(locator)
    assert snapshot.best["qwen:8b"] == NAS
    assert best_by_model(snapshot)["qwen:8b"] == "http://192.168.7.7:11434"


def test_a_report_about_the_stable_address_is_about_who_is_behind_it() -> None:
    locator = found(GPU, DEN)
    assert locator.report(FORWARD, 1.0) is False, "nobody has been chosen yet"
    locator.conclude(1.0)
    assert locator.report(f"{FORWARD}/v1", 1.0) is True
    assert [track.server.key for track in locator.board.at(FORWARD)] == [GPU]


def test_a_report_about_the_stable_address_is_nobodys_where_the_kernel_reaches_the_current_one() -> None:
    locator = found(DEN, GPU)
    locator.conclude(1.0)
    assert locator.report(FORWARD, 1.0) is False


def test_the_sentinel_goes_through_the_proxy_and_says_so() -> None:
    locator = found(GPU)
    locator.conclude(1.0)
    watch = locator.watch(1.0)
    assert watch is not None
    assert watch.socks5 == NET.socks5
    assert shown(locator).decision.sentinel == "socks5"


@pytest.mark.parametrize(("on", "closed", "word"), [(True, 3, "closes_idle"), (False, 0, "off")])
def test_why_no_connection_is_held(*, on: bool, closed: int, word: str) -> None:
    locator = found(GPU, chosen=replace(BEHIND, sentinel=on))
    locator.conclude(1.0)
    for _ in range(closed):
        locator.watching(GPU, 1.0)
        locator.lost(GPU, 2.0)
        locator.finish(GPU, alive(2.0), 2.1)
    assert shown(locator).decision.sentinel == word


def test_another_proxy_is_another_place() -> None:
    locator = found(GPU)
    policy = replace(BEHIND.policy, nets=(Net(socks5=("127.0.0.1", 1056)),))
    locator.reconfigure(replace(BEHIND, policy=policy), 1.0)
    assert locator.tracks[GPU].health.answered_at is None


def test_an_answer_that_came_through_the_old_proxy_says_nothing() -> None:
    locator = found()
    locator.begin(GPU, 0.0)
    policy = replace(BEHIND.policy, nets=(Net(socks5=("127.0.0.1", 1056)),))
    locator.reconfigure(replace(BEHIND, policy=policy), 1.0)
    locator.finish(GPU, alive(0.0), 1.1)
    assert locator.tracks[GPU].health.answered_at is None


def test_without_the_stable_address_it_is_nobodys_choice_for_a_model() -> None:
    snapshot = shown(found(GPU, DEN, forward=None), None)
    assert [one.key for one in answering(snapshot)] == [DEN]
    assert [one.key for one in answering(snapshot, withheld=True)] == [DEN, GPU]
    stands = {one.server.key: one.word for one in stand_for(snapshot, MISTRAL[0]).servers}
    assert stands[GPU] == "needs_forward"


def test_while_it_is_the_best_the_stable_address_asks_it_first() -> None:
    locator = found(GPU, DEN)
    assert locator.conclude(1.0).choice.key == locator.board.choice(1.0, forward=True).key == GPU
