"""What `watch` remembers: each round trip once, each event once, and no more than it may."""

from msgspec.structs import replace

from ollama_locate.core.bounds import WATCH_EVENTS, WATCH_TREND
from ollama_locate.core.changes import Level
from ollama_locate.core.history import Sample, Switch
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.watching import Watching
from tests.snapshots import GPU, NAS, alive, gone, snapshot
from tests.standins.tailscale import node

PEERS = (node("gpu", 2), node("nas", 3))


def seen(gpu: float | None, second: int = 0) -> Snapshot:
    """A snapshot in which gpu was asked at this second."""
    probes = {"n2:11434": alive(gpu, "m:1") if gpu else gone(Outcome.REFUSED), "n3:11434": alive(0.04, "m:1")}
    found = snapshot(probes, *PEERS)
    at = f"2026-01-01T00:00:{second:02}.000Z"
    return replace(found, servers=tuple(replace(one, checked_at=at) for one in found.servers))


def test_a_round_trip_is_kept_once_and_a_missing_one_as_none() -> None:
    watching = Watching()
    for what in (seen(0.010, 1), seen(0.010, 1), seen(0.012, 2), seen(None, 3)):
        watching.take(what, 5.0)
    assert list(watching.trends["n2:11434"]) == [10.0, 12.0, None]


def test_who_never_answered_has_no_trend_and_who_is_gone_has_none_any_more() -> None:
    watching = Watching()
    watching.take(seen(None, 1), 5.0)
    assert set(watching.trends) == {"n3:11434"}
    watching.take(replace(seen(0.01), servers=()), 6.0)
    assert watching.trends == {}


def test_it_begins_with_the_history() -> None:
    switches = [
        Switch(1.0, "", "", "gpu", GPU, "fresh", "fastest", "it has the lowest round trip"),
        Switch(2.0, "gpu", GPU, "nas", NAS, "fresh", "only", "gpu refuses\x1b[2J"),
        Switch(3.0, "nas", NAS, "nas", NAS, "stale", "all_lost", "no server answers any more"),
    ]
    samples = [Sample(1.0, "n2:11434", "gpu", low, low, 1, 1) for low in (7.0, None)]
    watching = Watching(switches, samples)
    assert [(one.level, one.text) for one in watching.events] == [
        (Level.INFO, "(start) → gpu, fresh: it has the lowest round trip"),
        (Level.INFO, "gpu → nas, fresh: gpu refuses [2J"),
        (Level.WARNING, "nas is stale: no server answers any more"),
    ]
    watching.take(seen(0.010), 5.0)
    assert list(watching.trends["n2:11434"]) == [7.0, None, 10.0]


def test_of_the_first_snapshot_the_choice_is_said_of_the_others_what_changed() -> None:
    watching = Watching()
    (first,) = watching.take(seen(0.01, 1), 5.0)
    assert first.text.startswith(f"endpoint is {GPU} (gpu, 10.0 ms)")
    assert not watching.events, "it is no event"
    assert watching.take(seen(0.01, 2), 6.0) == []
    said = watching.take(replace(seen(None, 3), problems=("a broken config",)), 7.0)
    assert said[0].text.startswith(f"endpoint is {NAS}")
    assert (said[-1].level, said[-1].text) == (Level.WARNING, "problem: a broken config")
    assert list(watching.events) == said
    assert watching.take(replace(seen(None, 4), problems=("a broken config",)), 8.0) == []


def test_it_does_not_grow() -> None:
    watching = Watching()
    for second in range(2 * WATCH_EVENTS):
        watching.take(replace(seen(0.01, second % 60), problems=(str(second),)), float(second))
    assert (len(watching.events), len(watching.trends["n2:11434"])) == (WATCH_EVENTS, WATCH_TREND)
