"""What is known of one server: by what it is compared, when it falls, and whose turn it is."""

import pytest

from ollama_locate.core.constants import FALL, FALL_BUSY
from ollama_locate.core.health import Health
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.selection import Choice, Reason
from ollama_locate.core.server import Kind, Server
from ollama_locate.core.track import Decision, LastGood, Track, Verdict


def track(name: str = "gpu", due: float = 5.0, *, online: bool = True) -> Track:
    return Track(Server(name, name, Kind.PEER, "100.64.0.2", 11434, "http://100.64.0.2:11434", online=online), due)


@pytest.mark.parametrize(
    ("outcome", "failures"),
    [(None, FALL), (Outcome.SILENT, FALL), (Outcome.REFUSED, FALL), (Outcome.BUSY, FALL_BUSY)],
)
def test_a_busy_one_falls_later(outcome: Outcome | None, failures: int) -> None:
    found = track()
    found.probe = None if outcome is None else Probe(outcome, 1.0)
    assert found.fall() == failures


def test_it_is_compared_by_the_least_of_its_last_round_trips() -> None:
    found = track()
    assert found.floor is None
    found.rtt = 0.05
    assert found.floor == 0.05
    found.recent = (0.03, 0.02, 0.05)
    assert found.floor == 0.02


def test_whose_turn_it_is() -> None:
    """Known servers; who was never asked, the online ones first; then who waits longest, online or not."""
    known, fresh, offline = track("known", 9.0, online=False), track("fresh", 9.0), track("offline", 1.0, online=False)
    known.checked, known.health = 3.0, Health(answered_at=2.0)
    asked = [track("late", 4.0), track("early", 2.0, online=False), track("mid", 3.0)]
    for one in asked:
        one.checked = 1.0
    order = sorted([*asked, offline, fresh, known], key=Track.turn)
    assert [one.server.name for one in order] == ["known", "fresh", "offline", "early", "mid", "late"]


def test_two_decisions_are_one_whatever_led_to_them() -> None:
    good = LastGood("n2:11434", "gpu", "http://100.64.0.2:11434")
    one = Decision(Verdict.FRESH, good, Reason.ONLY, 1.0)
    assert one == Decision(Verdict.FRESH, good, Reason.ONLY, 1.0, choice=Choice("n2:11434", Reason.ONLY))
    assert not one.provisional
    assert track().repeats == 0
