"""`ollama-locate history`: the switches of the last days, and how long the round trips were."""

import argparse
import datetime as dt
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from ollama_locate.core import plot
from ollama_locate.core.bounds import HISTORY_FLUSH, HISTORY_KEPT, HISTORY_SHOWN, SCHEMA
from ollama_locate.core.duration import duration
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.history import Sample, Switch
from ollama_locate.core.snapshot import rfc3339
from ollama_locate.core.svg import svg
from ollama_locate.edge.folders import reader_folder
from ollama_locate.edge.history import read

from .help import Help
from .show import ago, line, note, round_trip, table

_NAME_MAX: Final = 20
_LEAST_WIDTH: Final = 20
_TABLE_WIDTH: Final = 100
"""On a terminal with fewer columns the sentences would be folded into a stripe: each switch has its own lines there."""

_FIGURES: Final = 33
"""Columns that the three figures of a row take, and the gap after the name."""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "history",
        help="each switch of the endpoint, and the round trips",
        description="When the endpoint changed, from what to what, and why; and how long the round trips were.",
        epilog="examples:\n  ollama-locate history --since 2d\n  ollama-locate history --plot\n"
        "  ollama-locate history --since 7d --svg week.svg",
        formatter_class=Help,
    )
    words.add_argument("--since", metavar="TIME", default="30d", help="how far back: 30m, 12h, 7d (default: 30d, all)")
    words.add_argument("-n", type=int, default=HISTORY_SHOWN, metavar="N", help="the last N switches (default: 20)")
    how = words.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="switches and round trips as data (docs/history.md)")
    how.add_argument("--plot", action="store_true", help="round trips over time, in the terminal")
    how.add_argument("--svg", metavar="FILE", help="the same as a picture; `-` is standard output")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    now = time.time()
    try:
        since = now - duration(args.since, 1.0, HISTORY_KEPT)
    except ValueError as error:
        raise OperatorError(f"--since {error}") from None
    if args.n < 1:
        raise OperatorError("-n must be 1 or more")
    switches, samples = read(reader_folder(), since)
    if args.json:
        _json(switches, samples)
    elif args.svg or args.plot:
        if not samples:
            note("ollama-locate: no round trips are noted yet; the daemon writes them every 10 minutes")
            return 1
        span = plot.Span(min(since_first(samples), now - 1.0), now)
        if span.start > since + HISTORY_FLUSH:
            shown = f"the last {ago(now - span.start)} of the {args.since} asked for"
            note(f"ollama-locate: {shown}: no round trip is noted before {_when(span.start)}")
        if args.svg:
            _write(args.svg, svg(samples, switches, span))
        else:
            _plot(switches, samples, span)
    elif not switches:
        line("no switch is noted; the daemon notes them when it runs (`history` in the config)")
    else:
        _table(switches[-args.n :])
        if len(switches) > args.n:
            note(f"{len(switches) - args.n} older ones: -n {len(switches)} shows them all")
    return 0


def since_first(samples: Sequence[Sample]) -> float:
    """The time of the first sample (epoch seconds)."""
    return min(one.at for one in samples)


def _table(switches: Sequence[Switch]) -> None:
    if sys.stdout.isatty() and shutil.get_terminal_size().columns < _TABLE_WIDTH:
        for one in switches:
            alive = "" if one.alive_ago is None else f" (alive {_ago(one.alive_ago)} before)"
            line(f"{_when(one.at)}  {one.left or '(start)'} -> {one.taken}, {one.verdict}{alive}")
            line(f"  {one.text}")
        return
    rows = [
        (
            _when(one.at),
            one.left or "(start)",
            one.taken,
            one.verdict,
            "-" if one.alive_ago is None else f"{_ago(one.alive_ago)} before",
            one.text,
        )
        for one in switches
    ]
    table(("WHEN", "FROM", "TO", "VERDICT", "LAST ALIVE", "WHY"), rows)


def _when(at: float) -> str:
    return f"{dt.datetime.fromtimestamp(at).astimezone():%b %d %H:%M:%S}"


def _ago(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else ago(seconds)  # noqa: PLR2004 - digits


def _json(switches: Sequence[Switch], samples: Sequence[Sample]) -> None:
    data = {
        "schema": SCHEMA,
        "switches": [
            {
                "at": rfc3339(one.at),
                "from": {"name": one.left, "url": one.left_url} if one.left else None,
                "to": {"name": one.taken, "url": one.taken_url},
                "verdict": one.verdict,
                "reason": one.reason,
                "text": one.text,
                "alive_ago_s": None if one.alive_ago is None else round(one.alive_ago, 3),
            }
            for one in switches
        ],
        "round_trips": [
            {
                "at": rfc3339(one.at),
                "server": one.key,
                "name": one.name,
                "low_ms": one.low,
                "high_ms": one.high,
                "asked": one.asked,
                "answered": one.answered,
            }
            for one in samples
        ],
    }
    print(msgspec.json.encode(data).decode())


def _plot(switches: Sequence[Switch], samples: Sequence[Sample], span: plot.Span) -> None:
    names = max(len("switches"), *(min(_NAME_MAX, len(one.name)) for one in samples))
    width = max(_LEAST_WIDTH, shutil.get_terminal_size((100, 24)).columns - names - _FIGURES)
    head = f"{'LEAST':>9}{'MEDIAN':>11}{'GREATEST':>11}"
    print(f"{'SERVER':<{names}}  {'':<{width}}{head}")
    for row in plot.lines(samples, span, width):
        figures = f"{round_trip(row.least):>9}{round_trip(row.median):>11}{round_trip(row.greatest):>11}"
        print(f"{row.name[:names]:<{names}}  {row.cells}{figures}")
    print(f"{'switches':<{names}}  {plot.switches(switches, span, width)}")
    begins, ends = (f"{dt.datetime.fromtimestamp(at).astimezone():%b %d %H:%M}" for at in span)
    print(f"{'':<{names}}  {begins}{ends:>{max(len(ends) + 1, width - len(begins))}}")
    print(f"{plot.BARS[0]} is {round_trip(plot.scale(samples).low)}, {plot.BARS[-1]} is", end=" ")
    print(f"{round_trip(plot.scale(samples).high)}; {plot.DOWN} did not answer; {plot.SWITCHED} the endpoint changed")


def _write(name: str, picture: str) -> None:
    if name == "-":
        sys.stdout.write(picture)
        return
    try:
        Path(name).write_text(picture, encoding="utf-8")
    except OSError as error:
        raise OperatorError(f"cannot write {name}: {error.strerror}") from None
