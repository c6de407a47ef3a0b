"""`models --bench`, on real servers that generate, hang and lie."""

import csv
import io
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ollama_locate.edge import measure
from ollama_locate.edge.files import StateFolder
from ollama_locate.edge.lock import Lock
from ollama_locate.edge.requests import Request, receive
from ollama_locate.edge.speeds import NAME, read_speeds
from tests.cli.command import Command
from tests.cli.generating import MISTRAL, PROGRAM, Servers, on_terminal
from tests.snapshots import snapshot
from tests.standins.generator import DIGEST, RATE, Generator
from tests.standins.tailscale import raw


def test_what_is_loaded_is_measured_shown_and_kept(run: Command, servers: Servers) -> None:
    servers.put(gpu=(f"{MISTRAL}!", "cold:1"))
    code, out, err = run("models", "--bench", "--yes")
    assert code == 0
    name, model, rate, first, load, when = out.rstrip("\n").split("\t")
    assert (name, model, load) == ("gpu", MISTRAL, "-")
    assert when.endswith(" s ago")
    assert rate.endswith(" tok/s")
    assert first.endswith("s")
    assert err.splitlines() == [
        "mistral:latest on gpu: 2 generations, about 7 s; others who use these servers wait meanwhile",
        "gpu: measuring mistral:latest",
        f"gpu: mistral:latest makes {rate} (1 of 1)",
    ]
    assert servers.asked("gpu") == [MISTRAL] * 2
    (kept,) = read_speeds(servers.state)
    assert (kept.server, kept.model, kept.digest) == ("static:gpu", MISTRAL, DIGEST[:12])
    assert 0 < kept.rate <= RATE


def test_those_that_are_named_and_what_is_missed(run: Command, servers: Servers) -> None:
    servers.put(gpu=("cold:1", "embeds:1", "big:cloud", "remote:1", "zero:1"), nas=("cold:1",))
    code, out, err = run(
        "models", "--bench", "cold:1,embeds:1", "big:cloud", "remote:1", "zero:*", "nope", "--yes", "--json"
    )
    found = json.loads(out)
    assert (code, found["schema"]) == (0, 1)
    assert [(one["server"], one["model"], one["outdated"]) for one in found["speeds"]] == [
        ("gpu", "cold:1", False),
        ("nas", "cold:1", False),
    ]
    assert all(one["load_s"] >= 0.1 and one["tokens_per_s"] > 0 for one in found["speeds"])
    assert sorted((one["model"], one["code"]) for one in found["missed"]) == [
        ("big:cloud", "cloud"),
        ("embeds:1", "embeds"),
        ("remote:1", "cloud"),
        ("zero:1", "absurd"),
    ]
    assert "no server that answers has nope:latest" in err
    assert "gpu: big:cloud: it runs at ollama.com: " in err
    assert "cold:1, embeds:1 and zero:1 on gpu and nas: 8 generations" in err
    assert "4 models are loaded for it" in err
    assert {"big:cloud", "remote:1"}.isdisjoint(servers.asked("gpu"))


@pytest.mark.parametrize(
    ("words", "models"),
    [
        pytest.param((), ["cold:1", "cold:1", MISTRAL, MISTRAL], id="what is loaded, and what is required"),
        pytest.param(("small",), ["cold:1", "cold:1"], id="what an alias stands for"),
    ],
)
def test_what_the_config_says_of_models(
    run: Command, servers: Servers, words: tuple[str, ...], models: list[str]
) -> None:
    config = '[models]\nrequire = ["small"]\nalias = { small = ["cold:1", "nope"] }'
    servers.put(config, gpu=(f"{MISTRAL}!", "cold:1", "other:1"))
    assert run("models", "--bench", *words, "--yes")[0] == 0
    assert sorted(servers.asked("gpu")) == models


class Closes(Generator):
    """It ended since the daemon has looked."""

    async def serve(self, *streams: Any) -> None:
        """Nothing."""


def test_a_server_that_does_not_answer_any_more(run: Command, servers: Servers) -> None:
    servers.kind = Closes
    servers.put(gpu=(f"{MISTRAL}!",))
    code, out, err = run("models", "--bench", "--yes")
    assert (code, out) == (1, "")
    assert err.startswith("gpu: the server cannot be reached (")
    assert "no server answers now" in err


def test_a_row_for_each_in_csv(run: Command, servers: Servers) -> None:
    servers.put(gpu=(f"{MISTRAL}!",), nas=("cold:1",))
    code, out, _ = run("models", "--bench", "*", "--yes", "--csv")
    gpu, nas = csv.DictReader(io.StringIO(out))
    assert code == 0
    assert list(gpu) == ["server", "model", "digest", "measured_at", "first_token_s", "tokens_per_s", "load_s"]
    assert (gpu["server"], gpu["model"], gpu["digest"], gpu["load_s"]) == ("gpu", MISTRAL, DIGEST[:12], "")
    assert float(nas["load_s"]) >= 0.1
    assert run("models", "--speeds", "--csv")[1] == out


def test_nobody_is_there_to_ask(run: Command, servers: Servers) -> None:
    servers.put(gpu=(f"{MISTRAL}!",))
    code, out, err = run("models", "--bench")
    assert (code, out) == (1, "")
    assert "nobody is there to ask" in err
    assert servers.asked("gpu") == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(("--bench",), "no model is loaded now; name those to measure", id="nothing is loaded"),
        pytest.param(("--bench", "big:cloud"), "no server that answers has big:cloud", id="nobody lists that one"),
        pytest.param(("--bench", "nope"), "no server that answers has nope:latest", id="nobody has it"),
        pytest.param(("--bench", "*", "--on", "nobody"), "nobody is called `nobody`", id="no such server"),
        pytest.param(("--speeds",), "nothing is measured yet", id="no figure"),
    ],
)
def test_what_there_is_nothing_to_do_for(run: Command, servers: Servers, words: tuple[str, ...], sentence: str) -> None:
    servers.put(gpu=(MISTRAL,))
    code, out, err = run("models", *words)
    assert (code, out) == (1, "")
    assert sentence in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param(("--csv",), "--csv is for figures", id="a list as CSV"),
        pytest.param(("--advise", "--csv"), "--csv is for figures", id="advice as CSV"),
        pytest.param(("--yes",), "belong to --bench", id="yes to what"),
        pytest.param(("--on", "nas"), "belong to --bench", id="on what"),
        pytest.param(("--bench", ""), "it names no model", id="an empty name is not all of them"),
    ],
)
def test_words_that_do_not_belong_together(run: Command, words: tuple[str, ...], sentence: str) -> None:
    code, out, err = run("models", *words)
    assert (code, out, sentence in err) == (2, "", True), err


def test_what_runs_elsewhere_is_not_in_the_plan(run: Command, servers: Servers) -> None:
    servers.put(gpu=("big:cloud",))
    code, out, err = run("models", "--bench", "big:cloud", "--yes", "--json")
    assert (code, err) == (1, "gpu: big:cloud: it runs at ollama.com: what it is told leaves the tailnet\n")
    assert [(one["model"], one["code"]) for one in json.loads(out)["missed"]] == [("big:cloud", "cloud")]


def test_on_one_server_alone(run: Command, servers: Servers) -> None:
    servers.put(gpu=(MISTRAL,), nas=(MISTRAL,))
    assert run("models", "--bench", "mistral", "--on", "nas", "--yes")[0] == 0
    assert (servers.asked("gpu"), servers.asked("nas")) == ([], [MISTRAL] * 2)


def test_no_server_answers(run: Command) -> None:
    run.publish(snapshot({}, raw=raw()))
    for words in (("--bench", "--yes"), ("--advise",)):
        code, out, err = run("models", *words)
        assert (code, out) == (1, "")
        assert "no server answers" in err


def test_on_a_server_that_does_not_answer(run: Command) -> None:
    code, _, err = run("models", "--bench", "*", "--on", "pi")
    assert code == 1
    assert "pi does not answer now: " in err


class Loses(Generator):
    """Once it has generated, the other models are gone."""

    async def generate(self, body: dict[str, Any], *streams: Any) -> None:
        self.models = [body["model"]]
        await super().generate(body, *streams)


def test_a_model_that_is_gone_when_its_turn_comes(run: Command, servers: Servers) -> None:
    servers.kind = Loses
    servers.put(gpu=(f"{MISTRAL}!", "second:1!"))
    code, _, err = run("models", "--bench", "--yes")
    assert code == 0
    assert "gpu: second:1: the server says that it is not there (2 of 2)" in err


def test_one_that_hangs_does_not_hold_up_another_server(
    run: Command, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "LOAD_DEADLINE", 1.5)
    servers.put(gpu=("hangs:1",), nas=(MISTRAL,))
    code, _, err = run("models", "--bench", "*", "--yes")
    assert code == 0
    assert err.index("nas: mistral:latest makes") < err.index("gpu: hangs:1: nothing came any more")


def test_nothing_could_be_measured(run: Command, servers: Servers) -> None:
    servers.put(gpu=("heavy:1!",))
    code, out, err = run("models", "--bench", "--yes")
    assert (code, out) == (1, "")
    assert "gpu: heavy:1: the server could not do it (model requires more system [2J memory) (1 of 1)" in err


def test_figures_that_cannot_be_read_stop_it_before_anything_is_asked(run: Command, servers: Servers) -> None:
    servers.put(gpu=(f"{MISTRAL}!",))
    (servers.state / NAME).write_text("{")
    code, out, err = run("models", "--bench", "--yes")
    assert (code, out) == (1, "")
    assert f"{NAME}: it cannot be read" in err
    assert len(err.splitlines()) == 1
    assert servers.asked("gpu") == []
    assert (servers.state / NAME).read_text() == "{"
    code, out, err = run("models")
    assert (code, out) == (0, "mistral:latest\t4.0 GB\t7.2B Q4_0\t?\tgpu (loaded)\n")
    assert "it cannot be read" in err


class Spoils(Generator):
    """While it generates, somebody breaks the file."""

    file = Path()

    async def generate(self, *request: Any) -> None:
        self.file.write_text("{")
        await super().generate(*request)


def test_what_cannot_be_kept_is_shown_and_said(run: Command, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spoils, "file", servers.state / NAME)
    servers.kind = Spoils
    servers.put(gpu=(f"{MISTRAL}!", "second:1!"))
    code, out, err = run("models", "--bench", "--yes")
    assert code == 1
    assert out.startswith(f"gpu\t{MISTRAL}\t")
    assert "it cannot be read" in err.splitlines()[-1]
    assert servers.asked("gpu") == [MISTRAL] * 2
    assert (servers.state / NAME).read_text() == "{"


def test_the_daemon_is_told(run: Command, servers: Servers) -> None:
    servers.put(gpu=(f"{MISTRAL}!",))
    folder = StateFolder(servers.state)
    lock = Lock(folder)
    woken: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _frame: woken.append(number))
    try:
        assert run("models", "--bench", "--yes")[0] == 0
    finally:
        signal.signal(signal.SIGUSR1, before)
        lock.release()
    assert woken == [signal.SIGUSR1]
    assert receive(folder) == ({Request("refresh")}, 0)


def test_ctrl_c_keeps_what_was_measured(servers: Servers) -> None:
    servers.put(gpu=(f"{MISTRAL}!", "zz-hangs:1"))  # by name: this one comes last
    running = subprocess.Popen(
        [*PROGRAM, "models", "--bench", "*", "--yes", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr
    for line in running.stderr:
        if "loading zz-hangs:1" in line:
            break
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=10)
    assert running.returncode == 130
    assert [one["model"] for one in json.loads(out)["speeds"]] == [MISTRAL]
    assert err == "stopped; what was measured is kept\n"
    assert [one.model for one in read_speeds(servers.state)] == [MISTRAL]


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"\n", 1)])
def test_on_a_terminal_it_is_asked(servers: Servers, answer: bytes, code: int) -> None:
    servers.put(gpu=(f"{MISTRAL}!",))
    ended, shown = on_terminal("models", "--bench", answer=answer)
    assert ended == code
    assert "Measure them? [y/N]" in shown
    assert servers.asked("gpu") == ([] if code else [MISTRAL] * 2)
    assert ("nothing was measured" in shown) is bool(code)
