"""Which model is where, asked of real servers on loopback."""

import argparse
import json
import os
import pty
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ollama_locate.cli import models
from ollama_locate.core.outcome import Outcome
from tests.checks.machine import Machine
from tests.snapshots import alive, gone, publish, snapshot
from tests.standins.ollama import Behaviour, by_path, closes_at_once, http, says_nothing
from tests.standins.tailscale import node
from tests.standins.wire import EmbeddedWire, Far

KB = 1000


def listing(*rows: dict[str, object]) -> bytes:
    return http("200 OK", json.dumps({"models": rows}).encode())


def stocked(tags: bytes, ps: bytes = listing()) -> Behaviour:
    return by_path(tags=tags, ps=ps)


GPU = stocked(
    listing(
        {"name": "mistral:latest", "size": 4_400_000 * KB, "details": {"parameter_size": "7B"}},
        {"name": "big:cloud", "remote_host": "https://ollama.com"},
    ),
    listing({"name": "mistral:latest", "size": 100, "size_vram": 60}),
)
NAS = stocked(listing({"name": "mistral:latest", "size": 4_400_000 * KB}, {"name": "tiny:latest", "size": 337 * KB}))


class Tailnet:
    """What a daemon has published of it, and who really answers."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self._folder, self._machine = folder, machine
        self._table: dict[str, Far] = {}
        self.publish()

    def publish(self, *, up: bool = True) -> None:
        one = alive(0.01, "mistral:latest") if up else gone(Outcome.SILENT)
        what = snapshot({"n2:11434": one, "n3:11434": one}, node("gpu", 2), node("nas", 3))
        publish(self._folder, what).close()

    def far(self, number: int, behaviour: Behaviour | None) -> None:
        port = None if behaviour is None else self._machine.serve(behaviour)
        self._table[f"100.64.0.{number}"] = Far(port)

    def models(self, *, as_json: bool = False) -> int:
        asked = argparse.Namespace(json=as_json, speeds=False, advise=False)
        return models.run(asked, EmbeddedWire(self._table))


@pytest.fixture
def tailnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tailnet]:
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(tmp_path / "state"))
    machine = Machine(tmp_path)
    yield Tailnet(tmp_path / "state", machine)
    machine.close()


def test_a_row_for_each_model_with_who_has_it(tailnet: Tailnet, capsys: pytest.CaptureFixture[str]) -> None:
    tailnet.far(2, GPU)
    tailnet.far(3, NAS)
    assert tailnet.models() == 0
    assert capsys.readouterr() == (
        "big:cloud\t-\tcloud\tgpu\nmistral:latest\t4.4 GB\t7B\tgpu (loaded 60%), nas\ntiny:latest\t337.0 kB\t-\tnas\n",
        "",
    )


def test_on_a_wide_terminal_each_server_has_a_column(tailnet: Tailnet, monkeypatch: pytest.MonkeyPatch) -> None:
    tailnet.far(2, GPU)
    tailnet.far(3, NAS)
    master, slave = pty.openpty()
    monkeypatch.setenv("COLUMNS", "100")
    with os.fdopen(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        assert tailnet.models() == 0
        terminal.flush()
        shown = os.read(master, 10_000).decode()
    os.close(master)
    head, _, mistral, tiny = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert head.split() == ["MODEL", "SIZE", "KIND", "gpu", "nas"]
    assert mistral.split() == ["mistral:latest", "4.4", "GB", "7B", "loaded", "60%", "yes"]
    assert tiny.split() == ["tiny:latest", "337.0", "kB", "-", "-", "yes"]


def test_json(tailnet: Tailnet, capsys: pytest.CaptureFixture[str]) -> None:
    tailnet.far(2, GPU)
    tailnet.far(3, None)
    assert tailnet.models(as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    gpu, nas = found["servers"]
    assert (found["schema"], gpu["name"], gpu["url"]) == (1, "gpu", "http://100.64.0.2:11434")
    assert [one["name"] for one in gpu["models"]] == ["big:cloud", "mistral:latest"]
    assert (gpu["models"][1]["loaded"], gpu["models"][1]["vram"]) == (True, 60)
    assert (nas["models"], nas["trouble"]) == ([], "does not answer")


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        pytest.param(None, "does not answer", id="refuses"),
        pytest.param(closes_at_once, "does not answer", id="closes"),
        pytest.param(says_nothing, "no answer within 0.3 s", id="says nothing"),
        pytest.param(stocked(http("404 Not Found", b"")), "does not answer", id="no list"),
        pytest.param(stocked(http("200 OK", b"<html>")), "its list of models cannot be read", id="another list"),
    ],
)
def test_whoever_does_not_say_is_named_and_the_others_are_shown(
    tailnet: Tailnet,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    behaviour: Behaviour | None,
    sentence: str,
) -> None:
    monkeypatch.setattr("ollama_locate.edge.inventory.INVENTORY_PATIENCE", 0.3)
    tailnet.far(2, behaviour)
    tailnet.far(3, NAS)
    assert tailnet.models() == 0
    out, err = capsys.readouterr()
    assert "tiny:latest" in out
    assert err == f"gpu: {sentence}\n"


def test_nobody_answers(tailnet: Tailnet, capsys: pytest.CaptureFixture[str]) -> None:
    tailnet.publish(up=False)
    assert tailnet.models() == 1
    assert "no server answers" in capsys.readouterr().err
    assert tailnet.models(as_json=True) == 1


def test_no_models_at_all(tailnet: Tailnet, capsys: pytest.CaptureFixture[str]) -> None:
    tailnet.far(2, stocked(listing()))
    tailnet.far(3, stocked(listing()))
    assert tailnet.models() == 0
    assert "`ollama pull mistral`" in capsys.readouterr().out
