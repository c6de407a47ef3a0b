"""`ensure` with a real Ollama that pulls from a registry of its own."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.real.gguf import write_model
from tests.real.located import SCRIPTS
from tests.real.namespaces import until
from tests.real.ollama import REQUEST, request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.lab import Lab
    from tests.real.located import Located
    from tests.real.namespaces import Process

pytestmark = pytest.mark.real

PORT = 5056
NAME = f"127.0.0.1:{PORT}/library/tiny"
MODEL = f"{NAME}:latest"
RATE = 1_500_000  # the licence takes 4 s
ROOT = Path(__file__).parents[2]
WORDS = ("ensure", NAME, "--on", "empty", "--insecure", "--json")


@pytest.fixture
def registry(lab: Lab, tmp_path: Path) -> Iterator[None]:
    """A registry on the machine that has no model, which has none again at the end."""
    node, weights = lab.node("empty"), tmp_path / "tiny.gguf"
    write_model(weights)
    command = [sys.executable, "-m", "tests.real.registry", weights, PORT, RATE]
    process = node.spawn(*map(str, command), log=tmp_path / "registry", env={"PYTHONPATH": str(ROOT)})
    url = f"http://127.0.0.1:{PORT}/v2/library/tiny/manifests/latest"
    until(lambda: request(node, url), 10, "the registry answers")
    yield
    process.kill()
    delete = REQUEST.replace("data)", 'data, method="DELETE")')
    body = json.dumps({"model": MODEL})
    node.exec(sys.executable, "-I", "-c", delete, f"{lab.url('empty')}/api/delete", body, "5", check=False)


@pytest.fixture
def laptop(located: Located, lab: Lab) -> Located:
    located.writes(lab.url("gpu"), located.start(), 10)
    located.shows(lambda state: state.server("empty").health == "up", 10, "the one without a model answers")
    return located


def ensuring(laptop: Located, log: Path) -> Process:
    """Start the command; what it says comes into the log."""
    return laptop.node.spawn(SCRIPTS / "ollama-locate", *WORDS, log=log, env=laptop._env)


def events(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]


def brought(log: Path) -> list[int]:
    return [one["completed"] for one in events(log) if one["event"] == "progress" and one["total"]]


def ended(process: Process) -> int:
    until(lambda: not process.running, 60, "the command ends", every=0.05)
    return process.kill()


def loaded(lab: Lab) -> list[str]:
    answer = request(lab.node("empty"), f"{lab.url('empty')}/api/ps")
    assert answer
    return [model["name"] for model in json.loads(answer)["models"]]


@pytest.mark.usefixtures("registry")
def test_a_model_that_the_registry_has_not(laptop: Located) -> None:
    done = laptop.cli("ensure", f"127.0.0.1:{PORT}/library/nope", "--on", "empty", "--insecure", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "empty: the registry has no such model" in done.stderr


@pytest.mark.usefixtures("registry")
def test_plain_http_is_refused_by_ollama_unless_it_is_said(laptop: Located) -> None:
    done = laptop.cli("ensure", NAME, "--on", "empty", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "add --insecure" in done.stderr


@pytest.mark.usefixtures("registry")
def test_a_pull_that_was_stopped_goes_on_where_it_was(laptop: Located, lab: Lab, tmp_path: Path) -> None:
    first = ensuring(laptop, tmp_path / "first")
    until(lambda: max(brought(tmp_path / "first"), default=0) > 2_500_000, 30, "a part has come", every=0.05)
    os.kill(first._popen.pid, signal.SIGINT)
    assert ended(first) == 130
    assert "the same command goes on from there" in (tmp_path / "first").read_text()
    assert ended(ensuring(laptop, tmp_path / "second")) == 0
    steps = brought(tmp_path / "second")
    assert steps == sorted(steps)
    assert steps[-1] > 6_000_000
    assert any(1_500_000 < step < 6_000_000 for step in steps[:3]), steps
    assert loaded(lab) == [MODEL]
    # The list was read again at once: the next one has nothing to pull, whoever asks.
    laptop.shows(lambda state: MODEL in (state.server("empty").models or ()), 10, "the daemon knows the model")
    assert laptop.cli("url", "--model", NAME).stdout.strip() == lab.url("empty")
    done = laptop.cli("ensure", NAME)
    assert done.stdout.strip() == lab.url("empty")
    assert "pulling" not in done.stderr


@pytest.mark.usefixtures("registry")
def test_two_at_once_share_what_comes(laptop: Located, lab: Lab, tmp_path: Path) -> None:
    both = [(ensuring(laptop, log), log) for log in (tmp_path / "one", tmp_path / "two")]
    for process, log in both:
        assert ended(process) == 0, log.read_text()
        assert events(log)[-1]["event"] == "done"
    assert loaded(lab) == [MODEL]
