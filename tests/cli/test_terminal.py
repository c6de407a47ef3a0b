"""On a real terminal: tables, colours, folded lines; and what happens to a reader that goes away."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from ollama_locate.cli import show
from ollama_locate.core.history import Switch
from ollama_locate.core.inventory import Model
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.speed import Speed
from ollama_locate.edge.history import History
from ollama_locate.edge.speeds import keep_speeds
from tests.snapshots import GPU, NAS, alive, gone, publish, snapshot
from tests.standins.tailscale import node

PROGRAM = "import sys; from ollama_locate.main import main; sys.exit(main())"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peers = (node("gpu[red]", 2), node("nas", 3), node("pi", 4), node("bob", 5, UserID=2))
    probes = {"n2:11434": alive(0.01, "m:1"), "n3:11434": alive(0.02, "m:1"), "n4:11434": gone(Outcome.REFUSED)}
    publish(tmp_path / "state", snapshot(probes, *peers)).close()
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR")


def on_terminal(*words: str, width: int = 100, code: int = 0) -> str:
    """What a terminal of this width gets to show, until the program ends with this code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        stdout=theirs,
        stderr=theirs,
        stdin=theirs,
        env={name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            chunk = b""
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    assert process.wait(10) == code
    return shown.decode().replace("\r\n", "\n")


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_table_with_colours_that_lines_up() -> None:
    out = on_terminal("status")
    assert "\x1b[1;32mchosen" in out
    rows = plain(out).splitlines()
    header = next(row for row in rows if row.startswith("SERVER"))
    chosen = next(row for row in rows if row.startswith("gpu[red]"))
    assert header.index("STANDING") == chosen.index("chosen")
    assert header.index("ENDPOINT") == chosen.index("http://")
    assert rows[0].startswith("endpoint  http://")


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;32m" not in on_terminal("status")


def test_long_sentences_are_folded_at_the_edge() -> None:
    rows = plain(on_terminal("why", "pi", width=60)).splitlines()
    assert any("tailscale serve --bg" in row or "serve --bg" in row for row in rows)
    assert max(map(len, rows)) <= 60


LONG = "hf.co/somebody/a-model-with-a-long-name:q4_k_m"


@pytest.mark.parametrize(
    ("words", "row"),
    [
        pytest.param(("models",), f"{LONG} ? ? ? nas-box", id="the list, with a long name"),
        pytest.param(("models",), "mistral:latest 4.4 GB", id="the list"),
        pytest.param(("models", "--speeds"), "gpu mistral:latest", id="figures"),
    ],
)
def test_in_a_narrow_window_no_name_of_a_model_is_broken(tmp_path: Path, words: tuple[str, ...], row: str) -> None:
    known = Model("mistral:latest", "d" * 12, 4_400_000_000, "7.2B", "Q4_K_M", ("completion", "tools", "vision"))
    probes = {"n2:11434": alive(0.01, "mistral:latest"), "n3:11434": alive(0.02, "mistral:latest")}
    stocks = {"n2:11434": (known,), "n3:11434": (known, Model(LONG))}
    publish(tmp_path / "state", snapshot(probes, node("gpu", 2), node("nas-box", 3), stocks=stocks)).close()
    keep_speeds(tmp_path / "state", (Speed("n2:11434", "mistral:latest", "d" * 12, time.time() - 70, 0.31, 42.0),))
    rows = [" ".join(one.split()) for one in plain(on_terminal(*words, width=60)).splitlines()]
    assert any(one.startswith(row) for one in rows), rows


@pytest.mark.parametrize("width", [60, 80])
def test_in_a_narrow_window_each_switch_has_lines_of_its_own(tmp_path: Path, width: int) -> None:
    text = "gpu is silent: off, asleep, or kept away by the tailnet's ACL"
    moved = Switch(time.time(), "gpu", GPU, "workstation", NAS, "fresh", "only", text, 4.3)
    History(tmp_path / "state").write([replace(moved, left="", alive_ago=None), moved], [])
    rows = plain(on_terminal("history", width=width)).splitlines()
    assert max(map(len, rows)) <= width
    assert rows[0].endswith("  (start) -> workstation, fresh")
    assert "  gpu -> workstation, fresh (alive 4.3 s" in " ".join(rows)
    assert text in " ".join(" ".join(rows).split())
    wide = plain(on_terminal("history", width=120)).splitlines()
    assert wide[0].startswith("WHEN ")


def test_why_has_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_ENDPOINT", "http://mine")
    out = plain(on_terminal("why"))
    assert "that wins here" in " ".join(out.split())
    assert "\nLeft alone:\n" in out


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -c "{PROGRAM}" why | true; exit 0'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s"), (4, "4 s"), (59, "59 s"), (90, "2 min"), (3000, "50 min"), (9000, "2 h"), (200_000, "2 days")],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert show.ago(seconds) == text
