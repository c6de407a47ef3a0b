"""How long it takes: the locator run on a virtual clock against servers that live, die and come back."""

import pytest

from ollama_locate.core.constants import FALL, FAST_RECHECK, INTERVAL, JITTER, KNOWN_MAX_WAIT
from ollama_locate.core.locator import Locator
from ollama_locate.core.selection import Local
from ollama_locate.core.tailnet import Absence, Unavailable
from ollama_locate.core.track import Settings

from .world import REFUSED, SILENT, Act, Live, key, named, settings

NOTICED = INTERVAL * (1 + JITTER)
FALLS = FALL * (1.0 + FAST_RECHECK)
"""Three probes that end after a second of silence each."""


def live(acts: dict[str, Act], chosen: Settings | None = None) -> Live:
    """After 100 s of life; the first named is the first in tailscale's list."""
    found = Live(Locator(chosen or settings(), 0.0), 0.0, acts)
    found.locator.see(named(*(name for name in acts if name not in ("local", "self"))), 0.0)
    found.run(100.0)
    return found


GPU, NAS = Act(rtt=0.005), Act(rtt=0.050)


def test_steady_servers_are_never_swapped() -> None:
    scene = live({"gpu": GPU, "nas": NAS, "mac": SILENT})
    scene.run(86_400)
    assert {who for _, _, who, _ in scene.said} == {"gpu"}


@pytest.mark.parametrize(
    ("order", "dead"),
    [
        pytest.param(("gpu", "nas"), SILENT, id="silent, asked before the other"),
        pytest.param(("nas", "gpu"), SILENT, id="silent, asked after the other"),
        pytest.param(("gpu", "nas"), REFUSED, id="killed, asked before the other"),
        pytest.param(
            ("nas", "gpu"),
            REFUSED,
            id="killed, asked after the other",
        ),
    ],
)
def test_a_dead_server_is_left_within_seconds_of_its_first_failure(order: tuple[str, str], dead: Act) -> None:
    scene = live({name: GPU if name == "gpu" else NAS for name in order})
    died = scene.now
    scene.act("gpu", dead)
    scene.run(300)
    assert scene.last()[:2] == ("fresh", "nas")
    assert scene.published_at("nas") - died < NOTICED + FALLS + 1.0
    assert "all_lost" not in {reason for *_, reason in scene.said}


def test_a_slow_answer_to_a_probe_sent_before_the_failure_does_not_hold_up_the_verdict() -> None:
    """It does not show whose fault it is, so that one is asked again at once."""
    scene = live({"nas": Act(rtt=0.3, takes=2.5), "gpu": GPU})
    died = scene.now
    scene.act("gpu", SILENT)
    scene.run(300)
    assert scene.last()[:2] == ("fresh", "nas")
    assert scene.published_at("nas") - died < NOTICED + FALLS + 2 * 2.5


def test_while_nobody_answers_the_last_good_one_stays_and_is_fresh_again_soon() -> None:
    scene = live({"gpu": GPU, "nas": NAS})
    scene.act("gpu", SILENT)
    scene.act("nas", SILENT)
    scene.run(600)
    assert scene.last() == ("stale", "gpu", "network_silent")
    back = scene.now
    scene.act("gpu", GPU)
    scene.act("nas", NAS)
    scene.run(120)
    assert {who for _, _, who, _ in scene.said} == {"gpu"}
    assert scene.last()[0] == "fresh"
    assert scene.published_at("gpu") - back < NOTICED + 1.0


def test_after_a_silence_a_dead_server_is_left_soon_after_another_one_answers() -> None:
    scene = live({"gpu": GPU, "nas": NAS})
    scene.act("gpu", SILENT)
    scene.act("nas", SILENT)
    scene.run(600)
    scene.act("nas", NAS)
    back = scene.now
    scene.run(300)
    assert scene.last()[:2] == ("fresh", "nas")
    assert scene.published_at("nas") - back < NOTICED + FALLS + 1.0


def test_who_comes_back_displaces_a_healthy_one_after_a_minute_of_life() -> None:
    scene = live({"gpu": GPU, "nas": NAS})
    scene.act("gpu", REFUSED)
    scene.run(300)
    assert scene.last()[:2] == ("fresh", "nas")
    returned = scene.now
    scene.act("gpu", GPU)
    scene.run(300)
    assert scene.last()[:2] == ("fresh", "gpu")
    assert 60.0 <= scene.published_at("gpu") - returned < 60.0 + KNOWN_MAX_WAIT + 2 * NOTICED


def test_the_only_server_is_taken_back_at_once() -> None:
    scene = live({"gpu": GPU})
    scene.act("gpu", REFUSED)
    scene.run(300)
    assert scene.last() == ("stale", "gpu", "all_lost")
    returned = scene.now
    scene.act("gpu", GPU)
    scene.run(120)
    assert scene.published_at("gpu") - returned < KNOWN_MAX_WAIT * (1 + JITTER) + 1.0


def test_a_tailnet_that_needs_some_seconds_to_come_back_does_not_cost_half_a_minute() -> None:
    scene = live({"gpu": GPU, "nas": NAS})
    scene.locator.see(Unavailable(Absence.STOPPED), scene.now)
    scene.run(60)
    scene.act("gpu", SILENT)
    scene.act("nas", SILENT)
    scene.locator.see(named("gpu", "nas"), scene.now)
    scene.run(5)
    scene.act("gpu", GPU)
    scene.act("nas", NAS)
    works = scene.now
    scene.run(120)
    assert scene.published_at("gpu") - works < 10.0


def test_this_machine_takes_over_and_gives_back() -> None:
    scene = live({"gpu": GPU, "local": Act(rtt=0.0001), "self": REFUSED}, settings(local=Local.AUTO))
    scene.act("gpu", SILENT)
    scene.run(120)
    assert scene.last()[:2] == ("fresh", "this machine")
    scene.act("gpu", GPU)
    scene.run(200)
    assert scene.last()[:2] == ("fresh", "gpu")


def test_while_the_tailnet_is_away_nothing_of_it_is_asked() -> None:
    scene = live({"gpu": GPU, "local": Act(rtt=0.0001), "self": REFUSED}, settings(local=Local.AUTO))
    checked = scene.locator.tracks[key("gpu")].checked
    scene.locator.see(Unavailable(Absence.STOPPED), scene.now)
    scene.run(600)
    assert scene.locator.tracks[key("gpu")].checked == checked
    assert scene.last()[:2] == ("fresh", "this machine")


def test_the_same_events_lead_to_the_same_decisions() -> None:
    runs = [live({"gpu": GPU, "nas": NAS}) for _ in range(2)]
    for scene in runs:
        scene.act("gpu", REFUSED)
        scene.run(500)
    assert runs[0].said == runs[1].said
