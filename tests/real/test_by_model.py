"""Which model is where, and which server is the best for it: two real Ollamas with different models."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.real.lab import MODEL
from tests.real.namespaces import until
from tests.real.ollama import PORT, REQUEST, Ollama, request
from tests.real.test_ensure import NAME, registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.real.lab import Lab
    from tests.real.located import Located

__all__ = ["registry"]
pytestmark = pytest.mark.real

MISTRAL = f"{MODEL}:latest"
ONLY_NAS = "only-nas:1b"


@pytest.fixture
def two(lab: Lab) -> Iterator[Lab]:
    """The nas has a model more, and nothing is loaded anywhere; at the end it is as before."""
    lab.ollamas["nas"].create(ONLY_NAS)
    for name in ("gpu", "nas"):
        load(lab, name, keep=0)
    yield lab
    delete = REQUEST.replace("data)", 'data, method="DELETE")')
    nas = lab.node("nas")
    nas.exec(
        sys.executable, "-I", "-c", delete, f"http://127.0.0.1:{PORT}/api/delete", json.dumps({"model": ONLY_NAS}), "5"
    )
    load(lab, "nas", keep=0)


def load(lab: Lab, name: str, *, keep: int | str = "10m") -> None:
    """Load its mistral, or unload it where `keep` is 0."""
    ollama = lab.ollamas[name]
    body = {"model": MODEL, "keep_alive": keep}
    assert request(ollama.node, f"http://{ollama.bind}:{PORT}/api/generate", body, within=60)
    until(lambda: (MISTRAL in loaded(ollama)) is bool(keep), 20, f"{name} has it as it should be")


def loaded(ollama: Ollama) -> list[str]:
    answer = request(ollama.node, f"http://{ollama.bind}:{PORT}/api/ps")
    assert answer
    return [model["name"] for model in json.loads(answer)["models"]]


def await_best(located: Located, model: str, url: str) -> None:
    until(lambda: located.best().get(model) == url, 10, f"{url} is the best for {model}")


def await_said(located: Located, sentence: str) -> None:
    until(lambda: sentence in located.cli("why", "--model", MODEL).stdout, 10, sentence)


def test_each_model_has_its_server_and_loaded_comes_first(located: Located, two: Lab) -> None:
    located.configure(prefer="[]")
    located.start()
    located.shows(lambda state: ONLY_NAS in (state.server("nas").models or ()), 20, "the list of the nas")
    until(lambda: located.best().get(ONLY_NAS) == two.url("nas"), 10, "its own model")
    # Both are equally near: whoever is the best one stays it, until the other one has the model loaded.
    for other in ("nas", "gpu"):
        first = "gpu" if other == "nas" else "nas"
        load(two, first, keep=0)
        load(two, other)
        await_best(located, MISTRAL, two.url(other))
        assert located.cli("--model", MODEL).stdout.strip() == two.url(other)
        await_said(located, f"({other}): it has the model loaded.")
        assert f"{first}\tcold" in located.cli("why", "--model", MODEL).stdout


def test_what_the_models_can_do_is_known(located: Located, two: Lab) -> None:
    located.writes(two.url("gpu"), located.start(), 10)
    until(lambda: ONLY_NAS in located.cli("models").stdout, 20, "all models")
    until(lambda: located.cli("--can", "completion", check=False).returncode == 0, 20, "what they can do")
    done = located.cli("--can", "vision", check=False)
    assert (done.returncode, done.stdout) == (4, "")
    rows = json.loads(located.cli("models", "--json").stdout)["servers"]
    nas = next(one for one in rows if one["name"] == "nas")
    model = next(one for one in nas["models"] if one["name"] == ONLY_NAS)
    assert (model["can"], model["window"], model["parameters"], len(model["digest"])) == (
        ["completion"],
        512,
        "82K",
        12,
    )


def test_a_required_model_and_an_alias(located: Located, two: Lab) -> None:
    located.configure(models=f'{{require = ["big"], alias = {{big = ["nope:70b", "{ONLY_NAS}"]}}}}')
    located.writes(two.url("nas"), located.start(), 20)
    until(lambda: located.best().get("big") == two.url("nas"), 10, "the alias")
    assert located.cli("--model", "big", "--print", "model").stdout.strip() == ONLY_NAS


@pytest.fixture
def small_disk(lab: Lab, tmp_path: Path) -> Iterator[str]:
    """The URL of an Ollama on the machine without a model whose folder has room for 3 MB."""
    folder, node = tmp_path / "small", lab.node("empty")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=True)
    env = {"HOME": str(tmp_path), "OLLAMA_HOST": f"{node.ip}:{PORT + 1}", "OLLAMA_MODELS": str(folder)}
    process = node.spawn(lab.tailnet.programs / "ollama", "serve", log=tmp_path / "ollama.log", env=env)
    url = f"http://{node.ip}:{PORT + 1}"
    until(lambda: request(node, f"{url}/api/version"), 30, "it answers")
    yield url
    process.kill()
    subprocess.run(["umount", folder], check=True)


@pytest.mark.usefixtures("registry")
def test_a_disk_that_is_full_is_said_and_nothing_is_printed(located: Located, lab: Lab, small_disk: str) -> None:
    located.configure(ports=f"[{PORT}, {PORT + 1}]")
    located.writes(lab.url("gpu"), located.start(), 10)
    located.shows(lambda state: any(f":{PORT + 1}" in one.name for one in state.servers), 10, "the second port")
    until(lambda: small_disk in located.cli("status").stdout, 10, "the second Ollama")
    done = located.cli("ensure", NAME, "--on", small_disk, "--insecure", "--json", check=False)
    assert (done.returncode, json.loads(done.stdout.splitlines()[-1])["code"]) == (1, "no_space"), done.stdout
    assert "its disk is full" in done.stderr
