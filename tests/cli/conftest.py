"""What the tests of the commands share."""

from pathlib import Path

import pytest

from tests.cli.command import PEERS, PROBES, Command
from tests.snapshots import snapshot


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(tmp_path / "state"))
    command = Command(tmp_path / "state", capsys)
    command.publish(snapshot(PROBES, *PEERS))
    return command
