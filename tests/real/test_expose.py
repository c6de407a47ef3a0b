"""A machine's own Ollama, published to a real tailnet and to nothing else."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.real.located import SCRIPTS
from tests.real.ollama import PORT, Ollama, request

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.lab import Lab

pytestmark = pytest.mark.real


@pytest.fixture
def own(lab: Lab) -> Iterator[Ollama]:
    """An Ollama of the node that has none, on loopback only."""
    node = lab.node("idle")
    if "idle" not in lab.ollamas:
        lab.ollamas["idle"] = Ollama(node, lab.tailnet.programs / "ollama", bind="127.0.0.1")
    server = lab.ollamas["idle"]
    server.start()
    yield server
    server.kill()
    node.tailscale("serve", "reset")


def ask(lab: Lab, folder: Path, name: str, *words: str, tailscale: str = "") -> subprocess.CompletedProcess[str]:
    node = lab.node(name)
    wrapper = folder / f"tailscale-{name}"
    wrapper.write_text(f'#!/bin/sh\nexec {tailscale or node.cli} --socket "{node.socket}" "$@"\n')
    wrapper.chmod(0o755)
    config = folder / "config/ollama-locate/config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f'tailscale = "{wrapper}"\n')
    env = {"XDG_CONFIG_HOME": str(folder / "config"), "OLLAMA_LOCATE_STATE_DIR": str(folder / f"state-{name}")}
    return node.exec(SCRIPTS / "ollama-locate", *words, env=env, check=False)


def reached(lab: Lab, name: str) -> bool:
    return request(lab.laptop, f"{lab.url(name)}/api/version", within=2) is not None


@pytest.mark.usefixtures("own")
def test_loopback_is_published_to_the_tailnet_only_and_taken_back(lab: Lab, tmp_path: Path) -> None:
    lab.settled()
    assert not reached(lab, "idle")
    done = ask(lab, tmp_path, "idle", "expose", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Published: {lab.url('idle')} answers as Ollama" in done.stdout
    assert reached(lab, "idle")
    # Not by the address that the machine has in the network below.
    below = lab.node("idle").exec("ip", "-4", "-o", "addr", "show", "eth0").stdout.split()[3].partition("/")[0]
    assert request(lab.laptop, f"http://{below}:{PORT}/api/version", within=2) is None
    assert ask(lab, tmp_path, "idle", "unexpose", "--yes").returncode == 0
    assert not reached(lab, "idle")


@pytest.mark.usefixtures("own")
def test_what_serves_something_else_is_left_alone(lab: Lab, tmp_path: Path) -> None:
    lab.node("idle").tailscale("serve", "--bg", "--tcp", str(PORT), "tcp://127.0.0.1:9")
    done = ask(lab, tmp_path, "idle", "expose", "--yes")
    assert done.returncode == 1
    assert "already sends port 11434 to 127.0.0.1:9" in done.stderr
    assert "127.0.0.1:9" in lab.node("idle").tailscale("serve", "status", "--json").stdout


@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        pytest.param("gpu", 0, "your tailnet reaches it already", id="bound to the tailnet address"),
        pytest.param("nas", 0, "your tailnet reaches it already", id="served already"),
        pytest.param("idle", 1, "no Ollama answers on 127.0.0.1:11434", id="no Ollama"),
        pytest.param("box", 1, "OLLAMA_HOST=0.0.0.0 inside that container", id="userspace networking"),
    ],
)
def test_there_is_nothing_to_publish(lab: Lab, tmp_path: Path, name: str, code: int, sentence: str) -> None:
    done = ask(lab, tmp_path, name, "expose", "--yes")
    assert (done.returncode, sentence in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr


@pytest.mark.usefixtures("own")
def test_a_user_without_the_right_is_told_what_to_type(lab: Lab, tmp_path: Path) -> None:
    """Tailscaled asks who is at the other end of its socket: only the command runs as somebody else."""
    node = lab.node("idle")
    for folder in (node.folder, *node.folder.parents):
        folder.chmod(folder.stat().st_mode | 0o011)
    cli = node.folder / "tailscale-for-all"
    shutil.copy(node.cli, cli)
    nobody = f"setpriv --reuid=65534 --regid=65534 --clear-groups {cli}"
    done = ask(lab, tmp_path, "idle", "expose", "--yes", tailscale=nobody)
    assert done.returncode == 1
    assert "sudo tailscale set --operator=$USER" in done.stderr, done.stderr
    assert not reached(lab, "idle")
