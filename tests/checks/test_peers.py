"""The servers: real ones on loopback behind tailnet addresses, each bad in one way, and the real round of questions."""

import json
from pathlib import Path
from typing import Any

import pytest

from ollama_locate.checks import peers
from ollama_locate.core.rule import Severity
from ollama_locate.edge.dial import Attempt, Connected
from tests.checks.machine import Machine
from tests.standins.ollama import Behaviour, answers, closes_at_once, http, like_ollama, says_nothing
from tests.standins.tailscale import node
from tests.standins.wire import EmbeddedAttempt, EmbeddedWire, Far

GPU, NAS = "100.64.0.2", "100.64.0.3"
DIRECT = "pong from gpu ({address}) via 198.18.0.11:41641 in 1ms\n"
RELAYED = "pong from gpu ({address}) via DERP(fra) in 41ms\ndirect connection not established\n"
FORBIDDEN = answers(http("403 Forbidden", b""))
GOOD = like_ollama("mistral:latest")


@pytest.mark.parametrize(
    ("behaviour", "code", "mend"),
    [
        pytest.param(None, "peer_refused", "tailscale serve --bg --tcp 11434 tcp://127.0.0.1:11434", id="refused"),
        pytest.param(closes_at_once, "peer_empty", "ollama", id="accepts and closes, as serve does for a dead one"),
        pytest.param(FORBIDDEN, "peer_forbidden", "OLLAMA_HOST=0.0.0.0", id="403 to its own address"),
        pytest.param(answers(http("200 OK", b"<html>")), "peer_not_ollama", "lsof", id="something else"),
        pytest.param(answers(http("502 Bad", b"<html>")), "peer_gateway", "restart ollama", id="dead behind a proxy"),
        pytest.param(answers(http("401 Who", b"")), "peer_login", "config", id="a proxy wants a login"),
        pytest.param(
            answers(http("200 OK", b'{"version":"0.17.4"}', more="Age: 9\r\n")), "peer_cached", "Age", id="a cache"
        ),
        pytest.param(answers(b"SSH-2.0-OpenSSH\r\n"), "peer_not_ollama", "lsof", id="no HTTP at all"),
        pytest.param(answers(http("500 Oh", b"")), "peer_error", "why", id="an error of its own"),
    ],
)
def test_a_server_that_is_none(here: Machine, behaviour: Behaviour | None, code: str, mend: str) -> None:
    """Alone it is a problem, and explains that there is no server; beside a good one it is a note."""
    here.tailnet(node("gpu", 2), node("nas", 3))
    here.far(GPU, behaviour)
    here.far(NAS, behaviour)
    assert [one for one in here.codes(peers.run) if one != "no_local_ollama"] == [code]
    finding = here.the(peers.run, code)
    assert (finding.severity, finding.servers) == (Severity.PROBLEM, ("gpu", "nas"))
    assert mend in finding.mend
    here.far(NAS, GOOD)
    finding = here.the(peers.run, code)
    assert (finding.severity, finding.servers) == (Severity.NOTE, ("gpu",))
    here.config["prefer"] = '["gpu"]'
    assert here.the(peers.run, code).severity is Severity.WARNING, "the user has named it"


@pytest.mark.parametrize(
    ("online", "pong", "code"),
    [
        pytest.param(True, DIRECT, "peer_blocked", id="the ping works: the access rules"),
        pytest.param(True, "", "peer_silent", id="the ping is silent as well"),
        pytest.param(False, DIRECT, "peer_offline", id="called offline: it is not pinged"),
    ],
)
def test_a_silent_one(here: Machine, online: bool, pong: str, code: str) -> None:  # noqa: FBT001 - a table
    here.tailnet(node("gpu", 2, Online=online))
    if pong:
        here.pong(GPU, pong.format(address=GPU))
    assert [one for one in here.codes(peers.run) if one != "no_local_ollama"] == [code]


def test_something_else_on_this_machine_s_own_port(here: Machine) -> None:
    here.tailnet(node("gpu", 2))
    here.far(GPU, GOOD)
    here.far("127.0.0.1", answers(http("200 OK", b"<html>")))
    finding = here.the(peers.run, "peer_not_ollama")
    assert (finding.servers, finding.where, finding.severity) == (("this machine",), "", Severity.NOTE)


def test_one_that_only_thinks_is_busy(here: Machine) -> None:
    here.tailnet(node("gpu", 2), node("nas", 3))
    here.far(NAS, GOOD)
    here.far(GPU, says_nothing)
    here.pong(GPU, DIRECT.format(address=GPU))
    assert here.codes(peers.run) == ["peer_busy"]


class ColdTunnel(EmbeddedWire):
    """The first two SYNs, all that a probe sends, are lost while WireGuard shakes hands."""

    lost = 2

    def attempt(self, host: str, port: int, done: Connected) -> Attempt:
        if host == GPU and self.lost:
            self.lost -= 1
            return EmbeddedAttempt(Far(None, silent=True), done)
        return super().attempt(host, port, done)


def test_one_that_was_slow_the_first_time_is_fine(here: Machine) -> None:
    """The first contact takes longer than it is waited for; once the ping has warmed the path it answers."""
    here.tailnet(node("gpu", 2))
    here.pong(GPU, DIRECT.format(address=GPU))
    case = here.case()
    case.wire = ColdTunnel({GPU: Far(here.serve(GOOD)), "127.0.0.1": Far(None), "100.64.0.1": Far(None)})
    assert peers.run(case) == []
    assert case.wire.lost == 0


def test_a_relay_has_its_cost(here: Machine) -> None:
    here.tailnet(node("gpu", 2, CurAddr="", Active=True))
    here.far(GPU, GOOD, rtt=0.041)
    here.pong(GPU, RELAYED.format(address=GPU))
    finding = here.the(peers.run, "peer_relayed")
    assert "DERP fra" in finding.text
    assert " 4" in finding.text.partition("fra):")[2], "about 41 ms"
    assert finding.severity is Severity.WARNING, "it is the chosen one"
    here.pong(GPU, DIRECT.format(address=GPU))
    assert here.codes(peers.run) == [], "the status was old: by now the path is direct"


@pytest.mark.parametrize(
    ("version", "models", "codes"),
    [
        pytest.param("0.17.4", ["m:1"], [], id="fine"),
        pytest.param("0.17.4", [], ["peer_no_models"], id="no models"),
        pytest.param("0.17.0", ["m:1"], ["ollama_old"], id="one fault"),
        pytest.param("0.1.33", ["m:1"], ["ollama_old"], id="two faults, said once"),
        pytest.param("0.0.0", ["m:1"], [], id="built without a version"),
    ],
)
def test_the_version_and_the_models(here: Machine, version: str, models: list[str], codes: list[str]) -> None:
    here.tailnet(node("gpu", 2))
    here.far(GPU, like_ollama(*models, version=version))
    assert here.codes(peers.run) == codes


@pytest.mark.parametrize(
    ("nodes", "more", "code"),
    [
        pytest.param([], {}, "nobody_there", id="an empty tailnet"),
        pytest.param([node("bob", 5, UserID=2)], {}, "nobody_allowed", id="nobody may be asked"),
        pytest.param([], {"BackendState": "Stopped"}, "no_server", id="no tailnet: tailscale's check explains it"),
    ],
)
def test_nobody(here: Machine, nodes: list[dict[str, Any]], more: dict[str, Any], code: str) -> None:
    here.tailnet(*nodes, **more)
    assert [one for one in here.codes(peers.run) if one != "no_local_ollama"] == [code]
    here.far("127.0.0.1", GOOD)
    assert here.codes(peers.run) == [], "this machine's own answers"


def test_a_key_that_has_expired_there(here: Machine) -> None:
    here.tailnet(node("gpu", 2), node("old", 3, Expired=True))
    here.far(GPU, GOOD)
    finding = here.the(peers.run, "peer_key_expired")
    assert (finding.where, finding.severity) == ("old", Severity.NOTE)


def test_a_static_server_that_knows_no_name(here: Machine) -> None:
    """A real 403 by a name: Ollama on loopback, asked as `localhost` would be by another name."""
    port = here.serve(FORBIDDEN)
    here.tailnet(node("gpu", 2))
    here.far(GPU, GOOD)
    here.config["static"] = json.dumps({"box": f"http://localhost:{port}"}).replace(":", " =", 1)
    # The embedded wire knows machines, not ports: this one's loopback is that server.
    here.far("127.0.0.1", FORBIDDEN)
    here.far("::1", FORBIDDEN)
    assert here.codes(peers.run) == ["peer_forbidden_name"]
    assert here.the(peers.run, "peer_forbidden_name").severity is Severity.WARNING


def test_a_pinned_server_that_is_dead(here: Machine, tmp_path: Path) -> None:
    here.tailnet(node("gpu", 2), node("nas", 3))
    here.far(GPU, GOOD)
    here.far(NAS, None)
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    pin = {"schema": 1, "name": "nas", "url": f"http://{NAS}:11434", "key": "n3:11434", "until": None}
    (state / "pin.json").write_text(json.dumps(pin))
    (state / "pin.json").chmod(0o600)
    finding = here.the(peers.run, "pin_dead")
    assert (finding.severity, finding.mend) == (Severity.PROBLEM, "ollama-locate unpin")


def test_nobody_else_is_contacted(here: Machine) -> None:
    """Bob's machine and the phone are left alone, pings included."""
    here.tailnet(node("gpu", 2), node("bob", 5, UserID=2), node("phone", 6, OS="iOS"))
    here.far(GPU, GOOD)
    log = here.folder / "asked"
    here.says(f"echo \"$@\" >> '{log}'; [ \"$1\" = status ] && cat '{here.folder}/status.json'")
    assert here.codes(peers.run) == []
    assert "ping" not in log.read_text()
