"""A command, run in this process on a state that the real core made."""

from pathlib import Path

import pytest

from ollama_locate.cli.main import main
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.render import read_snapshot
from ollama_locate.core.snapshot import Snapshot
from tests.snapshots import alive, gone, publish
from tests.standins.tailscale import node

PEERS = (
    node("gpu", 2),
    node("nas", 3),
    node("pi", 4),
    node("old", 5, Online=False),
    node("bob", 6, UserID=2),
    node("phone", 7, OS="iOS"),
    node("bad\x1b[2Jname", 8, DNSName=""),
)
PROBES = {
    "n2:11434": alive(0.01, "mistral:latest", "qwen3:8b"),
    "n3:11434": alive(0.2, "mistral:latest", "only-nas:1b"),
    "n4:11434": gone(Outcome.REFUSED),
    "n5:11434": gone(Outcome.SILENT),
    "local:11434": gone(Outcome.REFUSED),
    "self:11434": gone(Outcome.REFUSED),
}


class Command:
    """Runs `ollama-locate WORDS` in this process on a published state."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys

    def publish(self, what: Snapshot) -> None:
        publish(self.folder, what).close()

    def seen(self) -> Snapshot:
        """What is published."""
        return read_snapshot((self.folder / "state.json").read_bytes())

    def __call__(self, *words: str) -> tuple[int, str, str]:
        try:
            code = main(list(words))
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = self._capsys.readouterr()
        return code, out, err
