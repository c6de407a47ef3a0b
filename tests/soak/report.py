"""RESULTS.md, all of it: nothing in it is written by hand."""

from __future__ import annotations

import os
import platform
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import commit
from ollama_locate.core.bounds import HISTORY_MAX_BYTES

from .monitor import BOUND

if TYPE_CHECKING:
    from .__main__ import Run
    from .daemon import Sample

RESULTS = Path(__file__).parent / "RESULTS.md"
MEMORY = 4.0
DESCRIPTORS = 16
THREADS = 6
"""What the daemon may have grown by, in MiB and numbers, from the second rest to the last, whatever the hours between.

Not from the first: until each fault has been seen the allocator has not had its largest pieces (a tailscale that prints
64 MiB leaves 8 MiB behind, once), nor asyncio its threads."""


def grown(samples: list[tuple[float, Sample]]) -> list[str]:
    """What has become more than it may."""
    if not samples:
        return ["it was never measured"]
    first, last = samples[min(1, len(samples) - 1)][1], samples[-1][1]
    found = []
    for what, before, after, most in (
        ("MiB of its own", first.uss, last.uss, MEMORY),
        ("descriptors", first.descriptors, last.descriptors, DESCRIPTORS),
        ("threads", first.threads, last.threads, THREADS),
    ):
        if after - before > most:
            found.append(f"{after:g} {what}, {before:g} at the second rest")
    if last.requests:
        found.append(f"{last.requests} requests were not read")
    if last.history > HISTORY_MAX_BYTES:
        found.append(f"the history has {last.history} bytes")
    return found


def write(run: Run, seed: int, hours: float, why_not: str) -> None:
    every = sorted(second for seconds in run.monitor.wrong.values() for second in seconds)
    worst = sorted(run.monitor.wrong.items(), key=lambda item: -max(item[1]))[:12]
    text = [
        "# Results of the soak",
        "",
        f"Written by `make soak HOURS={hours:g} SEED={seed}`: the installed daemon on an emulated tailnet of loopback",
        "addresses, with faults drawn from the seed, two or three at a time.",
        "",
        f"- when: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average {os.getloadavg()[0]:.2f}",
        f"- machine: {os.cpu_count()} cores, {platform.system()} {platform.release()}, {platform.machine()}",
        f"- ours: {commit()}, Python {platform.python_version()}",
        *([f"- {why_not}"] if why_not else []),
        f"- {run.steps} steps, {sum(run.done.values())} faults, {run.monitor.readings} readings of all files",
        f"- {run.forwarded} requests through the forward, at rest, were answered",
        f"- promises broken: {len(run.monitor.breaches)}",
        *(f"  - {one}" for one in run.monitor.breaches),
        "",
        "## Whether what was published was true",
        "",
        "A reading is wrong if a server is fresh that nobody trusts or that does not answer, or if none is though a",
        f"trusted one answers. It may be wrong for {BOUND:.0f} s (a server that refuses is asked again after 60 s).",
        "",
        f"It was wrong {len(every)} times: {_spread(every)}. The longest, by the faults of the",
        "step (those of earlier steps may still have been there):",
        "",
        "| faults | times | median | worst |",
        "|---|---|---|---|",
        *(
            f"| {name} | {len(seconds)} | {_s(statistics.median(seconds))} | {_s(max(seconds))} |"
            for name, seconds in worst
        ),
        "",
        f"How often: {', '.join(f'{name} {count}' for name, count in sorted(run.done.items()))}.",
        "",
        "## What it costs, at rest",
        "",
        "| minute | PSS | USS | descriptors | threads | requests unread | history | CPU so far |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {minute:.0f} | {one.pss:.1f} MiB | {one.uss:.1f} MiB | {one.descriptors} | {one.threads} |"
            f" {one.requests} | {one.history / 1024:.0f} kB | {one.cpu:.1f} s |"
            for minute, one in run.samples
        ),
        "",
    ]
    RESULTS.write_text("\n".join(text))


def _spread(every: list[float]) -> str:
    if not every:
        return "never"
    ninth = every[len(every) * 9 // 10]
    return f"median {_s(statistics.median(every))}, nine of ten within {_s(ninth)}, worst {_s(every[-1])}"


def _s(seconds: float) -> str:
    return f"{seconds:.1f} s"
