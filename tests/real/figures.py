"""The figures of a run: each from several runs of a test, judged by people against the goals."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from tests.real import build

RESULTS = Path(__file__).parent / "RESULTS.md"
FULL_RUNS = 20
RUNS = int(os.environ.get("REAL_RUNS", "3"))
FULL = RUNS >= FULL_RUNS  # the long ones as well, and RESULTS.md is written
CEILING = 10  # what a test asserts is so many times the goal


@dataclass
class Figure:
    """One thing measured. `worst` and `median` are goals; a `unit` of `changes` is counted, not timed."""

    what: str
    worst: float
    median: float | None = None
    unit: str = "s"
    values: list[float] = field(default_factory=list)

    def reached(self) -> bool:
        middle = self.median is None or statistics.median(self.values) <= self.median
        return middle and max(self.values) <= self.worst

    def cells(self) -> tuple[str, ...]:
        """Return name, runs, median, worst, goal, and if it is reached."""
        goal = f"≤ {self.worst:g}" if self.worst else "0"
        if self.median is not None:
            goal = f"≤ {self.median:g}, worst {goal}"
        return (
            self.what,
            str(len(self.values)),
            self._shown(statistics.median(self.values)),
            self._shown(max(self.values)),
            f"{goal} {self.unit}",
            "yes" if self.reached() else "NO",
        )

    def _shown(self, value: float) -> str:
        return f"{value:.0f}" if self.unit == "changes" else f"{value:.3f}"


HEADS = ("what", "runs", "median", "worst", "goal", "reached")


class Figures:
    """All of them, in the order of their first run."""

    def __init__(self) -> None:
        self.all: dict[str, Figure] = {}

    def seconds(self, what: str, value: float, worst: float, median: float | None = None) -> None:
        """Keep a time; hold it against its ceiling, ten times the goal."""
        self.all.setdefault(what, Figure(what, worst, median)).values.append(value)
        assert value <= CEILING * worst, f"{what}: {value:.2f} s, where {worst:g} s is the goal"

    def changes(self, what: str, count: int) -> None:
        """Keep how often the endpoint changed where it had to stay: not once."""
        self.all.setdefault(what, Figure(what, 0, unit="changes")).values.append(count)
        assert count == 0, f"{what}: the endpoint changed {count} times"

    def ratio(self, what: str, value: float, worst: float) -> None:
        """Keep a ratio; judged by its median, as the machines are noisy."""
        self.all.setdefault(what, Figure(what, CEILING * worst, worst, unit="times")).values.append(value)
        assert value <= CEILING * worst, f"{what}: {value:.2f}, where {worst:g} is the goal"

    def mebibytes(self, what: str, value: float, worst: float) -> None:
        """Keep an amount of memory."""
        self.all.setdefault(what, Figure(what, worst, unit="MiB")).values.append(value)
        assert value <= CEILING * worst, f"{what}: {value:.1f} MiB, where {worst:g} is the goal"

    def lines(self) -> list[str]:
        """Return a table for a terminal."""
        rows = [HEADS, *(figure.cells() for figure in self.all.values())]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

    def write(self, seconds: float, failed: int) -> None:
        """Write RESULTS.md."""
        rows = [HEADS, ("---",) * len(HEADS), *(figure.cells() for figure in self.all.values())]
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        system = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, {platform.machine()}"
        own = importlib.metadata.version("ollama-locate")
        RESULTS.write_text(
            "# Results of the real tier\n\n"
            f"Written by `make real-full` in {seconds / 60:.0f} minutes: a real tailnet, real Ollama servers, and the\n"
            "daemon with its defaults (an interval of 30 s) where a line says nothing else. What each line means:\n"
            "the test that measured it.\n\n"
            f"- when: {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC\n"
            f"- machine: {system}\n"
            f"- tests that failed: {failed}\n"
            f"- ollama-locate {own}, Python {platform.python_version()}, Tailscale {build.TAILSCALE}, "
            f"Ollama {build.OLLAMA}\n\n"
            "Seconds from the event to the file rewritten; or how often the endpoint changed where it had to stay.\n\n"
            f"{table}\n"
        )
