"""Commands that do as they should, and others: none outlives its time, and none leaves anything behind."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ollama_locate.core.constants import STDERR_MAX_BYTES
from ollama_locate.edge import command
from ollama_locate.edge.command import Order, Said, TooMuchError, run

from .test_tailscale import until_dead

PATH = {"PATH": "/usr/bin:/bin"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "KILL_GRACE", 0.1)


def sh(body: str, seconds: float = 5.0, limit: int = 10_000, stop: threading.Event | None = None) -> Said:
    return run(Order(["sh", "-c", body], PATH, seconds, limit), stop or threading.Event())


def test_it_says_what_the_command_said() -> None:
    assert sh("echo out; echo err >&2; exit 3") == Said(3, b"out\n", b"err\n", whole=True)
    assert sh("kill -9 $$").code == -9


def test_it_gets_its_environment_no_input_and_no_shell(tmp_path: Path) -> None:
    said = run(Order(["env"], {**PATH, "A": "$(touch pwned)"}, 5.0, 10_000), threading.Event())
    assert b"A=$(touch pwned)\n" in said.out
    assert sh("cat").out == b""
    said = run(Order(["echo", f"$(touch {tmp_path}/pwned); *"], PATH, 5.0, 10_000), threading.Event())
    assert said.out.decode() == f"$(touch {tmp_path}/pwned); *\n"
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("words", [["no-such-command"], ["/"], ["/etc/passwd"]], ids=["missing", "a folder", "a text"])
def test_what_cannot_be_started_is_an_os_error(words: list[str]) -> None:
    with pytest.raises(OSError, match=r"No such file|denied"):
        run(Order(words, PATH, 5.0, 100), threading.Event())


def test_of_a_long_stderr_the_beginning_is_kept() -> None:
    assert len(sh("head -c 50000 /dev/zero >&2", limit=60_000).err) <= STDERR_MAX_BYTES


@pytest.mark.parametrize("body", ["exec cat /dev/zero", "exec cat /dev/zero >&2"], ids=["stdout", "stderr"])
def test_a_flood_ends_it(body: str) -> None:
    with pytest.raises(TooMuchError):
        sh(body)


def wait(stop: threading.Event) -> None:
    """Nobody stops it."""


@pytest.mark.parametrize(
    ("body", "seconds", "what"),
    [
        pytest.param("echo $$ > {pids}; sleep 60", 0.3, wait, id="it does not end"),
        pytest.param("trap '' TERM; echo $$ > {pids}; while :; do sleep 0.1; done", 0.3, wait, id="it ignores SIGTERM"),
        pytest.param("sleep 60 & echo $! > {pids}; sleep 60", 0.3, wait, id="nor does its child"),
        pytest.param("exec >&- 2>&-; echo $$ > {pids}; sleep 60", 0.3, wait, id="it closed its output and goes on"),
        pytest.param(
            "echo $$ > {pids}; sleep 60", 60, lambda stop: threading.Timer(0.3, stop.set).start(), id="it is stopped"
        ),
    ],
)
def test_its_end_is_the_end_of_all_of_it(
    tmp_path: Path, body: str, seconds: float, what: Callable[[threading.Event], None]
) -> None:
    stop, pids = threading.Event(), tmp_path / "pids"
    what(stop)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        sh(body.format(pids=pids), seconds, stop=stop)
    assert time.monotonic() - started < 3
    until_dead(int(pids.read_text()))


def test_a_child_that_keeps_the_output_is_not_waited_for(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    started = time.monotonic()
    said = sh(f"sleep 60 & echo $! > {pids}; echo done; exit 0", 30.0)
    assert said == Said(0, b"done\n", b"", whole=False)
    assert time.monotonic() - started < 3
    until_dead(int(pids.read_text()))
