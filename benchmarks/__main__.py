"""`python -m benchmarks [--long] [ROW…]`: runs all rows, or those named, and prints them.

A run of all rows also writes RESULTS.md.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING, NoReturn

from benchmarks import (
    bench_best,
    bench_cpu,
    bench_failover,
    bench_fleet,
    bench_hook,
    bench_inventory,
    bench_memory,
    bench_models,
    bench_parse,
    bench_query,
    bench_rtt,
    bench_verdict,
    leftovers,
    report,
    tools,
)
from benchmarks.row import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS: dict[str, Callable[[], Iterator[Row]]] = {
    "query": bench_query.run,
    "hook": bench_hook.run,
    "parse": bench_parse.run,
    "best": bench_best.run,
    "verdict": bench_verdict.run,
    "rtt": bench_rtt.run,
    "failover": bench_failover.run,
    "models": bench_models.run,
    "inventory": bench_inventory.run,
    "cpu": bench_cpu.run,
    "memory": bench_memory.run,
    "fleet": bench_fleet.run,
}


def interrupted(number: int, _frame: object) -> NoReturn:
    """Ends by an exception, so that every block on the way out removes what it made."""
    raise SystemExit(128 + number)


def arguments() -> argparse.Namespace:
    """`--long` is looked for by the row that it concerns."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Without a row: all, and RESULTS.md.")
    parser.add_argument("rows", nargs="*", metavar="ROW", choices=[*ROWS, []], help=", ".join(ROWS))
    parser.add_argument("--long", action="store_true", help="memory over a thousand rounds (20 min)")
    return parser.parse_args()


def main() -> int:
    chosen = arguments().rows or list(ROWS)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, interrupted)
    tools.install()
    for gone in leftovers.clear():
        print(f"removed {gone} of a run that was killed")
    about, began = report.surroundings(), time.monotonic()
    print(*about, sep="\n", flush=True)
    rows, failed = measure(chosen)
    took = time.monotonic() - began
    if set(chosen) == set(ROWS):
        report.write(rows, about, took)
        print(f"written to {report.RESULTS.name}")
    print(f"{len(rows)} lines in {took:.0f} s")
    return 1 if failed else 0


def measure(chosen: list[str]) -> tuple[list[Row], bool]:
    """A row that fails is a line of the table as well: the others are still worth having."""
    rows, failed = [], False
    for name in chosen:
        try:
            for row in ROWS[name]():
                rows.append(row)
                print(report.line(row), flush=True)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, in its place
            traceback.print_exc()
            failed = True
            rows.append(Row(what=name, ours=f"failed: {error}", reach="—", reached=False))
    return rows, failed


if __name__ == "__main__":
    sys.exit(main())
