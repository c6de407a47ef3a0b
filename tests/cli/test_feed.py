"""`ollama-locate feed`: printed, and kept true in a file."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from ollama_locate.core.feed import Format
from ollama_locate.core.feeds import FIRST, make
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.edge.lock import Lock
from tests.cli.command import Command
from tests.snapshots import alive, publish, snapshot
from tests.standins.tailscale import node

PROGRAM = "import sys; from ollama_locate.main import main; sys.exit(main())"
PATIENCE = 15.0
ONE = snapshot({"n2:11434": alive(0.01, "m:1")}, node("gpu", 2), pid=os.getpid())
TWO = snapshot(
    {"n2:11434": alive(0.01, "m:1"), "n3:11434": alive(0.02, "m:1")}, node("gpu", 2), node("nas", 3), pid=os.getpid()
)
NAMELESS = replace(ONE, servers=tuple(replace(one, url="http://a b:1") for one in ONE.servers))


@pytest.mark.parametrize("kind", list(Format))
def test_it_is_printed(run: Command, kind: Format) -> None:
    run.publish(TWO)
    assert run("feed", kind.value) == (0, make(kind, TWO).data.decode(), "")


def test_who_is_left_out_is_said(run: Command) -> None:
    run.publish(NAMELESS)
    code, out, err = run("feed", "prometheus")
    assert (code, out) == (4, FIRST[Format.PROMETHEUS] + "]\n")
    assert "ollama-locate: gpu is left out: its address cannot be written (http://a b:1)\n" in err
    assert err.endswith("ollama-locate: no server is in it; `ollama-locate why` says more\n")


def test_there_is_no_such_format(run: Command) -> None:
    code, _, err = run("feed", "nginx")
    assert (code, "invalid choice: 'nginx'" in err) == (2, True)


# --- kept true


class Watch:
    """The command as a process; what it says on stderr."""

    def __init__(self, folder: Path, kind: str, file: Path) -> None:
        self.said = folder / "said"
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, "feed", kind, "--watch", str(file)], stderr=said, stdout=said
            )

    def until(self, ready: Callable[[], object], what: str) -> None:
        ends = time.monotonic() + PATIENCE
        while not ready():
            assert time.monotonic() < ends, f"never: {what}: {self.said.read_text()}"
            time.sleep(0.02)  # the pause of a poll

    def until_said(self, text: str) -> None:
        self.until(lambda: text in self.said.read_text(), text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[[str, Path], Watch]]:
    made: list[Watch] = []

    def make(kind: str, file: Path) -> Watch:
        made.append(Watch(tmp_path, kind, file))
        return made[-1]

    yield make
    for one in made:
        one.process.kill()
        one.process.wait()


@contextlib.contextmanager
def living(folder: Path, what: Snapshot) -> Iterator[None]:
    """A daemon's folder, with its lock held: by this process."""
    state = publish(folder, what)
    lock = Lock(state)
    try:
        yield
    finally:
        lock.release()
        state.close()


def test_a_file_follows_and_is_written_when_it_would_be_another_one(
    folder: Path, tmp_path: Path, watch: Callable[[str, Path], Watch]
) -> None:
    file = tmp_path / "ollama.cfg"
    with living(folder, ONE):
        one = watch("haproxy", file)
        one.until(lambda: file.exists() and file.read_bytes() == make(Format.HAPROXY, ONE).data, "the first")
        inode = file.stat().st_ino
        publish(folder, replace(ONE, round=99)).close()
        publish(folder, replace(TWO, round=100)).close()
        one.until(lambda: file.read_bytes() == make(Format.HAPROXY, TWO).data, "the second")
        assert file.stat().st_ino != inode
        one.until(lambda: one.said.read_text().count("is written") == 2, "it says so")
        one.process.send_signal(signal.SIGINT)
        assert one.process.wait(PATIENCE) == 130
    assert file.read_bytes() == make(Format.HAPROXY, TWO).data, "it stays"


def test_what_is_wrong_is_said_once_and_mended(
    folder: Path, tmp_path: Path, watch: Callable[[str, Path], Watch]
) -> None:
    (tmp_path / "etc").mkdir()
    file = tmp_path / "etc/ollama.yaml"
    with living(folder, ONE):
        one = watch("litellm", file)
        one.until(file.exists, "it is written")
        file.unlink()
        file.symlink_to("/etc/passwd")
        publish(folder, TWO).close()
        sentence = f"ollama-locate: feed litellm: {file} is a symbolic link; move it away, or choose another path\n"
        one.until_said(sentence)
        publish(folder, replace(TWO, round=99)).close()
        file.unlink()
        one.until(lambda: file.exists() and file.read_bytes() == make(Format.LITELLM, TWO).data, "it is mended")
        assert one.said.read_text().count(sentence) == 1
    one.until_said("no daemon runs")
    assert file.exists()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(Path.mkdir, "feed prometheus: {} is a folder; move it away, or", id="a folder"),
        pytest.param(
            lambda file: file.write_text("[]"),
            "feed prometheus: {} is another program's; move it away, or choose another path",
            id="another's",
        ),
        pytest.param(
            lambda file: file.parent.rmdir(),
            "feed prometheus: cannot use the folder {0.parent}: No such",
            id="no folder",
        ),
    ],
)
def test_a_file_that_cannot_be_written_at_all_ends_it(
    folder: Path, tmp_path: Path, run: Command, spoil: Callable[[Path], object], says: str
) -> None:
    file = tmp_path / "d/targets.json"
    file.parent.mkdir()
    spoil(file)
    with living(folder, ONE):
        code, out, err = run("feed", "prometheus", "--watch", str(file))
    assert (code, out) == (1, "")
    assert f"ollama-locate: {says.format(file)}" in err
