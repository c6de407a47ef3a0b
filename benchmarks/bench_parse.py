"""Row: parse, trust and selection of a tailnet of 10,000 peers, against reading the same JSON and no more."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import peers as people
from benchmarks.install import programs
from benchmarks.process import ROOT, timed
from benchmarks.row import Row, Spread, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = 10_000
# Processes of each kind, alternating, and rounds in each.
PROCESSES, ROUNDS = 5, 3
REACH_S = 0.100
SCRIPT = ROOT / "benchmarks/parse_worker.py"


def worker(status: Path, kind: str) -> dict[str, Any]:
    words: list[str | Path] = [programs() / "python", SCRIPT, status, kind, str(ROUNDS)]
    done = timed(words)
    if done.status:
        raise RuntimeError(f"parse_worker: {done.output.strip()[-300:]}")
    found: dict[str, Any] = json.loads(done.output)
    return found


def run() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix=f"olb-{os.getpid()}-") as folder:
        status = Path(folder) / "status.json"
        status.write_bytes(people.status(people.mix(COUNT, seed=1)))
        size = status.stat().st_size / 1e6
        found: dict[str, list[dict[str, Any]]] = {"ours": [], "json": []}
        for number in range(PROCESSES):
            for kind in ("ours", "json")[:: -1 if number % 2 else 1]:
                found[kind].append(worker(status, kind))
    ours, theirs = ([sum(steps) for each in found[kind] for steps in each["steps"]] for kind in ("ours", "json"))
    parts = zip(*(steps for each in found["ours"] for steps in each["steps"]), strict=True)
    parse, trust, selection = (1e3 * Spread.of(part).median for part in parts)
    yield Row(
        what=f"parse, trust, selection, {COUNT:,} peers ({size:.0f} MB)",
        ours=Spread.of(1e3 * each for each in ours).text("ms", 0),
        against=f"`json.loads` {Spread.of(1e3 * each for each in theirs).text('ms', 0)}",
        ratio=ratio(ours, theirs).text("", 2),
        reach=f"≤ {1e3 * REACH_S:.0f} ms",
        reached=Spread.of(ours).median <= REACH_S,
        remark=f"parse {parse:.0f} ms, trust {trust:.0f} ms, selection among one in twenty {selection:.1f} ms",
    )
    yield Row(
        what=f"peak memory of that, {COUNT:,} peers",
        ours=Spread.of(each["peak"] for each in found["ours"]).text("MiB", 0),
        against=f"`json.loads` {Spread.of(each['peak'] for each in found['json']).text('MiB', 0)}",
        ratio=ratio((each["allocated"] for each in found["ours"]), (each["allocated"] for each in found["json"])).text(
            "", 2
        ),
        remark="the process's peak above the input; the ratio is of the allocations at their peak (tracemalloc)",
    )
