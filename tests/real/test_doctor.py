"""The doctor on a real tailnet: what is broken for real is named, and nothing else.

It looks from the laptop, with a daemon that runs there; each test leaves the tailnet as it found it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.namespaces import until
from tests.real.ollama import PORT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.lab import Lab
    from tests.real.located import Located
    from tests.real.tailnet import Node

SERVE = "tailscale serve --bg --tcp 11434 tcp://127.0.0.1:11434"

pytestmark = pytest.mark.real

# What this lab always has: a machine without Ollama, one without models, one behind userspace networking.
NOTES = {"peer_refused", "peer_no_models", "peer_forbidden"}
SECONDS = 4.0  # the goal is 3, and a process has to start


@pytest.fixture
def doctor(located: Located, lab: Lab) -> Located:
    """A laptop on which all is well: its shell follows, and its daemon runs."""
    located.writes(lab.url("gpu"), located.start(), 10)
    return located


def examined(located: Located, *words: str) -> dict[str, Any]:
    """Return what the doctor says, with its exit code."""
    done = located.cli("doctor", "--json", *words, check=False)
    assert not done.stderr, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found.get("took_s", 0) < SECONDS
    return found | {"exit": done.returncode}


def severe(found: dict[str, Any]) -> dict[str, str]:
    """Return the findings about Tailscale and the servers, with their severities: a lab has no start-up files."""
    mine = ("tailscale", "peer", "pin", "no_server", "nobody", "clock", "socket", "ollama", "check", "daemon", "folder")
    return {one["code"]: one["severity"] for one in found["findings"] if one["code"].startswith(mine)}


def servers(found: dict[str, Any], code: str) -> list[str]:
    return next((one["servers"] for one in found["findings"] if one["code"] == code), [])


@contextlib.contextmanager
def rules(node: Node, *rules: list[str]) -> Iterator[None]:
    for rule in rules:
        node.exec("iptables", "--insert", *rule)
    try:
        yield
    finally:
        for rule in rules:
            node.exec("iptables", "--delete", *rule, check=False)


def test_a_good_tailnet_has_notes_only(doctor: Located) -> None:
    found = examined(doctor)
    assert severe(found) == dict.fromkeys(NOTES, "note")
    assert servers(found, "peer_refused") == ["idle"]
    assert servers(found, "peer_no_models") == ["empty"]
    assert servers(found, "peer_forbidden") == ["box"]
    assert found["exit"] == 0


def asks(doctor: Located, lab: Lab, sock: Path) -> None:
    """Let the laptop ask another tailscaled, by its socket: its own stays as it is, for the tests that follow."""
    wrapper = doctor.folder / "other"
    wrapper.write_text(f'#!/bin/sh\nexec "{lab.laptop.cli}" --socket "{sock}" "$@"\n')
    wrapper.chmod(0o755)
    doctor.configure(tailscale=f'"{wrapper}"', tailscale_socket=f'"{sock}"')


def test_nobody_is_logged_in_and_then_it_is_stopped(lab: Lab, doctor: Located) -> None:
    """A tailscaled of its own, that has never logged in."""
    state = lab.laptop.folder / "fresh"
    state.mkdir()
    sock = state / "sock"
    own = [f"--statedir={state}", f"--socket={sock}", "--tun=userspace-networking", "--port=0"]
    quiet = {"TS_NO_LOGS_NO_SUPPORT": "true", "TS_DEBUG_DISABLE_PORTLIST": "1"}
    fresh = lab.laptop.spawn(lab.tailnet.programs / "tailscaled", *own, log=state / "log", env=quiet)
    try:
        until(lambda: status(lab, sock).get("BackendState") == "NeedsLogin", 20, "it wants a login")
        asks(doctor, lab, sock)
        logged_out = examined(doctor)
    finally:
        fresh.stop()
    stopped = examined(doctor)
    shutil.rmtree(state)
    assert severe(logged_out) == {"tailscale_needs_login": "problem"}
    assert severe(stopped) == {"tailscale_not_running": "problem"}
    assert [found["exit"] for found in (logged_out, stopped)] == [1, 1]
    assert "no_server" in stopped["hidden"]


def status(lab: Lab, sock: Path) -> dict[str, Any]:
    done = lab.laptop.exec(lab.laptop.cli, "--socket", sock, "status", "--json", check=False)
    found: dict[str, Any] = json.loads(done.stdout or "{}")
    return found


def test_tailscale_is_turned_off(lab: Lab, doctor: Located) -> None:
    """On the machine that has nothing else to do."""
    idle = lab.node("idle")
    asks(doctor, lab, idle.socket)
    idle.tailscale("down")
    try:
        found = examined(doctor)
    finally:
        own = [f"--login-server={lab.tailnet.control_url}", f"--hostname={idle.name}"]
        idle.tailscale("up", *own, "--netfilter-mode=off", "--accept-dns=false", "--timeout=30s")
    assert severe(found) == {"tailscale_stopped": "problem"}
    assert (found["hidden"], found["exit"]) == (["no_server"], 1)


def test_a_peer_is_kept_away(lab: Lab, doctor: Located) -> None:
    """As access rules do: the port is silent, and Tailscale's own ping, which needs none, works."""
    drop = ["INPUT", "--in-interface", "tailscale0", "--protocol", "tcp", "--dport", str(PORT), "--jump", "DROP"]
    with rules(lab.node("empty"), drop):
        found = examined(doctor)
        one = examined(doctor, "empty")
    assert severe(found) == dict.fromkeys((NOTES - {"peer_no_models"}) | {"peer_blocked"}, "note")
    assert servers(found, "peer_blocked") == ["empty"]
    assert (severe(one), one["exit"]) == ({"peer_blocked": "problem"}, 1)
    assert one["servers"][0]["steps"]["ping"].endswith("directly")


def test_a_peer_is_unplugged(lab: Lab, doctor: Located) -> None:
    with lab.unplugged("empty"):
        found = examined(doctor)
    assert servers(found, "peer_silent") == ["empty"]


def test_a_peer_is_offline(lab: Lab, doctor: Located) -> None:
    lab.tailnet.set("empty", online="false")
    try:
        try:
            until(lambda: not is_online(lab, "empty"), 20, "the laptop hears that it is offline")
        except TimeoutError:
            pytest.skip("a laptop whose tailscaled was restarted does not hear it from this control server")
        with lab.unplugged("empty"):
            found = examined(doctor)
    finally:
        lab.tailnet.set("empty", online="true")
    assert servers(found, "peer_offline") == ["empty"]


def is_online(lab: Lab, name: str) -> bool:
    peers = status(lab, lab.laptop.socket)["Peer"].values()
    return any(peer["HostName"] == name and peer["Online"] for peer in peers)


def test_nothing_listens_there(doctor: Located) -> None:
    found = examined(doctor, "idle")
    assert (severe(found), found["exit"]) == ({"peer_refused": "problem"}, 1)
    (finding,) = [one for one in found["findings"] if one["code"] == "peer_refused"]
    assert (finding["where"], finding["mend"]) == ("idle", f"ollama-locate expose  # or, without it: {SERVE}")


def test_serve_is_on_and_ollama_is_dead(lab: Lab, doctor: Located) -> None:
    with lab.ollama_killed("nas"):
        found = examined(doctor)
        one = examined(doctor, "nas")
    assert servers(found, "peer_empty") == ["nas"]
    assert (severe(one), one["exit"]) == ({"peer_empty": "problem"}, 1)
    assert one["servers"][0]["steps"]["TCP"].startswith("connected in ")


def test_userspace_networking_there(doctor: Located) -> None:
    found = examined(doctor, "box")
    assert severe(found) == {"peer_forbidden": "problem"}
    assert found["servers"][0]["steps"]["Host"] == "refuses its own address (403), accepts localhost"


def test_userspace_networking_here(lab: Lab, doctor: Located) -> None:
    """Box's own tailscaled, asked by its socket."""
    asks(doctor, lab, lab.node("box").socket)
    found = examined(doctor)
    assert severe(found) == {"tailscale_userspace": "problem"}


def test_a_relay_has_its_cost(lab: Lab, doctor: Located) -> None:
    with lab.tailnet.relay_only(lab.laptop, lab.node("gpu")):
        lab.laptop.reaches(lab.node("gpu"), "relay")
        # A direct path that is lost is trusted for 6.5 s more: until then gpu is silent.
        until(lambda: servers(examined(doctor), "peer_relayed"), 30, "connections go by the relay", every=0.5)
        found = examined(doctor)
        one = examined(doctor, "gpu")
    assert severe(found) == dict.fromkeys(NOTES, "note") | {"peer_relayed": "warning"}
    assert servers(found, "peer_relayed") == ["gpu"]
    assert "by a relay (DERP " in one["servers"][0]["steps"]["ping"]
    assert one["exit"] == 0


def test_one_that_is_well(doctor: Located) -> None:
    found = examined(doctor, "gpu")
    assert (severe(found), found["exit"]) == ({}, 0)
    steps = found["servers"][0]["steps"]
    assert steps["models"] == "mistral:latest"
    assert abs(int(steps["clock"].split()[0])) < 3, "a real Ollama says the time"


def test_all_servers_are_gone(lab: Lab, doctor: Located) -> None:
    """Then whoever could serve is a problem, and is why there is no server."""
    with lab.ollama_killed("gpu"), lab.ollama_killed("nas"), lab.ollama_killed("empty"):
        found = examined(doctor)
    problems = {code for code, severity in severe(found).items() if severity == "problem"}
    assert problems == {"peer_refused", "peer_ended", "peer_empty", "peer_forbidden"}
    assert set(servers(found, "peer_ended")) == {"empty", "gpu"}, "the daemon has heard them before"
    assert servers(found, "peer_refused") == ["idle"]
    assert (found["hidden"], found["exit"]) == (["no_server"], 1)
