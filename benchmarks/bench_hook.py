"""Row: what the hook costs at a prompt where nothing has changed, in each shell that is here.

CPU time, user and system, children included, of a shell that calls it many times, less that of the same shell that
does not. What others that work on the same machine take does not count.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.daemon import surroundings
from benchmarks.process import timed
from benchmarks.row import Row, Spread, ratio, skipped
from ollama_locate.core.hook import QUOTE, hook
from ollama_locate.core.shell import dotenv
from ollama_locate.edge.templates import templates

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 7
CALLS = 4000
FORKING_CALLS = 60
REACH_US = 60.0
VARIABLES = {"OLLAMA_ENDPOINT": "http://100.64.0.2:11434"}


@dataclass(frozen=True, slots=True)
class Shell:
    """How it calls something `{n}` times, and what its competitors are there."""

    name: str
    command: tuple[str, ...]
    loop: str
    empty: str
    cat: str
    direnv: str = ""
    judged: bool = True


SHELLS = (
    Shell(
        name="bash",
        command=("bash", "--norc", "--noprofile"),
        loop="for ((i = 0; i < {n}; i++)); do {call}; done",
        empty="nothing() {{ :; }}",
        cat="x=$(cat @)",
        direnv='eval "$(direnv export bash)"',
    ),
    Shell(
        name="zsh",
        command=("zsh", "-f"),
        loop="repeat {n} {{ {call} }}",
        empty="nothing() {{ : }}",
        cat="x=$(cat @)",
        direnv='eval "$(direnv export zsh)"',
    ),
    Shell(
        name="fish",
        command=("fish", "--no-config"),
        loop="for i in (seq {n}); {call}; end",
        empty="function nothing; end",
        cat="set x (cat @)",
        direnv="direnv export fish | source",
    ),
    Shell(
        name="nu",
        command=("nu", "-n", "--no-std-lib"),
        loop="for i in 1..{n} {{ {call} }}",
        empty="def nothing [] {{ }}",
        cat="let x = (^cat @)",
        judged=False,
    ),
)


def run() -> Iterator[Row]:
    for shell in SHELLS:
        if shutil.which(shell.command[0]) is None:
            yield skipped(f"the hook in {shell.name}", f"{shell.command[0]} is not here")
            continue
        with tempfile.TemporaryDirectory(prefix=f"olb-{os.getpid()}-") as folder:
            yield measure(shell, Path(folder))


def measure(shell: Shell, folder: Path) -> Row:
    file = folder / "env"
    file.write_text(dotenv(VARIABLES))
    env = surroundings(folder, folder) | {"PATH": os.environ["PATH"]}
    prepared = hook(shell.name, str(file), templates()) + shell.empty.format() + "\n"
    calls = {
        "__ollama_locate_hook": CALLS,
        "nothing": 10 * CALLS,
        shell.cat.replace("@", QUOTE[shell.name](str(file))): 0,
    }
    if shell.direnv and shutil.which("direnv"):
        calls[shell.direnv] = 0
    spent: dict[str, list[float]] = {call: [] for call in calls}
    for turn in range(ROUNDS):
        for place in range(len(calls)):
            call = list(calls)[(turn + place) % len(calls)]
            spent[call].append(microseconds(shell, folder, prepared, call, calls[call] or FORKING_CALLS, env))
    ours, empty, *forks = spent.values()
    found, names = Spread.of(ours), ("`$(cat file)`", "`direnv export`")
    return Row(
        what=f"the hook in {shell.name}, nothing changed, a prompt",
        ours=found.text("µs", 0),
        against=", ".join(
            f"{name} {Spread.of(figures).text('µs', 0)}"
            for name, figures in zip(("an empty function", *names), (empty, *forks), strict=False)
        ),
        ratio=", ".join(ratio(ours, figures).text("", 3 if figures is not empty else 1) for figures in (empty, *forks)),
        reach=f"≤ {REACH_US:.0f} µs" if shell.judged else "stated",
        reached=found.median <= REACH_US if shell.judged else None,
        remark=f"CPU time; {ROUNDS} rounds of {CALLS} calls, of {FORKING_CALLS} of what starts a process",
    )


def microseconds(shell: Shell, folder: Path, prepared: str, call: str, count: int, env: dict[str, str]) -> float:
    """CPU of one call: of a run with all of them, less that of one without any."""
    cpu = []
    for number in (0, count):
        script = folder / "script"
        loop = shell.loop.format(n=number, call=call) if number else ""
        script.write_text(f"{prepared}{loop}\n")
        done = timed([*shell.command, script], env)
        if done.status or done.output:
            raise RuntimeError(f"{shell.name} ended with {done.status}: {done.output[:200]!r}")
        cpu.append(done.cpu_s)
    return 1e6 * (cpu[1] - cpu[0]) / count
