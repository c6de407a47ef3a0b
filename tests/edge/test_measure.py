"""A measured generation of servers that do it well, badly, or in bad faith; in this very loop."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from ollama_locate.core.generation import Miss, Unmeasured
from ollama_locate.core.inventory import Model
from ollama_locate.edge import measure, pull
from ollama_locate.edge.measure import Figures
from tests.standins.generator import LOAD, RATE, Generator
from tests.standins.ollama import Behaviour, answers, by_path, closes_at_once, http, serving
from tests.standins.puller import asked


async def measured(behaviour: Behaviour, model: str = "mistral:latest", context: int | None = None) -> Figures | Miss:
    async with serving(behaviour) as port, pull.client() as client:
        return await measure.measure(client, f"http://127.0.0.1:{port}", model, context, 1)


def bodies(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line)["body"] for line in log.read_text().splitlines()]


def test_a_cold_model_is_loaded_and_then_measured(tmp_path: Path) -> None:
    found = asyncio.run(measured(Generator(tmp_path / "log").serve))
    assert isinstance(found, Figures)
    # The server's clock and sleeps are real: what they took at least is what is known.
    assert found.load >= LOAD
    assert found.first_token >= 0.001
    assert 0 < found.rate <= RATE
    first, second = bodies(tmp_path / "log")
    assert (first["options"]["num_predict"], second["options"]["num_predict"]) == (4, 64)
    assert (
        {**second["options"], "num_predict": 4}
        == first["options"]
        == {
            "num_predict": 4,
            "temperature": 0,
            "seed": 1,
        }
    )
    assert first["prompt"] != second["prompt"], "what was read before need not be read again"
    assert "keep_alive" not in first


def test_a_loaded_one_is_asked_with_the_context_that_it_has(tmp_path: Path) -> None:
    found = asyncio.run(measured(Generator(tmp_path / "log", "mistral:latest!").serve, context=8192))
    assert isinstance(found, Figures)
    assert found.load == 0.0
    assert [body["options"]["num_ctx"] for body in bodies(tmp_path / "log")] == [8192, 8192]


@pytest.mark.parametrize(
    ("model", "why", "detail"),
    [
        ("embeds:1", Unmeasured.EMBEDS, ""),
        ("gone:1", Unmeasured.NOT_FOUND, ""),
        ("heavy:1", Unmeasured.FAILED, "model requires more system [2J memory"),
        ("page:1", Unmeasured.NOT_OLLAMA, "status 502"),
        ("moved:1", Unmeasured.NOT_OLLAMA, "status 302"),
        ("hangs:1", Unmeasured.STALLED, "s in all"),
        ("stalls:1", Unmeasured.STALLED, "s in all"),
        ("ends:1", Unmeasured.ENDED, ""),
        ("breaks:1", Unmeasured.ENDED, "peer closed connection"),
        ("errs:1", Unmeasured.FAILED, "an error was encountered while running the model: CUDA error"),
        ("speaks:1", Unmeasured.NOT_OLLAMA, "no line of an answer"),
        ("floods:1", Unmeasured.TOO_MUCH, ""),
        ("blank:1", Unmeasured.NOT_OLLAMA, "no line of an answer"),
        ("negative:1", Unmeasured.ABSURD, "eval_duration"),
        ("zero:1", Unmeasured.ABSURD, "eval_duration"),
        ("huge:1", Unmeasured.ABSURD, "eval_duration"),
        ("strings:1", Unmeasured.ABSURD, "eval_count"),
        ("silent-about:1", Unmeasured.NO_FIGURES, ""),
        ("short:1", Unmeasured.SHORT, "2 tokens"),
        ("displaced:1", Unmeasured.ABSURD, "load_duration"),
    ],
)
def test_what_is_no_figure_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, why: Unmeasured, detail: str
) -> None:
    if why is Unmeasured.STALLED:
        monkeypatch.setattr(measure, "BENCH_QUIET", 0.4)
        monkeypatch.setattr(measure, "LOAD_DEADLINE", 0.4)
    found = asyncio.run(measured(Generator(tmp_path / "log").serve, model))
    assert isinstance(found, Miss)
    assert found.why is why
    assert detail in found.detail
    assert "\x1b" not in found.text


def test_a_model_that_was_unloaded_in_between_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "BENCH_RELOADED", 0.0)
    found = asyncio.run(measured(Generator(tmp_path / "log").serve))
    assert found == Miss(Unmeasured.DISPLACED)


def test_the_whole_of_it_is_bounded_though_something_comes_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "BENCH_DEADLINE", 0.2)
    monkeypatch.setattr(measure, "LOAD_DEADLINE", 0.2)

    async def trickles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b"\n")
            await writer.drain()
            await asyncio.sleep(0.01)  # the slowness is what is tested

    found = asyncio.run(measured(trickles))
    assert isinstance(found, Miss)
    assert found.why is Unmeasured.STALLED


@pytest.mark.parametrize("behaviour", [closes_at_once, answers(b"SSH-2.0-x\r\n")])
def test_another_program(behaviour: Behaviour) -> None:
    found = asyncio.run(measured(behaviour))
    assert isinstance(found, Miss)
    assert found.why in (Unmeasured.ENDED, Unmeasured.LOST, Unmeasured.NOT_OLLAMA)


def test_nobody_is_there() -> None:
    async def asked() -> Figures | Miss:
        async with serving(closes_at_once) as port:
            pass
        async with pull.client() as client:
            return await measure.measure(client, f"http://127.0.0.1:{port}", "m:1", None, 1)

    found = asyncio.run(asked())
    assert isinstance(found, Miss)
    assert found.why is Unmeasured.LOST


GOOD = http("200 OK", b'{"models":[{"name":"m:1","context_length":9}]}')


@pytest.mark.parametrize(
    ("instead", "why", "detail"),
    [
        pytest.param({"tags": b""}, Unmeasured.LOST, "disconnected", id="no list"),
        pytest.param({"tags": http("404 No", b"")}, Unmeasured.NOT_OLLAMA, "status 404", id="no such path"),
        pytest.param({"tags": http("200 OK", b"<html>")}, Unmeasured.NOT_OLLAMA, "no list of models", id="a page"),
        pytest.param({"ps": b""}, Unmeasured.LOST, "disconnected", id="no list of what is loaded"),
        pytest.param({"ps": http("500 No", b"")}, Unmeasured.NOT_OLLAMA, "status 500", id="an error"),
    ],
)
def test_a_list_that_is_none(instead: dict[str, bytes], why: Unmeasured, detail: str) -> None:
    found = asyncio.run(had(by_path(**{"tags": GOOD, "ps": GOOD} | instead)))
    assert isinstance(found, Miss)
    assert found.why is why
    assert detail in found.detail


def test_a_list_and_what_is_loaded() -> None:
    assert asyncio.run(had(by_path(tags=GOOD, ps=GOOD))) == (Model("m:1", loaded=True, context=9),)


async def had(behaviour: Behaviour) -> tuple[Model, ...] | Miss:
    async with serving(behaviour) as port, pull.client() as client:
        return await measure.listing(client, f"http://127.0.0.1:{port}")


def test_who_is_stopped_hangs_up_and_the_server_need_not_go_on(tmp_path: Path) -> None:
    async def stopped() -> bool:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asked(reader, tmp_path / "log")
            begun.set()
            await reader.read()
            ended.set()
            writer.close()

        async with serving(stalls) as port, pull.client() as client:
            task = asyncio.create_task(measure.measure(client, f"http://127.0.0.1:{port}", "hangs:1", None, 1))
            await asyncio.wait_for(begun.wait(), 5)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.wait_for(ended.wait(), 5)
        return task.cancelled()

    assert asyncio.run(stopped())
