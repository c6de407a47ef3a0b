"""Row: `ollama-locate` on a shell's way to its prompt, against a Python that does nothing."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.daemon import surroundings
from benchmarks.install import pip_version, programs
from benchmarks.process import timed
from benchmarks.row import Row, Spread

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 20
STARTS = 26
REACH = 1.10
URL = "http://100.64.0.2:11434"


def publish(state: Path) -> None:
    """What a daemon that lives leaves behind."""
    state.mkdir(0o700, exist_ok=True)
    for name, content in {"endpoint": f"{URL}\n", "verdict": "fresh\n"}.items():
        (state / name).write_text(content)
        (state / name).chmod(0o600)


def run() -> Iterator[Row]:
    bin_ = programs()
    ours, theirs = [str(bin_ / "ollama-locate")], [str(bin_ / "python"), "-c", "pass"]
    with tempfile.TemporaryDirectory(prefix=f"olb-{os.getpid()}-") as folder:
        state = Path(folder) / "state"
        publish(state)
        env = surroundings(Path(folder), state)
        said = timed(ours, env)
        if (said.status, said.output) != (0, f"{URL}\n"):
            raise RuntimeError(f"ollama-locate answered {said.status} {said.output!r}")
        rounds: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            os.utime(state / "verdict")
            rounds.append(pairs(ours, theirs, env))
    found = Spread.of(mine / other for mine, other in rounds)
    yield Row(
        what="`ollama-locate`, installed from the wheel",
        ours=Spread.of(1e3 * mine for mine, _ in rounds).text("ms", 2),
        against=f"`python -c pass` {Spread.of(1e3 * other for _, other in rounds).text('ms', 2)}",
        ratio=found.text("", 3),
        reach=f"≤ {REACH:.2f}",
        reached=found.median <= REACH,
        remark=f"{ROUNDS} rounds of {STARTS} starts each; the console script of pip {pip_version()} "
        "(older pips import `re` in it, which adds two thirds)",
    )


def pairs(ours: list[str], theirs: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Seconds a start of each, over starts in turn: what slows the machine for a moment slows both."""
    spent = {False: 0.0, True: 0.0}
    for number in range(2 * STARTS):
        mine = number % 4 in {0, 3}
        began = time.perf_counter()
        timed(ours if mine else theirs, env, keep=False)
        spent[mine] += time.perf_counter() - began
    return spent[True] / STARTS, spent[False] / STARTS
