"""Row: a verdict, if a provisional one, on every one of 1,000 peers, and the CPU that took."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.needs import missing
from benchmarks.row import Row, Spread, ratio, skipped
from benchmarks.sweep import rounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.process import Finished
    from benchmarks.sweep import Round

COUNT = 1000
REACH_S = 1.0
REACH_CPU_S = 0.20


def run() -> Iterator[Row]:
    wall, cpu = f"verdict on all of {COUNT:,} peers", f"CPU of that sweep, {COUNT:,} peers"
    if missing():
        yield skipped(wall, missing())
        yield skipped(cpu, missing())
        return
    done = rounds(COUNT)
    ours = [each.ours.verdict for each in done]
    wrong = Counter(text for each in done for text in each.ours.wrong)
    missed = Counter(name for each in done for name, (gone, false) in each.missed.items() if gone or false)
    yield Row(
        what=wall,
        ours=Spread.of(ours).text("s", 3),
        against=against(done, lambda run: run.wall_s),
        ratio=ratios(ours, done, lambda run: run.wall_s),
        reach=f"< {REACH_S} s",
        reached=Spread.of(ours).median < REACH_S,
        remark="silent peers are called silent at 0.8 s; "
        + (f"wrong verdicts: {dict(wrong)}" if wrong else "every verdict was right")
        + (f"; rounds in which another missed a server or named a wrong one: {dict(missed)}" if missed else ""),
    )
    own = [each.ours.cpu for each in done]
    with_children = Spread.of(each.ours.cpu_with_children for each in done)
    yield Row(
        what=cpu,
        ours=Spread.of(own).text("s", 3),
        against=against(done, lambda run: run.cpu_s),
        ratio=ratios(own, done, lambda run: run.cpu_s),
        reach=f"≤ {REACH_CPU_S} s",
        reached=Spread.of(own).median <= REACH_CPU_S,
        remark=f"with the tailscale stand-in {with_children.text('s', 3)}; the others' figures have their start "
        "in them, and nmap sends its packets without the kernel's sockets and reads no answer",
    )


def against(done: tuple[Round, ...], figure: Callable[[Finished], float]) -> str:
    """Each of the others, named."""
    names = list(done[0].others)
    each = (f"{name} {Spread.of(figure(run.others[name]) for run in done).text('s', 2)}" for name in names)
    return ", ".join(each) or "nmap and curl are not here"


def ratios(ours: list[float], done: tuple[Round, ...], figure: Callable[[Finished], float]) -> str:
    names = list(done[0].others)
    each = (ratio(ours, [figure(run.others[name]) for run in done]).text("", 2) for name in names)
    return ", ".join(each) or "—"
