"""Row: how true the round trips are, against the emulator, and of which clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.needs import missing
from benchmarks.row import Row, Spread, skipped
from benchmarks.sweep import rounds

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (20, 100, 1000)


def run() -> Iterator[Row]:
    for count in SIZES:
        what = f"round trip minus the emulated one, {count:,} peers"
        if missing():
            yield skipped(what, missing())
            continue
        done = rounds(count)
        ours = Spread.of(error for each in done for error in each.ours.errors or [float("nan")])
        clocks = [Spread.of(column) for column in zip(*(pair for each in done for pair in each.clocks), strict=True)]
        crowd_wall, crowd_kernel, burst_wall, burst_kernel = (clock.text("ms", 2) for clock in clocks)
        yield Row(
            what=what,
            ours=ours.text("ms", 2),
            against=f"a wall clock with all connects in flight {crowd_wall}, the kernel's TCP_INFO "
            f"{crowd_kernel}; least of three on its own: wall clock {burst_wall}, TCP_INFO {burst_kernel}",
            remark=""
            if count != SIZES[0]
            else "one value for each live server; the emulator adds jitter of 0.5 ms on average each way, which "
            "is in every figure, and is itself a Python process on the same cores",
        )
