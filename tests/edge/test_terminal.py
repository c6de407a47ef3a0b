"""The terminal that takes nothing, or is no more: the program behind it is never held up."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE = 10.0

# `f` floods the terminal, `d` draws one line, `q` ends; each key that was done is noted in a file.
PROGRAM = """
import sys
from pathlib import Path
from ollama_locate.edge import terminal
if "blocking" in sys.argv:
    terminal.os.ttyname = lambda fd: "/nowhere"
with terminal.Terminal() as screen, Path(sys.argv[1]).open("w", buffering=1) as diary:
    diary.write("ready\\n")
    while True:
        heard = screen.wait(0.05)
        for key in heard.keys.decode():
            if key == "f":
                screen.draw(["x" * 200] * 5000)
            elif key == "d":
                screen.draw(["the end"])
            diary.write(f"{key}\\n")
            if key == "q":
                sys.exit()
        if heard.end is not None:
            diary.write(f"end {heard.end}\\n")
            break
"""


class Behind:
    """The program; `diary` is what it has done."""

    def __init__(self, file: Path, *words: str) -> None:
        self._file = file
        self.ours, theirs = pty.openpty()
        # In the session of the test: nobody sends it SIGHUP when the terminal goes.
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(file), *words], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE
        )
        os.close(theirs)
        self.until("ready")

    def type(self, key: str) -> None:
        os.write(self.ours, key.encode())
        self.until(key)

    def until(self, what: str) -> None:
        ends = time.monotonic() + PATIENCE
        while not self._file.exists() or what not in self._file.read_text().split("\n"):
            assert time.monotonic() < ends, f"never: {what}"
            time.sleep(0.005)  # the pause of a poll

    def read_until(self, what: bytes) -> bytes:
        found = b""
        ends = time.monotonic() + PATIENCE
        while what not in found:
            assert time.monotonic() < ends, f"never: {what!r}"
            if select.select([self.ours], [], [], 0.1)[0]:
                found += os.read(self.ours, 65536)
        return found


@contextlib.contextmanager
def behind(file: Path, *words: str) -> Iterator[Behind]:
    one = Behind(file, *words)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.communicate()
        if one.ours >= 0:
            os.close(one.ours)


def test_while_nothing_is_taken_the_newest_picture_waits(tmp_path: Path) -> None:
    with behind(tmp_path / "diary") as one:
        one.type("f")  # 1 MB: more than any terminal holds
        one.type("d")
        found = one.read_until(b"the end")
        assert found.count(b"\x1b[2K" + b"x" * 200) == 5000, "what was begun is sent whole"
        one.type("q")
        assert one.process.wait(PATIENCE) == 0


def test_a_terminal_that_takes_nothing_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    with behind(tmp_path / "diary") as one:
        one.type("f")
        one.type("q")
        assert one.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("flooded", [True, False], ids=["while it is written to", "while it is quiet"])
def test_a_terminal_that_is_no_more_is_an_end(tmp_path: Path, *, flooded: bool) -> None:
    with behind(tmp_path / "diary") as one:
        if flooded:
            one.type("f")
        os.close(one.ours)
        one.ours = -1
        one.until(f"end {signal.SIGHUP.value}")
        assert one.process.wait(PATIENCE) == 0
        assert one.process.stderr is not None
        assert one.process.stderr.read() == b""


def test_one_that_cannot_be_opened_again_is_used_as_it_is(tmp_path: Path) -> None:
    with behind(tmp_path / "diary", "blocking") as one:
        one.type("d")
        one.read_until(b"the end")
        one.type("q")
        assert one.process.wait(PATIENCE) == 0
