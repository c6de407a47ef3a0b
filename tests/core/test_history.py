"""What is noted of the past: switches between snapshots, and the round trips between two writings."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from ollama_locate.core.history import Sample, Sampler, Switch, switch
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.snapshot import PinState, Snapshot, epoch, rfc3339
from tests.snapshots import GPU, NAS, alive, gone, snapshot
from tests.standins import tailscale
from tests.standins.tailscale import node

PEERS = (node("gpu", 2), node("nas", 3))
NOW = 1_700_000_000.0
BOTH = {"n2:11434": alive(0.01, "a:1"), "n3:11434": alive(0.05, "a:1")}
ONLY_NAS = {"n2:11434": gone(Outcome.REFUSED), "n3:11434": alive(0.05, "a:1")}
NOBODY = {"n2:11434": gone(Outcome.SILENT), "n3:11434": gone(Outcome.SILENT)}
GPU_NOW, NAS_NOW, NONE_NOW = (snapshot(probes, *PEERS) for probes in (BOTH, ONLY_NAS, NOBODY))
REFUSES = "gpu refuses: no Ollama there, or it listens on 127.0.0.1 only"


def told(shot: Snapshot, key: str, **fields: object) -> Snapshot:
    """The same snapshot, with one server otherwise."""
    servers = tuple(replace(one, **fields) if one.key == key else one for one in shot.servers)
    return replace(shot, servers=servers)


def decided(shot: Snapshot, **fields: object) -> Snapshot:
    return replace(shot, decision=replace(shot.decision, **fields))


@pytest.mark.parametrize(
    ("old", "new", "names", "text"),
    [
        pytest.param(None, GPU_NOW, ("", "gpu"), "it has the lowest round trip", id="the first of a run"),
        pytest.param(GPU_NOW, GPU_NOW, None, "", id="nothing changed"),
        pytest.param(GPU_NOW, replace(GPU_NOW, round=9), None, "", id="another round, the same choice"),
        pytest.param(GPU_NOW, NAS_NOW, ("gpu", "nas"), REFUSES, id="the old one died: what it does"),
        pytest.param(
            GPU_NOW,
            told(NAS_NOW, "n2:11434", health="up", standing="reported", text="it answers, but fails"),
            ("gpu", "nas"),
            "gpu: it answers, but fails",
            id="the old one was reported",
        ),
        pytest.param(NAS_NOW, GPU_NOW, ("nas", "gpu"), "it has the lowest round trip", id="the new one is better"),
        pytest.param(
            GPU_NOW,
            snapshot({"n3:11434": alive(0.05)}, node("nas", 3)),
            ("gpu", "nas"),
            "gpu is no server of the tailnet any more",
            id="the old one has gone",
        ),
        pytest.param(
            GPU_NOW,
            decided(GPU_NOW, verdict="stale", text="nobody answers"),
            ("gpu", "gpu"),
            "nobody answers",
            id="stale: why",
        ),
        pytest.param(decided(GPU_NOW, verdict="stale"), GPU_NOW, ("gpu", "gpu"), "it answers again", id="fresh again"),
        pytest.param(
            decided(GPU_NOW, endpoint="http://100.64.0.9:11434"),
            GPU_NOW,
            ("gpu", "gpu"),
            "it has another address",
            id="the same machine moved",
        ),
        pytest.param(
            NONE_NOW, GPU_NOW, ("default", "gpu"), "it has the lowest round trip", id="the first that is found"
        ),
    ],
)
def test_a_switch_is_noted_with_its_reason(
    old: Snapshot | None, new: Snapshot, names: tuple[str, str] | None, text: str
) -> None:
    found = switch(old, new, NOW)
    assert (found and (found.left, found.taken), found.text if found else "") == (names, text)


def test_a_switch_says_what_was_published_and_how_long_ago_the_old_one_lived() -> None:
    now = told(NAS_NOW, "n2:11434", alive_at=rfc3339(NOW - 4.5))
    assert switch(GPU_NOW, now, NOW) == Switch(NOW, "gpu", GPU, "nas", NAS, "fresh", "only", REFUSES, 4.5)


@pytest.mark.parametrize(
    ("old", "new", "seconds"),
    [
        pytest.param(GPU_NOW, told(NAS_NOW, "n2:11434", alive_at=None), None, id="it never lived"),
        pytest.param(
            told(GPU_NOW, "n2:11434", alive_at=rfc3339(NOW - 60)),
            snapshot({"n3:11434": alive(0.05)}, node("nas", 3)),
            60.0,
            id="it has gone: by the old snapshot",
        ),
        pytest.param(
            GPU_NOW, told(NAS_NOW, "n2:11434", alive_at=rfc3339(NOW + 3)), 0.0, id="the wall clock was set back"
        ),
        pytest.param(None, GPU_NOW, None, id="the first"),
    ],
)
def test_the_last_proof_of_life(old: Snapshot | None, new: Snapshot, seconds: float | None) -> None:
    found = switch(old, new, NOW)
    assert found is not None
    assert found.alive_ago == seconds


def test_a_time_goes_there_and_back() -> None:
    assert epoch(rfc3339(NOW + 0.125)) == NOW + 0.125


# --- the round trips


def seen(number: int, probe: Probe) -> Snapshot:
    """A snapshot in which gpu was asked for the `number`th time."""
    return told(snapshot({"n2:11434": probe}, PEERS[0]), "n2:11434", checked_at=rfc3339(NOW + number))


@pytest.mark.parametrize(
    ("shots", "sample"),
    [
        pytest.param([seen(1, gone(Outcome.SILENT))], None, id="one that never answered is not noted"),
        pytest.param([seen(1, alive(0.01))], (10.0, 10.0, 1, 1), id="one answer"),
        pytest.param(
            [seen(1, alive(0.01)), seen(1, alive(0.01))], (10.0, 10.0, 1, 1), id="published twice, asked once"
        ),
        pytest.param(
            [seen(1, alive(0.03)), seen(2, alive(0.01)), seen(3, alive(0.02))], (10.0, 30.0, 3, 3), id="three answers"
        ),
        pytest.param(
            [seen(1, alive(0.01)), seen(2, gone(Outcome.SILENT))], (10.0, 10.0, 2, 1), id="an answer, then none"
        ),
    ],
)
def test_round_trips_are_gathered(shots: Sequence[Snapshot], sample: tuple[float, float, int, int] | None) -> None:
    sampler = Sampler()
    for shot in shots:
        sampler.take(shot, NOW)
    assert bool(sampler) is (sample is not None)
    assert sampler.drain() == ([Sample(NOW, "n2:11434", "gpu", *sample)] if sample else [])
    assert not sampler


def test_one_that_answered_once_is_noted_as_long_as_it_is_asked() -> None:
    sampler = Sampler()
    sampler.take(seen(1, alive(0.01)), NOW)
    sampler.drain()
    sampler.take(seen(2, gone(Outcome.SILENT)), NOW)
    assert sampler.drain() == [Sample(NOW, "n2:11434", "gpu", None, None, 1, 0)]


def test_this_machine_at_its_tailnet_address_is_no_other_server() -> None:
    """It would be drawn twice."""
    probes = {"local:11434": alive(0.0001), "self:11434": alive(0.0001)}
    sampler = Sampler()
    sampler.take(snapshot(probes, raw=tailscale.raw()), NOW)
    assert [one.key for one in sampler.drain()] == ["local:11434"]


def test_a_pin_that_was_taken_back_is_the_reason() -> None:
    pinned = replace(NAS_NOW, pin=PinState("nas", NAS, None, followed=True))
    found = switch(pinned, GPU_NOW, NOW)
    assert found is not None
    assert found.text == "the pin was taken back"
