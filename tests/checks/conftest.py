"""What the tests of the checks share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.machine import Machine, machine


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A machine whose state folder is `state`, on which no daemon runs yet."""
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(tmp_path / "state"))
    folder = tmp_path / "machine"
    folder.mkdir()
    with machine(folder) as made:
        yield made
