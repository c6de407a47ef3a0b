"""The main job on a real tailnet: WireGuard, DERP, `tailscale serve`, and Ollama with a model that answers.

Each test has a daemon of its own, and leaves the tailnet as it found it.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.real.namespaces import until
from tests.real.ollama import request

if TYPE_CHECKING:
    from tests.real.figures import Figures
    from tests.real.lab import Lab
    from tests.real.located import Located

pytestmark = pytest.mark.real

# Goals in seconds; the ceilings are ten times as high. START covers the start of Python and of the daemon.
START, SILENT, AWAY, BACK = 1.0, 5.0, 5.0, 5.0
KILLED = 3.0  # one interval of 2 s, then two more checks 0.4 s apart
CALM = 5.0  # for how long a server that came back must not displace the one in use; the hold is 60 s


def start(lab: Lab, located: Located) -> float:
    """Start the daemon and wait until it has settled on the preferred server; return how long that took."""
    seconds = located.writes(lab.url("gpu"), located.start(), 10 * START)
    located.shows(lambda state: all(server.outcome for server in state.servers), 15, "everybody was asked")
    located.shows(lambda state: state.decision.sentinel == "on", 15, "a connection is held to the server")
    return seconds


def generated(lab: Lab, url: str) -> str:
    """Let the model at this address speak, as a program on the laptop would."""
    greedy = {"num_predict": 8, "temperature": 0}
    body = {"model": "mistral", "prompt": "a b", "stream": False, "options": greedy}
    answer = request(lab.laptop, f"{url}/api/generate", body, within=60)
    return str(json.loads(answer or "{}").get("response", ""))


def straight(lab: Lab) -> list[tuple[str, str]]:
    """Return what the files say when gpu is left as it should be: nas answers all the time, so never stale."""
    return [(lab.url("gpu"), "fresh"), (lab.url("nas"), "fresh")]


def test_the_right_one_is_chosen(lab: Lab, located: Located, figures: Figures) -> None:
    seconds = start(lab, located)
    state = located.shows(lambda state: state.decision.name == "gpu", 5, "gpu is chosen")
    assert (state.decision.verdict, state.decision.reason) == ("fresh", "tier")
    assert state.server("gpu").models == ["mistral:latest"]
    assert located.cli().stdout == lab.url("gpu") + "\n"
    figures.seconds("start of the daemon -> gpu", seconds, START)


def test_why_names_the_reason_of_every_other(lab: Lab, located: Located) -> None:
    start(lab, located)
    state = located.state()
    assert state
    standings = {server.name: (server.standing, server.outcome) for server in state.servers}
    assert standings["gpu"] == ("chosen", "alive")
    assert standings["nas"] == ("lower_tier", "alive")
    assert standings["empty"] == ("no_models", "alive")
    assert standings["idle"] == ("down", "refused")
    assert standings["box"] == ("down", "forbidden_host")
    assert {peer.name: peer.reason for peer in state.rejected} == {"bob": "other_user", "guest": "shared_in"}
    said = located.cli("why").stdout
    reasons = [(server.name, server.text) for server in state.servers if server.kind != "self_check"]
    reasons += [(peer.name, peer.text) for peer in state.rejected]
    for name, text in reasons:
        assert name in said
        assert text in said, f"{name}: {text}"


def test_the_endpoint_generates_text(lab: Lab, located: Located) -> None:
    start(lab, located)
    assert generated(lab, located.cli().stdout.strip()).strip()


def test_userspace_networking_is_named(lab: Lab, located: Located) -> None:
    """An Ollama on loopback behind userspace networking answers 403 to its own tailnet address."""
    start(lab, located)
    assert "403" in located.cli("why", "box").stdout


def test_nobody_else_is_contacted(lab: Lab, located: Located) -> None:
    """Bob's Ollama, and the one shared in, would be good servers; they are not even asked."""
    start(lab, located)
    gpu = lab.node("gpu")
    before = gpu.connects()
    until(lambda: gpu.connects() > before + 4, 30, "gpu is probed once more, and again")
    assert {name: lab.node(name).connects() for name in ("bob", "guest")} == {"bob": 0, "guest": 0}


def test_a_killed_server_is_left_for_a_while(lab: Lab, located: Located, figures: Figures) -> None:
    """The other takes over, and keeps its place when the killed one is back: no bouncing."""
    start(lab, located)
    event = time.time()
    with lab.ollama_killed("gpu"):
        seconds = located.writes(lab.url("nas"), event, 10 * KILLED)
        assert located.seen == straight(lab)
        assert generated(lab, located.cli().stdout.strip()).strip()

    located.shows(lambda state: state.server("gpu").health == "up", 30, "the killed one is seen to be back")
    end = time.monotonic() + CALM
    while time.monotonic() < end:
        assert located.endpoint() == lab.url("nas")
        time.sleep(0.05)
    state = located.state()
    assert state
    assert (state.server("gpu").standing, state.decision.reason) == ("held_down", "held_others")
    figures.seconds("Ollama killed -> the other", seconds, KILLED)


def test_a_silent_machine_is_left(lab: Lab, located: Located, figures: Figures) -> None:
    start(lab, located)
    event = time.time()
    with lab.unplugged("gpu"):
        seconds = located.writes(lab.url("nas"), event, 10 * SILENT)
        assert located.seen == straight(lab)
        assert generated(lab, located.cli().stdout.strip()).strip()
    figures.seconds("cable pulled -> the other", seconds, SILENT)


def test_a_path_by_relay_works(lab: Lab, located: Located, figures: Figures) -> None:
    with lab.tailnet.relay_only(lab.laptop, lab.node("gpu")):
        lab.laptop.reaches(lab.node("gpu"), "relay")
        seconds = start(lab, located)
        located.shows(lambda state: state.server("gpu").path == "relay", 15, "the path is said to be a relay")
        assert located.verdict() == "fresh"
        assert generated(lab, located.cli().stdout.strip()).strip()
    figures.seconds("start of the daemon, gpu by relay -> gpu", seconds, START)


def test_without_tailscaled_the_last_good_stays(lab: Lab, located: Located, figures: Figures) -> None:
    start(lab, located)
    event = time.time()
    with lab.tailscaled_stopped():
        away = located.becomes("stale", event, 10 * AWAY)
        assert located.endpoint() == lab.url("gpu")
        stale = located.cli()
        assert (stale.stdout, len(stale.stderr.splitlines())) == (lab.url("gpu") + "\n", 1)
        assert located.cli("--strict", check=False).returncode == 3
        event = time.time()
    back = located.becomes("fresh", event, 10 * BACK)
    assert located.endpoint() == lab.url("gpu")
    figures.seconds("tailscaled stopped -> stale", away, AWAY)
    figures.seconds("tailscaled started -> fresh", back, BACK)
