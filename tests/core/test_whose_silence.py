"""Whose silence: what was sent before the network came back proves nothing, and the last good one is waited for."""

import pytest

from ollama_locate.core import latency
from ollama_locate.core.constants import AWAITED_PATIENCE, FLOOR_OF, SURE_GAP
from ollama_locate.core.evidence import Evidence
from ollama_locate.core.health import Health, Proof, Status
from ollama_locate.core.opening import Opening
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.server import Kind, Server, http_url

from .world import World, key

GPU = Server("n2:11434", "gpu", Kind.PEER, "100.64.0.2", 11434, http_url("100.64.0.2", 11434))
NAS = Server("n3:11434", "nas", Kind.PEER, "100.64.0.3", 11434, http_url("100.64.0.3", 11434))
FAILED = Health(Status.UP, fails=1, misses=1, suspect_since=10.0, answered_at=5.0)
SURE = Probe(Outcome.SILENT, 11.0, attempts=2)


@pytest.mark.parametrize(
    ("sent", "heard", "probe", "proof"),
    [
        pytest.param(11.0, 11.1, SURE, Proof.NETWORK, id="asked at the same time, answered at once"),
        pytest.param(11.0 + SURE_GAP, 11.5, SURE, Proof.NETWORK, id="sent with the second attempt"),
        pytest.param(11.5, 11.6, SURE, Proof.NONE, id="sent after the second attempt: the network may be back"),
        pytest.param(11.0, 12.3, SURE, Proof.NONE, id="asked at the same time, and a later packet came through"),
        pytest.param(10.5, 10.6, Probe(Outcome.SILENT, 11.0), Proof.NETWORK, id="an earlier one, since the first sign"),
        pytest.param(11.2, 11.3, Probe(Outcome.SILENT, 11.0), Proof.NONE, id="one attempt, and a later answer"),
        pytest.param(12.5, 12.6, Probe(Outcome.REFUSED, 11.0), Proof.NETWORK, id="a refusal is no silence"),
    ],
)
def test_an_answer_counts_against_a_silence_that_it_was_sent_before(
    sent: float, heard: float, probe: Probe, proof: Proof
) -> None:
    evidence = Evidence()
    evidence.note(NAS, Probe(Outcome.ALIVE, sent, answer=0.0), heard)
    assert evidence.against(GPU, FAILED, probe) is proof
    assert evidence.outdates(probe) is (proof is Proof.NONE)


def test_the_awaited_one_is_awaited_still_when_its_silence_is_outdated() -> None:
    opening = Opening({"a", "b"}, 10.0, "a")
    opening.heard("a", alive=False, outdated=True)
    assert opening.awaited == "a"
    opening.heard("a", alive=False)
    assert opening.awaited is None


def asleep_and_back() -> World:
    """The box was current; this machine slept, and nobody has answered since."""
    world = World()
    world.look("gpu", "nas")
    world.ok("gpu", 5.0)
    world.ok("nas", 40.0)
    world.decide()
    world.now += 100.0
    world.locator.resume(world.now)
    for _ in range(2):
        for name in ("gpu", "nas"):
            world.ask(name)
        world.now += 1.0
        for name in ("gpu", "nas"):
            world.locator.finish(key(name), Probe(Outcome.SILENT, world.now - 1.0), world.now)
    assert world.decide() == ("stale", "gpu", "all_lost")
    return world


def test_after_a_silence_of_all_the_last_good_one_is_given_a_moment() -> None:
    world = asleep_and_back()
    world.ok("nas", 40.0)
    assert world.decide() is None
    world.now += 0.1
    world.ok("gpu", 5.0)
    assert world.decide() == ("fresh", "gpu", "fastest")


def test_and_no_more_than_a_moment() -> None:
    world = asleep_and_back()
    world.ok("nas", 40.0)
    world.ask("gpu")
    assert world.decide() is None
    world.now += AWAITED_PATIENCE
    assert world.decide() == ("fresh", "nas", "only")


def test_a_check_that_was_out_already_does_not_end_the_wait() -> None:
    world = asleep_and_back()
    world.ask("gpu")
    sent = world.now
    world.now += 0.9
    world.ok("nas", 40.0)
    world.now += 0.1
    world.locator.finish(key("gpu"), Probe(Outcome.SILENT, sent), world.now)
    assert world.decide() is None
    assert key("gpu") in {server.key for server in world.locator.due(world.now)}


def test_servers_are_compared_by_the_least_of_their_last_round_trips() -> None:
    world = World()
    world.look("gpu", "nas")
    world.ok("gpu", 20.0)
    world.ok("nas", 21.0)
    assert world.decide() == ("fresh", "gpu", "fastest")
    for _ in range(FLOOR_OF - 1):
        world.ok("gpu", 60.0)
        assert world.decide() == ("fresh", "gpu", "fastest")
    world.ok("gpu", 60.0)
    assert world.decide() == ("fresh", "nas", "fastest")


def test_the_least_is_of_the_time_since_it_came_up() -> None:
    world = World()
    world.look("gpu")
    world.ok("gpu", 5.0)
    world.locator.resume(world.now)
    world.ok("gpu", 50.0)
    assert world.track("gpu").floor == 0.050


def test_only_the_last_few_are_remembered() -> None:
    recent: tuple[float, ...] = ()
    for rtt in range(FLOOR_OF + 2):
        recent = latency.remember(recent, float(rtt))
    assert recent == tuple(float(rtt) for rtt in range(2, FLOOR_OF + 2))
