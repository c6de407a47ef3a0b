"""Starting, timing and ending processes, and what /proc says about them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parent.parent
# No run of another program may take longer; curl's slowest, of 1,000 peers, takes 4 s.
LONGEST_S = 60.0


@dataclass(frozen=True, slots=True)
class Finished:
    """One run to its end: wall clock and CPU (user and system, children too) in seconds."""

    wall_s: float
    cpu_s: float
    status: int
    output: str


def timed(words: Sequence[str | Path], env: Mapping[str, str] | None = None, *, keep: bool = True) -> Finished:
    """Runs to the end. Output goes to a file: a pipe would make the program wait for its reader.

    `keep=False` drops the output and the guard against a program that does not end, each a part of a
    millisecond, for programs that take ten.
    """
    with tempfile.TemporaryFile() as output:
        sink = output if keep else subprocess.DEVNULL
        began = time.perf_counter()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=env, cwd=ROOT)
        guard = threading.Timer(LONGEST_S, process.kill)
        try:
            if keep:
                guard.start()
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            guard.cancel()
            end(process)
        output.seek(0)
        text = output.read().decode(errors="replace")
    return Finished(wall, usage.ru_utime + usage.ru_stime, process.returncode, text)


@contextlib.contextmanager
def started(words: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until the block ends."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet, env=env, cwd=ROOT)
    try:
        yield process
    finally:
        end(process)


@contextlib.contextmanager
def script(words: Sequence[str | Path]) -> Iterator[subprocess.Popen[str]]:
    """A process of our own that says `ready` and ends when its standard input does, that is: when we do."""
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdin
    assert process.stdout
    try:
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"{words[2]} did not start")
        yield process
    finally:
        process.stdin.close()
        end(process)


def helper(module: str, *words: str) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    """The same, of a module of the benchmarks."""
    return script([sys.executable, "-m", f"benchmarks.{module}", *words])


def end(process: subprocess.Popen[str] | subprocess.Popen[bytes], signal_number: int = signal.SIGTERM) -> None:
    """Ends a process we started: asked first, then made to."""
    if process.poll() is None:
        process.send_signal(signal_number)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()


def cpu_seconds(pid: int) -> float:
    """CPU of all threads, without children; by the nanosecond, where `stat` counts ticks of 10 ms."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def children_cpu_seconds(pid: int) -> float:
    """CPU of the children that have ended, in ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """In MiB. PSS shares common pages between the processes that map them; USS is what only this one has."""

    pss: float
    uss: float


def memory(pid: int) -> Memory:
    found: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value, *_ = line.split()
        found[name.rstrip(":")] = int(value)
    return Memory(found["Pss"] / 1024, (found["Private_Clean"] + found["Private_Dirty"]) / 1024)
