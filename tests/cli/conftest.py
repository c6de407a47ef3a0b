"""What the tests of the commands share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ollama_locate.edge import systemd
from tests.cli.command import PEERS, PROBES, Command
from tests.cli.generating import Servers
from tests.cli.machine import Machine
from tests.snapshots import snapshot
from tests.standins.programs import Programs, Says


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(tmp_path / "state"))
    command = Command(tmp_path / "state", capsys)
    command.publish(snapshot(PROBES, *PEERS))
    return command


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    programs = Programs(tmp_path)
    monkeypatch.setenv("PATH", f"{programs.folder}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SHELL", "/bin/bash")
    monkeypatch.delenv("ZDOTDIR", raising=False)
    monkeypatch.setattr(systemd, "_BOOTED", tmp_path)
    programs.put("loginctl", {"show-user*": Says("no\n")})
    programs.put("journalctl", {"*": Says("the last words")})
    return Machine(tmp_path, programs)


@pytest.fixture
def servers(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = Servers(run, tmp_path)
    yield made
    made.machine.close()
