"""`models --bench`, `--speeds` and `--advise`, on real servers that generate, hang and lie."""

import csv
import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ollama_locate.core.speed import Speed
from ollama_locate.edge import measure
from ollama_locate.edge.files import StateFolder
from ollama_locate.edge.lock import Lock
from ollama_locate.edge.requests import Request, receive
from ollama_locate.edge.speeds import NAME, keep_speeds, read_speeds
from tests.checks.machine import Machine
from tests.cli.command import Command
from tests.snapshots import alive, snapshot
from tests.standins.generator import DIGEST, RATE, Generator
from tests.standins.tailscale import raw

PROGRAM = [sys.executable, "-c", "import sys; from ollama_locate.main import main; sys.exit(main())"]
MISTRAL = "mistral:latest"


class Servers:
    """Those that are published, by their names; `servers["gpu"]` is the stand-in."""

    def __init__(self, run: Command, tmp_path: Path) -> None:
        self._run, self._tmp = run, tmp_path
        # Its own servers' thread, and nothing else of it.
        (tmp_path / "machine").mkdir()
        self.machine = Machine(tmp_path / "machine")
        self._made: dict[str, Generator] = {}
        self.state = tmp_path / "state"

    def __getitem__(self, name: str) -> Generator:
        return self._made[name]

    def put(self, **models: tuple[str, ...]) -> None:
        """Serve these models, and publish the servers."""
        urls = {}
        for name, those in models.items():
            self._made[name] = Generator(self._tmp / f"{name}.log", *those)
            urls[name] = f"http://127.0.0.1:{self.machine.serve(self._made[name].serve)}"
        static = "".join(f'{name} = "{url}"\n' for name, url in urls.items())
        config = f'local = "off"\nprefer = {json.dumps(list(urls))}\n[static]\n{static}'
        path = self._tmp / "config/ollama-locate/config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(config)
        probes = {f"static:{name}": alive(0.01, *self[name].models) for name in urls}
        self._run.publish(snapshot(probes, raw=raw(), config=config))

    def asked(self, name: str) -> list[str]:
        """The models that this server was to generate with."""
        log = self._tmp / f"{name}.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [one["body"]["model"] for one in map(json.loads, lines) if one["path"] == "/api/generate"]


@pytest.fixture
def servers(run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = Servers(run, tmp_path)
    yield made
    made.machine.close()


def test_what_is_loaded_is_measured_shown_and_kept(run: Command, servers: Servers) -> None:
    servers.put(gpu=(f"{MISTRAL}!", "cold:1"))
    code, out, err = run("models", "--bench", "--yes")
    assert code == 0
    name, model, rate, first, load, when = out.rstrip("\n").split("\t")
    assert (name, model, load, when) == ("gpu", MISTRAL, "-", "0 s ago")
    assert rate.endswith(" tok/s")
    assert first.endswith("s")
    assert err.splitlines() == [
        "2 generations on 1 server, about 7 s; others who use these servers wait meanwhile",
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
    assert "12 generations on 2 servers" in err
    assert "6 models are loaded for it" in err
    assert {"big:cloud", "remote:1"}.isdisjoint(servers.asked("gpu"))


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
        pytest.param(("--bench", "nope"), "no server that answers has nope:latest", id="nobody has it"),
        pytest.param(("--bench", "*", "--on", "nobody"), "nobody is called `nobody`", id="no such server"),
        pytest.param(("--csv",), "--csv is for figures", id="a list as CSV"),
        pytest.param(("--advise", "--csv"), "--csv is for figures", id="advice as CSV"),
        pytest.param(("--yes",), "belong to --bench", id="yes to what"),
        pytest.param(("--speeds",), "nothing is measured yet", id="no figure"),
    ],
)
def test_what_there_is_nothing_to_do_for(run: Command, servers: Servers, words: tuple[str, ...], sentence: str) -> None:
    servers.put(gpu=(MISTRAL,))
    code, out, err = run("models", *words)
    assert (code, out) == (1, "")
    assert sentence in err


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
    assert (code, out) == (0, "mistral:latest\t4.0 GB\t7.2B Q4_0\tgpu (loaded)\n")
    assert "it cannot be read" in err


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


def test_figures_stand_with_the_models_until_the_model_is_another_one(run: Command, servers: Servers) -> None:
    servers.put(gpu=(f"{MISTRAL}!",), nas=(MISTRAL,))
    keep_speeds(servers.state, [Speed("static:gpu", MISTRAL, DIGEST[:12], 1.0, 0.2, 42.4, 3.0)])
    keep_speeds(servers.state, [Speed("static:nas", MISTRAL, DIGEST[:12], 1.0, 0.2, 7.25)])
    assert run("models")[1] == "mistral:latest\t4.0 GB\t7.2B Q4_0\tgpu (loaded, 42 tok/s), nas (7.2 tok/s)\n"
    listed = json.loads(run("models", "--json")[1])["servers"]
    assert [one["models"][0]["tokens_per_s"] for one in listed] == [42.4, 7.25]
    servers["nas"].digest = "f" * 64
    assert run("models")[1] == "mistral:latest\t4.0 GB\t7.2B Q4_0\tgpu (loaded, 42 tok/s), nas\n"
    assert json.loads(run("models", "--json")[1])["servers"][1]["models"][0]["tokens_per_s"] is None
    rows = [one.split("\t") for one in run("models", "--speeds")[1].splitlines()]
    assert [(row[0], row[2], row[4], row[5] == "outdated") for row in rows] == [
        ("gpu", "42 tok/s", "3.0 s", False),
        ("nas", "7.2 tok/s", "-", True),
    ]
    assert [one["outdated"] for one in json.loads(run("models", "--speeds", "--json")[1])["speeds"]] == [False, True]


def test_advice(run: Command, servers: Servers) -> None:
    servers.put(gpu=(f"{MISTRAL}!",), nas=(MISTRAL,))
    keep_speeds(servers.state, [Speed("static:nas", MISTRAL, DIGEST[:12], 1.0, 0.2, 7.25)])
    code, out, _ = run("models", "--advise")
    assert code == 0
    assert out.startswith("The largest size that runs well is 3B, on gpu: it fits the card.\n")
    assert "gpu\tfits its card\tnot known\tnot known\tnot known\n" in out
    assert "nas\tabout 16 tok/s\t7.2 tok/s\tabout 3.7 tok/s if it fits\tabout 3.7 tok/s if it fits\n" in out
    assert "gpu: what is loaded lies wholly in its card, 4.0 GB: the card has at least that" in out
    assert "- 7B, 4.2 GB: the balance over a tailnet: mistral, neural-chat\n" in out
    assert "how much memory a card has" in out
    found = json.loads(run("models", "--advise", "--json")[1])
    assert (found["schema"], found["start"]) == (1, out.splitlines()[0])
    gpu, nas = found["servers"]
    assert gpu["card"] == {"holds": 4_000_000_000, "full": False, "seen": True}
    assert [one["grade"] for one in gpu["sizes"]] == ["well", "unknown", "unknown", "unknown"]
    assert [(one["grade"], one["basis"]) for one in nas["sizes"][:2]] == [
        ("readable", "estimated"),
        ("readable", "measured"),
    ]
    assert nas["sizes"][1]["model"] == MISTRAL


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


def on_terminal(*words: str, answer: bytes = b"") -> tuple[int, str]:
    """The exit code, and what a terminal of 80 columns got to show."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment: dict[str, Any] = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    running = subprocess.Popen([*PROGRAM, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    os.write(ours, answer)
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    return running.wait(10), re.sub(r"\x1b\[[0-9;]*m", "", shown.decode().replace("\r", ""))


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"\n", 1)])
def test_on_a_terminal_it_is_asked(servers: Servers, answer: bytes, code: int) -> None:
    servers.put(gpu=(f"{MISTRAL}!",))
    ended, shown = on_terminal("models", "--bench", answer=answer)
    assert ended == code
    assert "Measure them? [y/N]" in shown
    assert servers.asked("gpu") == ([] if code else [MISTRAL] * 2)
    assert ("nothing was measured" in shown) is bool(code)


def test_on_a_terminal_there_are_bars_that_need_no_colour(servers: Servers) -> None:
    servers.put(gpu=(f"{MISTRAL}!",), nas=(MISTRAL,))
    keep_speeds(servers.state, [Speed("static:gpu", MISTRAL, DIGEST[:12], 1.0, 0.2, 42.4, 3.0)])
    keep_speeds(servers.state, [Speed("static:nas", MISTRAL, DIGEST[:12], 1.0, 0.2, 10.6)])
    code, shown = on_terminal("models", "--speeds")
    lines = shown.splitlines()
    assert code == 0
    assert lines[0].split() == ["SERVER", "MODEL", "RATE", "FIRST", "TOKEN", "LOAD", "MEASURED"]
    assert max(map(len, lines)) <= 80
    gpu, nas = lines[-2:]
    assert gpu.startswith("gpu  mistral:latest  ████")
    assert nas.endswith(" 11 tok/s")
    assert gpu.count("█") == pytest.approx(4 * nas.count("█"), abs=4)
