"""The commands, with a stand-in tailscale that really forwards; on a real tailnet: tests/real/test_expose.py."""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ollama_locate.cli.main import main
from ollama_locate.edge import exposed
from ollama_locate.edge.exposed import Done
from tests.standins import tailscale
from tests.standins.serve import ADDRESS

ROOT = Path(__file__).resolve().parents[2]


class Machine:
    """Ollama on 127.0.0.1, the tailnet's address 127.0.0.2, and a config for the port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        with socket.socket() as free:
            free.bind((ADDRESS, 0))
            self.port = int(free.getsockname()[1])
        command = f"cd '{ROOT}' && exec '{sys.executable}' -m tests.standins.serve '{folder}' \"$@\""
        tailscale.executable(folder / "tailscale", command)
        (folder / "config/ollama-locate").mkdir(parents=True)
        config = f'tailscale = "{folder}/tailscale"\nports = [{self.port}]\n'
        (folder / "config/ollama-locate/config.toml").write_text(config)
        self.shows()
        self._ollama: subprocess.Popen[bytes] | None = None

    def shows(self, **more: object) -> None:
        me = tailscale.node("gpu", 1, TailscaleIPs=[ADDRESS])
        (self.folder / "status.json").write_bytes(tailscale.raw(**{"me": me, **more}))

    def serves(self, target: str) -> None:
        ports = {str(self.port): {"TCPForward": target}} if target else {}
        (self.folder / "serve.json").write_text(json.dumps({"TCP": ports}))

    def start(self) -> None:
        words = [sys.executable, "-m", "tests.standins.ollama", str(self.port), "mistral:latest"]
        self._ollama = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT)
        assert self._ollama.stdout
        self._ollama.stdout.readline()

    def end(self) -> None:
        if self._ollama is not None:
            self._ollama.kill()
            self._ollama.wait()
            assert self._ollama.stdout
            self._ollama.stdout.close()
        if (pid := self.folder / "forwarder").exists():
            os.kill(int(pid.read_text()), 9)

    def reached(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{ADDRESS}:{self.port}/api/version", timeout=5) as answer:
                return b"version" in answer.read()
        except OSError:
            return False


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(tmp_path / "state"))
    made = Machine(tmp_path)
    yield made
    made.end()


def test_it_is_published_and_taken_back(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.start()
    assert not machine.reached()

    assert main(["expose", "--yes"]) == 0
    out = capsys.readouterr().out
    assert f"To do:  tailscale serve --bg --tcp {machine.port} tcp://127.0.0.1:{machine.port}\n" in out
    assert out.index("they may use, pull and delete models") < out.index("To do:")
    assert '"src":["me@example.com"]' in out
    assert f"Published: http://{ADDRESS}:{machine.port} answers as Ollama" in out
    assert machine.reached()

    assert main(["expose"]) == 0
    assert "your tailnet reaches it already" in capsys.readouterr().out

    assert main(["unexpose", "--yes"]) == 0
    assert "is published no longer" in capsys.readouterr().out
    assert not machine.reached()
    assert list(machine.state.iterdir()) == []
    assert main(["unexpose"]) == 0
    assert "has published nothing" in capsys.readouterr().err


def test_without_anybody_to_ask_nothing_is_done(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.start()
    assert main(["expose"]) == 1
    assert "--yes" in capsys.readouterr().err
    assert not machine.reached()


@pytest.mark.parametrize("word", ["n", "", "what"])
def test_whoever_does_not_say_yes_changes_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    machine.start()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: f"{word}\n", raising=False)
    assert main(["expose"]) == 1
    assert "nothing was changed" in capsys.readouterr().err
    assert not machine.reached()


def test_no_ollama(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["expose", "--yes"]) == 1
    assert f"no Ollama answers on 127.0.0.1:{machine.port}. Start it: ollama serve" in capsys.readouterr().err


def test_no_tailnet(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.shows(BackendState="Stopped")
    assert main(["expose", "--yes"]) == 1
    assert "`tailscale up` turns it on; then type this again" in capsys.readouterr().err


def test_userspace_networking_names_the_mend(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.start()
    machine.shows(TUN=False)
    assert main(["expose", "--yes"]) == 1
    assert "OLLAMA_HOST=0.0.0.0 inside that container" in capsys.readouterr().err
    assert not machine.reached()


def test_a_port_that_serves_something_else_is_left_alone(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.start()
    machine.serves("127.0.0.1:8080")
    assert main(["expose", "--yes"]) == 1
    assert "sends" in (err := capsys.readouterr().err)
    assert f"tailscale serve --tcp={machine.port} off" in err
    assert "8080" in (machine.folder / "serve.json").read_text()


def test_a_user_who_may_not_is_told_what_to_type(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.start()
    (machine.folder / "refuses").write_text("Access denied: serve config denied\n")
    assert main(["expose", "--yes"]) == 1
    assert "sudo tailscale set --operator=$USER" in capsys.readouterr().err
    assert not (machine.state / "expose.json").exists()


def test_what_was_published_and_does_not_answer_is_told(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.start()
    monkeypatch.setattr("ollama_locate.cli.exposing.EXPOSE_VERIFY", 0.2)
    machine.shows(me=tailscale.node("gpu", 1, TailscaleIPs=["127.0.0.3"]))
    assert main(["expose", "--yes"]) == 1
    assert "`ollama-locate unexpose` takes it back" in capsys.readouterr().err
    assert main(["unexpose", "--yes"]) == 0


@pytest.mark.parametrize("now", ["127.0.0.1:8080", ""])
def test_what_another_hand_has_changed_meanwhile_is_left_alone(
    machine: Machine, capsys: pytest.CaptureFixture[str], now: str
) -> None:
    machine.start()
    main(["expose", "--yes"])
    machine.serves(now)
    capsys.readouterr()
    assert main(["unexpose", "--yes"]) == 0
    assert ("left alone" if now else "not served any more") in capsys.readouterr().out
    assert machine.reached()


def test_a_record_that_cannot_be_read_is_named(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.state.mkdir(mode=0o700)
    (machine.state / "expose.json").write_text("{")
    assert main(["unexpose"]) == 1
    assert "expose.json cannot be read; remove it" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "70000", "x"])
def test_no_port(port: str, machine: Machine) -> None:
    with pytest.raises(SystemExit):
        main(["expose", "--port", port])
    assert not machine.reached()


def test_what_cannot_be_asked_is_not_forgotten(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.start()
    main(["expose", "--yes"])
    tailscale.executable(machine.folder / "tailscale", "echo 'failed to connect to local tailscaled' >&2; exit 1")
    capsys.readouterr()
    assert main(["unexpose", "--yes"]) == 1
    assert "cannot be asked what it serves" in capsys.readouterr().err
    assert (machine.state / "expose.json").exists()


def test_each_port_is_taken_back(machine: Machine) -> None:
    first, second = Done(machine.port, "127.0.0.1:1"), Done(2, "127.0.0.1:2")
    for one in (first, second, second):
        exposed.remember(machine.state, one)
    assert exposed.done(machine.state) == (first, second)
    assert main(["unexpose", "--yes"]) == 0, "neither is served any more"
    assert exposed.done(machine.state) == ()


def test_text_of_tailscales_does_not_reach_the_terminal_unchecked(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.start()
    machine.serves("127.0.0.1:1\x1b[2J")
    assert main(["expose", "--yes"]) == 1
    assert "\x1b" not in capsys.readouterr().err
