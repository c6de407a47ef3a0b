"""A shell on a terminal, as a person has it: lines are typed, prompts are waited for."""

import contextlib
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .shells import PROMPT, READY, Shell

PATIENCE: Final = 20.0
ANSWERS: Final = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?62;c", b"\x1b[0c": b"\x1b[?62;c"}
"""What a terminal says when it is asked where its cursor is, and what it is."""


class Terminal:
    """`shown` is all that the shell has written so far."""

    def __init__(self, shell: Shell, folder: Path, environment: dict[str, str], *lines: str) -> None:
        """Start it in `folder`; `lines` are its start-up file."""
        self.shell, self.folder = shell, folder
        self.shown = b""
        self._count = 0
        self._nested = False
        self._rc = folder / (".zshrc" if shell.kind == "zsh" else "rc")
        half = len(READY) // 2
        self._rc.write_text("\n".join([shell.prompt, *lines, shell.say(READY[:half], READY[half:])]) + "\n")
        (folder / "none").touch()
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 500, 0, 0))
        self._process = subprocess.Popen(
            self.command(),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=surroundings(folder) | {"TERM": "dumb" if shell.kind in ("bash", "zsh") else "xterm"} | environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no thread runs here
        )
        os.close(theirs)
        self._answered = dict.fromkeys(ANSWERS, 0)

    def begin(self) -> None:
        """Wait for the first prompt."""
        self._wait_for_prompt(READY.encode())

    def command(self) -> list[str]:
        """What starts it, with this start-up file."""
        return self.shell.start(shutil.which(self.shell.program) or self.shell.program, self._rc)

    def type(self, line: str) -> str:
        """Type a line, and wait until it is done and a prompt stands; returns what was shown meanwhile."""
        self._count += 1
        before = len(self.shown)
        end = f"{self._count}."
        # In two words, so that what is echoed is not what is waited for.
        self.send(f"{line}; {self.shell.say('done', end)}" if line else self.shell.say("done", end))
        self._wait_for_prompt(f"done{end}".encode(), before)
        return self.shown[before:].decode(errors="replace")

    def do(self, line: str) -> None:
        """The same, where what it shows does not matter."""
        self.type(line)

    def leave(self, status: int) -> None:
        """Run a command that ends with this status, and nothing after it in its line."""
        before = len(self.shown)
        self._count += 1
        half, rest = "le", f"ft{self._count}."
        self.send(f"sh -c 'printf %s%s {half} {rest}; exit {status}'")
        self._wait_for_prompt(f"{half}{rest}".encode(), before)

    def nest(self) -> None:
        """Start the same shell in this one, with the same start-up file."""
        before = len(self.shown)
        self._nested = True
        prefix = "^" if self.shell.kind == "nu" else ""
        self.send(prefix + " ".join(self.shell.quote(word) for word in self.command()))
        self._wait_for_prompt(READY.encode(), before)

    def environment(self) -> dict[str, str]:
        """What a command that is typed now gets."""
        file = self.folder / f"environment {self._count}"
        self.type(f"{self.shell.dump} {self.shell.quote(str(file))}")
        items = file.read_bytes().decode(errors="surrogateescape").split("\0")
        return dict(item.split("=", 1) for item in items if "=" in item)

    def send(self, line: str) -> None:
        """Type a line, and wait for nothing."""
        os.write(self._ours, line.encode() + b"\r")

    def _wait_for_prompt(self, after: bytes, since: int = 0) -> None:
        ends = time.monotonic() + PATIENCE
        while True:
            place = self.shown.find(after, since)
            if place >= 0 and self.shown.find(PROMPT.encode(), place) >= 0:
                return
            ready, _, _ = select.select([self._ours], [], [], max(0.0, ends - time.monotonic()))
            if not ready:
                raise AssertionError(f"{self.shell.name} has shown no prompt after {after!r}: {self.shown[since:]!r}")
            try:
                chunk = os.read(self._ours, 65536)
            except OSError:  # Linux's way to say that the other end is closed
                raise AssertionError(f"{self.shell.name} has ended: {self.shown[since:]!r}") from None
            self.shown += chunk
            for question, answer in ANSWERS.items():
                asked = self.shown.count(question)
                os.write(self._ours, answer * (asked - self._answered[question]))
                self._answered[question] = asked

    def close(self) -> None:
        """End the whole session: a shell started in this one has a process group of its own, and may not hang up."""
        for pid in [self._process.pid, *(_in_session(self._process.pid) if self._nested else [])]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._ours)


def _in_session(leader: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "-s", str(leader)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in listed.stdout.split()]


def surroundings(folder: Path) -> dict[str, str]:
    """An environment without anything of the person who runs the tests."""
    names = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "ZDOTDIR": str(folder), "LC_ALL": "C.UTF-8"} | {
        name: str(folder / name) for name in names
    }


@contextlib.contextmanager
def terminal(shell: Shell, folder: Path, environment: dict[str, str], *lines: str) -> Iterator[Terminal]:
    """One that is closed on any exit."""
    found = Terminal(shell, folder, environment, *lines)
    try:
        found.begin()
        yield found
    finally:
        found.close()
