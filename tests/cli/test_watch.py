"""`ollama-locate watch` as a process: on a real terminal, and in a pipe."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ollama_locate.core.outcome import Outcome
from ollama_locate.edge.files import StateFolder
from ollama_locate.edge.history import History
from ollama_locate.edge.lock import Lock
from tests.cli.test_history import SAMPLES, SWITCHES
from tests.snapshots import GPU, NAS, alive, gone, publish, snapshot
from tests.standins.tailscale import node

PROGRAM = "import sys; from ollama_locate.main import main; sys.exit(main())"
PATIENCE = 15.0
PEERS = (node("gpu", 2), node("nas", 3))
WELL = {"n2:11434": alive(0.01, "m:1"), "n3:11434": alive(0.2, "m:1")}
ILL = WELL | {"n2:11434": gone(Outcome.REFUSED)}
ENTERS, LEAVES = b"\x1b[?1049h", b"\x1b[?1049l"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "state"


@contextlib.contextmanager
def living(folder: Path) -> Iterator[StateFolder]:
    """A daemon's folder, with its lock held: by this process."""
    state = publish(folder, snapshot(WELL, *PEERS, pid=os.getpid()))
    lock = Lock(state)
    try:
        yield state
    finally:
        lock.release()
        state.close()


class Screen:
    """The command on a terminal; `rows` is what stands on it now."""

    def __init__(self, columns: int = 100, lines: int = 24, program: str = PROGRAM) -> None:
        self._ours, self._theirs = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self._theirs)
        self.written = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, "watch"],
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no thread runs here
        )

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def until(self, ready: Callable[[], object], what: str) -> None:
        ends = time.monotonic() + PATIENCE
        while not ready():
            assert time.monotonic() < ends, f"never: {what}: {self.rows()} {self.written[-300:]!r}"
            self.read(0.05)

    def until_shown(self, text: str) -> None:
        self.until(lambda: text in " ".join(" ".join(self.rows()).split()), text)  # it may be folded

    def read(self, seconds: float) -> None:
        while select.select([self._ours], [], [], seconds)[0]:
            seconds = 0.0
            try:
                self.written += os.read(self._ours, 65536)
            except OSError:  # Linux's way to say that the other end is closed
                return

    def rows(self) -> list[str]:
        """Each line is sent to its place: what was sent there last stands there."""
        found: dict[int, str] = {}
        last = self.written.rpartition(b"\x1b[2J")[2].decode(errors="replace")
        for row, text in re.findall(r"\x1b\[(\d+);1H\x1b\[2K((?:\x1b\[[\d;]*m|[^\x1b])*)", last):
            found[int(row)] = re.sub(r"\x1b\[[\d;]*m", "", text)
        return [found.get(row, "") for row in range(1, max(found, default=0) + 1)]

    def ended(self) -> int:
        """The exit code; by then the terminal is as it was."""
        ends = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < ends, "it has not ended"
            self.read(0.02)
        self.read(0.0)
        assert self.written.count(ENTERS) == self.written.count(LEAVES)
        assert self.written.rfind(b"\x1b[?25h") > self.written.rfind(b"\x1b[?25l")
        assert termios.tcgetattr(self._theirs) == self.before
        return self.process.returncode

    def hang_up(self) -> None:
        os.close(self._theirs)
        os.close(self._ours)
        self._ours = self._theirs = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for fd in (self._ours, self._theirs):
            if fd >= 0:
                os.close(fd)


@pytest.fixture
def screen() -> Iterator[Callable[..., Screen]]:
    made: list[Screen] = []

    def make(*words: Any) -> Screen:
        made.append(Screen(*words))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_it_shows_what_is_and_follows_what_changes(folder: Path, screen: Callable[..., Screen]) -> None:
    with living(folder):
        assert History(folder).write(SWITCHES, SAMPLES) is None
        watch = screen()
        watch.until_shown(GPU)
        watch.until_shown("gpu → nas, fresh: gpu refuses: no Ollama there")
        publish(folder, snapshot(ILL, *PEERS)).close()
        watch.until_shown(f"endpoint is {NAS}")
        assert watch.rows()[1] == NAS
        assert "gpu: refuses" in "\n".join(watch.rows())
        watch.type(b"x")
        watch.type(b"q")
        assert watch.ended() == 0


def test_it_follows_the_size(folder: Path, screen: Callable[..., Screen]) -> None:
    with living(folder):
        watch = screen(150, 30)
        watch.until_shown("ENDPOINT")
        watch.resize(40, 10)
        watch.until(lambda: len(watch.rows()) > 4 and max(map(len, watch.rows())) <= 40, "a narrow picture")
        assert len(watch.rows()) <= 10
        watch.resize(0, 0)
        watch.until(lambda: max(map(len, watch.rows())) == 80, "a size that is not said is 80 columns")
        watch.type(b"Q")
        assert watch.ended() == 0


@pytest.mark.parametrize("colours", [True, False], ids=["colours", "NO_COLOR"])
def test_it_has_colours_unless_they_are_unwanted(
    folder: Path, screen: Callable[..., Screen], monkeypatch: pytest.MonkeyPatch, *, colours: bool
) -> None:
    monkeypatch.delenv("NO_COLOR")
    if not colours:
        monkeypatch.setenv("NO_COLOR", "1")
    with living(folder):
        watch = screen()
        watch.until_shown("chosen")
        assert (b"\x1b[1;32mchosen" in watch.written) is colours
        watch.type(b"q")
        assert watch.ended() == 0


@pytest.mark.parametrize(
    ("keys", "number", "code"),
    [
        pytest.param(b"\x03", None, 130, id="ctrl-C"),
        pytest.param(b"", signal.SIGTERM, 143, id="SIGTERM"),
        pytest.param(b"", signal.SIGHUP, 129, id="SIGHUP"),
    ],
)
def test_the_terminal_is_given_back(
    folder: Path, screen: Callable[..., Screen], keys: bytes, number: signal.Signals | None, code: int
) -> None:
    with living(folder):
        watch = screen()
        watch.until_shown(GPU)
        watch.type(keys) if keys else watch.process.send_signal(number or 0)
        assert watch.ended() == code


def test_a_mistake_of_its_own_gives_the_terminal_back_before_it_is_shown(
    folder: Path, screen: Callable[..., Screen]
) -> None:
    with living(folder):
        watch = screen(100, 24, f"import ollama_locate.cli.screen as s; s.draw = lambda *_: 1 / 0; {PROGRAM}")
        assert watch.ended() == 1
        assert watch.written.find(LEAVES) < watch.written.find(b"ZeroDivisionError")


def test_a_folder_that_is_moved_away_is_a_sentence(folder: Path, screen: Callable[..., Screen]) -> None:
    with living(folder):
        watch = screen()
        watch.until_shown(GPU)
        folder.rename(folder.with_name("away"))
        watch.until_shown("no daemon runs")
        watch.type(b"q")
        assert watch.ended() == 0


def test_ctrl_z_gives_the_shell_its_screen(folder: Path, screen: Callable[..., Screen]) -> None:
    with living(folder):
        watch = screen()
        watch.until_shown(GPU)
        watch.type(b"\x1a")
        watch.until(lambda: watch.written.count(LEAVES) == 1, "the screen is given back")
        assert os.waitpid(watch.process.pid, os.WUNTRACED)[0] == watch.process.pid
        os.kill(watch.process.pid, signal.SIGCONT)
        watch.until(lambda: watch.written.count(ENTERS) == 2, "it takes the screen again")
        watch.until_shown(GPU)
        watch.type(b"q")
        assert watch.ended() == 0


def test_a_terminal_that_was_stopped_holds_nothing_up(folder: Path, screen: Callable[..., Screen]) -> None:
    with living(folder):
        watch = screen()
        watch.until_shown(GPU)
        watch.type(b"\x13")  # ctrl-S
        publish(folder, snapshot(ILL, *PEERS)).close()
        watch.type(b"q")
        ends = time.monotonic() + PATIENCE
        while watch.process.poll() is None:
            assert time.monotonic() < ends, "q does nothing"
            time.sleep(0.01)  # the pause of a poll
        assert watch.process.returncode == 0
        assert termios.tcgetattr(watch._theirs)[3] == watch.before[3]


def test_without_keys_signals_end_it(folder: Path) -> None:
    """Its input is no terminal: nothing can be typed, and nothing about it is changed."""
    with living(folder):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, "watch"], stdin=subprocess.DEVNULL, stdout=theirs)
        try:
            assert select.select([ours], [], [], PATIENCE)[0], "nothing is shown"
            process.terminate()
            assert process.wait(PATIENCE) == 143
            assert LEAVES in os.read(ours, 65536)
        finally:
            process.kill()
            process.wait()
            os.close(ours)
            os.close(theirs)


def test_a_terminal_that_is_gone_ends_it(folder: Path, screen: Callable[..., Screen]) -> None:
    with living(folder):
        watch = screen()
        watch.until_shown(GPU)
        watch.hang_up()
        assert watch.process.wait(PATIENCE) in (129, -signal.SIGHUP)


def test_without_a_daemon_it_waits_for_one(folder: Path, screen: Callable[..., Screen]) -> None:
    watch = screen()
    watch.until_shown("no daemon runs. Start one: ollama-located")
    with living(folder) as state:
        watch.until_shown(GPU)
        watch.until_shown(f"the daemon (pid {os.getpid()}) reports")
        os.utime(state.path / "verdict", (time.time() - 300,) * 2)
        watch.until_shown(f"the daemon (pid {os.getpid()}) has not reported for 5 min")
        state.path.chmod(0o777)
        publish_anyway(state.path)
        watch.until_shown("others can write")
        state.path.chmod(0o700)
        (state.path / "state.json").write_text('{"schema": 99}')
        watch.until_shown("it has schema 99")
    watch.type(b"q")
    assert watch.ended() == 0


def publish_anyway(folder: Path) -> None:
    (folder / "state.json").write_bytes((folder / "state.json").read_bytes())


# --- in a pipe


@contextlib.contextmanager
def piped(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "watch", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], PATIENCE)[0], "no line came"
    return process.stdout.readline().decode().rstrip("\n")


def test_in_a_pipe_the_first_line_is_what_is_and_then_each_event(folder: Path) -> None:
    with living(folder), piped() as process:
        assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d endpoint is {GPU} \(gpu, .*", line(process))
        publish(folder, snapshot(ILL, *PEERS)).close()
        assert f"endpoint is {NAS}" in line(process)


def test_as_json_each_line_has_a_snapshot(folder: Path) -> None:
    with living(folder), piped("--json") as process:
        first: dict[str, Any] = json.loads(line(process))
        assert (first["schema"], first["trouble"], first["pid"]) == (1, "", os.getpid())
        assert first["snapshot"]["decision"]["endpoint"] == GPU
        publish(folder, snapshot(WELL, *PEERS, refreshes=1)).close()
        same = json.loads(line(process))
        assert (same["events"], same["snapshot"]["refreshes"]) == ([], 1)
        publish(folder, snapshot(ILL, *PEERS)).close()
        assert json.loads(line(process))["events"][0].startswith(f"endpoint is {NAS}")


def test_in_a_pipe_without_a_daemon_that_is_the_first_line(folder: Path) -> None:
    with piped() as process:
        assert "no daemon runs" in line(process)
        with living(folder):
            assert "reports" in line(process) + line(process)


def test_when_its_reader_goes_it_goes_though_nothing_happens(folder: Path) -> None:
    with living(folder), piped() as process:
        line(process)
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
