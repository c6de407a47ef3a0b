"""The table, while it grows and in RESULTS.md."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import tools
from benchmarks.install import pip_version
from benchmarks.process import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.row import Row

RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = ("what", "here", "against, in the same run", "ratio", "to reach", "reached")


def line(row: Row) -> str:
    """One row on a terminal."""
    mark = row.verdict.strip("*")
    against = f" | {row.against}" if row.against != "—" else ""
    ratio = f" | ratio {row.ratio}" if row.ratio != "—" else ""
    remark = f"\n           {row.remark}" if row.remark else ""
    return f"{mark:>7}  {row.what}: {row.ours}{against}{ratio} | to reach: {row.reach}{remark}"


def commit() -> str:
    """Which state of the sources was measured."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        said = subprocess.run(words, check=False, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return said.stdout.strip() or "no commit yet"


def surroundings() -> list[str]:
    """When, on what, and which versions of everything are measured: asked at the start, as sources change."""
    version = importlib.metadata.version
    ours = ", ".join(f"{name} {version(name)}" for name in ("httpx", "h11", "apscheduler", "msgspec"))
    programs = (
        tools.version(["nmap", "--version"]),
        tools.version(["curl", "--version"]).split(" (")[0],
        tools.version(["haproxy", "-v"]).split(" - ")[0],
    )
    own = f"ollama-locate {version('ollama-locate')} ({commit()}), Python {platform.python_version()}"
    return [
        f"- when: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average {os.getloadavg()[0]:.2f}",
        f"- machine: {os.cpu_count()} cores, {platform.system()} {platform.release()}, {platform.machine()}",
        f"- ours: {own}, {ours}, installed by pip {pip_version()}",
        f"- {'; '.join(programs)}",
    ]


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def table(rows: Sequence[Row]) -> list[str]:
    drawn = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for row in rows:
        words = (row.what, row.ours, row.against, row.ratio, row.reach, row.verdict)
        drawn.append("| " + " | ".join(map(cell, words)) + " |")
    return drawn


def write(rows: Sequence[Row], about: Sequence[str], took_s: float) -> None:
    """All of RESULTS.md: nothing in it is written by hand."""
    remarks = [f"- **{row.what}**: {row.remark}" for row in rows if row.remark]
    text = [
        "# Results",
        "",
        f"Written by `{' '.join(['python -m benchmarks', *sys.argv[1:]])}` in {took_s:.0f} s.",
        "",
        *about,
        "",
        "Medians of several rounds, least and greatest in brackets; in each round the order of the programs is",
        "rotated. A ratio is the median of the rounds' ratios: judge by those, as the times are this machine's.",
        "",
        *table(rows),
        "",
        "## Remarks, and what limits it",
        "",
        *(remarks or ["- nothing was remarked"]),
        "",
    ]
    RESULTS.write_text("\n".join(text))
