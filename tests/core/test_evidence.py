"""Whose fault: who has answered since a server's first failure."""

import pytest
from msgspec.structs import replace

from ollama_locate.core.constants import EVIDENCE_KEPT
from ollama_locate.core.evidence import Evidence
from ollama_locate.core.health import Health, Proof, Status
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.server import Kind, Server, http_url

GPU = Server("n2:11434", "gpu", Kind.PEER, "100.64.0.2", 11434, http_url("100.64.0.2", 11434))
NAS = Server("n3:11434", "nas", Kind.PEER, "100.64.0.3", 11434, http_url("100.64.0.3", 11434))
HERE = Server("local:11434", "this machine", Kind.LOCAL, "127.0.0.1", 11434, "http://localhost:11434")
SELF = Server("self:11434", "this machine", Kind.SELF_CHECK, "100.64.0.1", 11434, http_url("100.64.0.1", 11434))
DEN = Server("static:den", "den", Kind.STATIC, "192.168.7.7", 11434, "http://192.168.7.7:11434")
HOME = replace(NAS, key="home/n3:11434", net="home")
WORK = replace(NAS, key="work/n3:11434", net="work")
FAILED = Health(Status.UP, fails=1, misses=1, suspect_since=10.0, answered_at=5.0)


@pytest.mark.parametrize(
    ("server", "probe", "proof"),
    [
        pytest.param(NAS, Probe(Outcome.ALIVE, 11.0), Proof.NETWORK, id="another peer answered since"),
        pytest.param(NAS, Probe(Outcome.ALIVE, 10.0), Proof.NETWORK, id="asked at the same time"),
        pytest.param(NAS, Probe(Outcome.ALIVE, 9.0), Proof.NONE, id="asked before: the network may have gone since"),
        pytest.param(NAS, Probe(Outcome.REFUSED, 11.0), Proof.NETWORK, id="a refusal is an answer"),
        pytest.param(NAS, Probe(Outcome.EMPTY, 11.0), Proof.NETWORK, id="so is a connection that says nothing"),
        pytest.param(NAS, Probe(Outcome.ERROR, 11.0), Proof.NONE, id="an error is none"),
        pytest.param(NAS, Probe(Outcome.ERROR, 11.0, connected=True), Proof.NETWORK, id="unless the connection stood"),
        pytest.param(NAS, Probe(Outcome.SILENT, 11.0), Proof.NONE, id="silence is none"),
        pytest.param(HERE, Probe(Outcome.ALIVE, 11.0), Proof.LOOPBACK, id="this machine answered"),
        pytest.param(HERE, Probe(Outcome.REFUSED, 11.0), Proof.NONE, id="its refusal helps nobody"),
        pytest.param(SELF, Probe(Outcome.ALIVE, 11.0), Proof.LOOPBACK, id="its own tailnet address is no network"),
    ],
)
def test_who_proves_what_against_a_silent_peer(server: Server, probe: Probe, proof: Proof) -> None:
    evidence = Evidence()
    evidence.note(server, probe)
    assert evidence.against(GPU, FAILED, Probe(Outcome.SILENT, 12.0)) is proof


@pytest.mark.parametrize(
    ("who", "failed", "proof"),
    [
        pytest.param(HOME, HOME, Proof.NETWORK, id="of its own tailnet"),
        pytest.param(WORK, HOME, Proof.LOOPBACK, id="another tailnet works: enough to use that, not to blame this one"),
        pytest.param(DEN, HOME, Proof.NETWORK, id="a static server may be anywhere"),
        pytest.param(WORK, DEN, Proof.NETWORK, id="and so may the one that failed"),
    ],
)
def test_a_tailnet_is_a_network_of_its_own(who: Server, failed: Server, proof: Proof) -> None:
    evidence = Evidence()
    assert evidence.note(who, Probe(Outcome.ALIVE, 11.0))
    assert evidence.against(failed, FAILED, Probe(Outcome.SILENT, 12.0)) is proof
    assert evidence.outdates(Probe(Outcome.SILENT, 10.0))


def test_an_answer_of_its_own_tailnet_counts_beside_those_of_others() -> None:
    evidence = Evidence()
    for who in (WORK, HOME, WORK):
        evidence.note(who, Probe(Outcome.REFUSED, 11.0))
    assert evidence.against(HOME, FAILED, Probe(Outcome.SILENT, 12.0)) is Proof.NETWORK


def test_a_first_failure_needs_an_answer_to_a_probe_sent_after_it() -> None:
    evidence = Evidence()
    evidence.note(NAS, Probe(Outcome.ALIVE, 11.0))
    first = Health(Status.UP, answered_at=5.0)
    assert evidence.against(GPU, first, Probe(Outcome.SILENT, 12.0)) is Proof.NONE
    assert evidence.against(GPU, first, Probe(Outcome.SILENT, 11.0)) is Proof.NETWORK


def test_an_older_answer_that_arrives_late_takes_nothing_back() -> None:
    evidence = Evidence()
    for sent in (11.0, 2.0):
        evidence.note(NAS, Probe(Outcome.ALIVE, sent))
    assert evidence.against(GPU, FAILED, Probe(Outcome.SILENT, 12.0)) is Proof.NETWORK


@pytest.mark.parametrize(
    ("answer", "heard", "outdated"),
    [
        pytest.param(0.1, None, False, id="it was sent before"),
        pytest.param(0.1, 10.3, False, id="it came soon: the same packets"),
        pytest.param(0.1, 10.9, True, id="it came so late that a later packet came through"),
        pytest.param(0.6, 10.9, False, id="the wait for the answer is no time on the way"),
        pytest.param(None, 10.9, True, id="a refusal has none"),
    ],
)
def test_a_silence_is_outdated_by_packets_that_left_after_its_own(
    answer: float | None, heard: float | None, *, outdated: bool
) -> None:
    evidence = Evidence()
    outcome = Outcome.REFUSED if answer is None else Outcome.ALIVE
    evidence.note(NAS, Probe(outcome, 10.0, answer=answer), heard)
    assert evidence.outdates(Probe(Outcome.SILENT, 10.2)) is outdated
    assert not evidence.outdates(Probe(Outcome.REFUSED, 10.2)), "a refusal has said all"


def test_a_silence_is_judged_by_its_last_packet() -> None:
    evidence = Evidence()
    evidence.note(NAS, Probe(Outcome.ALIVE, 12.0))
    twice = Probe(Outcome.SILENT, 11.7, attempts=2)
    assert evidence.against(GPU, FAILED, twice) is Proof.NETWORK
    assert not evidence.outdates(twice)
    assert evidence.against(GPU, FAILED, Probe(Outcome.SILENT, 11.7)) is Proof.NONE
    assert evidence.outdates(Probe(Outcome.SILENT, 11.7))


def test_a_peer_that_refuses_proves_nothing_against_itself() -> None:
    assert Evidence().against(GPU, FAILED, Probe(Outcome.REFUSED, 12.0)) is Proof.NONE


def test_this_machine_s_answer_to_what_was_sent_with_the_first_failure_is_enough() -> None:
    evidence = Evidence()
    evidence.note(HERE, Probe(Outcome.ALIVE, 10.0))
    assert evidence.against(GPU, FAILED, Probe(Outcome.SILENT, 12.0)) is Proof.LOOPBACK


def test_only_the_latest_answers_are_kept() -> None:
    evidence = Evidence()
    evidence.note(NAS, Probe(Outcome.ALIVE, 11.0))
    for _ in range(EVIDENCE_KEPT - 1):
        evidence.note(NAS, Probe(Outcome.ALIVE, 1.0))
    assert evidence.against(GPU, FAILED, Probe(Outcome.SILENT, 12.0)) is Proof.NETWORK
    evidence.note(NAS, Probe(Outcome.ALIVE, 1.0))
    assert evidence.against(GPU, FAILED, Probe(Outcome.SILENT, 12.0)) is Proof.NONE


@pytest.mark.parametrize(
    ("outcome", "proof"),
    [
        pytest.param(Outcome.REFUSED, Proof.LOOPBACK, id="this machine refuses: that says it all"),
        pytest.param(Outcome.SILENT, Proof.NONE, id="this machine is silent"),
    ],
)
def test_a_refusal_of_this_machine_counts_against_itself(outcome: Outcome, proof: Proof) -> None:
    assert Evidence().against(HERE, FAILED, Probe(outcome, 12.0)) is proof


@pytest.mark.parametrize(
    ("server", "outcome", "want"),
    [
        pytest.param(NAS, Outcome.ALIVE, True, id="a peer answers"),
        pytest.param(NAS, Outcome.REFUSED, True, id="a peer refuses"),
        pytest.param(NAS, Outcome.SILENT, False, id="a peer is silent"),
        pytest.param(HERE, Outcome.ALIVE, True, id="this machine answers"),
        pytest.param(HERE, Outcome.REFUSED, False, id="this machine refuses"),
    ],
)
def test_it_is_told_whether_anything_was_shown(server: Server, outcome: Outcome, *, want: bool) -> None:
    assert Evidence().note(server, Probe(outcome, 1.0)) is want
