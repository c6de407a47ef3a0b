"""Network namespaces that carry this run's pid, and the programs in them; all of it ends with the run."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")
RUN_FOLDER = "ollama-locate-real-"


def until(condition: Callable[[], T], within: float, what: str, every: float = 0.02) -> T:
    """Return the condition's first true answer; after `within` seconds say what did not come."""
    end = time.monotonic() + within
    while not (answer := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {within:g} s: {what}; the last answer was {answer!r}")
        time.sleep(every)
    return answer


class Process:
    """A program in a process group of its own, so that it ends with all its children."""

    def __init__(self, command: list[str], log: Path, env: Mapping[str, str]) -> None:
        self.command = command
        self.log = log
        with log.open("ab") as out:
            self._popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, start_new_session=True
            )

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    @property
    def pid(self) -> int:
        return self._popen.pid

    def hang_up(self) -> None:
        """What a daemon takes for: read your config again."""
        self._popen.send_signal(signal.SIGHUP)

    def stop(self, patience: float = 5.0) -> int:
        """Ask the group to end, kill it when it does not; return the exit code."""
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(self._popen.pid, signal.SIGTERM)
            self._popen.wait(patience)
        return self.kill()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Let the group stand still; what it has open stays open, and the kernel goes on answering for it."""
        os.killpg(self._popen.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._popen.pid, signal.SIGCONT)

    def kill(self) -> int:
        """Kill the whole group at once; return the exit code."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        return self._popen.wait()


class Namespace:
    """One network namespace with its loopback up."""

    def __init__(self, label: str) -> None:
        self.name = f"ol{os.getpid()}-{label}"
        self._spawned: list[Process] = []
        _ip("netns", "add", self.name)
        self.exec("ip", "link", "set", "lo", "up")

    def wrap(self, command: tuple[str | Path, ...]) -> list[str]:
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def exec(
        self,
        *command: str | Path,
        env: Mapping[str, str] | None = None,
        within: float = 30,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; its output is in the answer, and in the error of a failure."""
        done = subprocess.run(
            self.wrap(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**os.environ, **(env or {})},
            timeout=within,
            check=False,
        )
        if check and done.returncode:
            said = (done.stderr + done.stdout).strip()
            raise RuntimeError(f"{self.name}: {' '.join(map(str, command))}: exit {done.returncode}: {said}")
        return done

    def spawn(self, *command: str | Path, log: Path, env: Mapping[str, str] | None = None) -> Process:
        """Start a program that lives on; it ends with the namespace at the latest."""
        process = Process(self.wrap(command), log, {**os.environ, **(env or {})})
        self._spawned.append(process)
        return process

    def end(self) -> None:
        """End what was started here, then the namespace; it is no error if something is gone already."""
        for process in self._spawned:
            process.kill()
        _remove(self.name)


def sweep() -> list[str]:
    """Remove what this run made, and runs that could not clean up (kill -9); return the names removed."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout
    left = [name for name in re.findall(r"^(ol\d+-\S+)", listed, re.MULTILINE) if _dead(name, "ol")]
    for name in left:
        _remove(name)
    for folder in Path(tempfile.gettempdir()).glob(f"{RUN_FOLDER}*"):
        if folder.stat().st_uid == os.getuid() and _dead(folder.name, RUN_FOLDER):
            shutil.rmtree(folder, ignore_errors=True)
            left.append(folder.name)
    return left


def _dead(name: str, prefix: str) -> bool:
    """Return if the run whose pid the name carries is over. Our own is: we sweep first and last."""
    found = re.match(rf"{prefix}(\d+)-", name)
    return found is not None and (int(found[1]) == os.getpid() or not _runs(found[1]))


def _runs(pid: str) -> bool:
    """Return if there is such a process; one that ended and that nobody waits for is none."""
    try:
        state = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def _remove(name: str) -> None:
    """End the processes inside, which only we can have started, and the namespace with its links."""

    def empty() -> bool:
        inside = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False)
        for pid in map(int, inside.stdout.split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not inside.stdout.split()

    until(empty, 10, f"the processes in {name} end")
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
