"""Round trips over time as rows of small bars, one row for each server, on one scale for all."""

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from .bounds import HISTORY_FLUSH
from .history import Sample, Switch

BARS: Final = "▁▂▃▄▅▆▇█"
DOWN: Final = "x"
SWITCHED: Final = "▲"


class Line(NamedTuple):
    """One server's row; the round trips in milliseconds, None where it never answered."""

    name: str
    cells: str
    least: float | None
    median: float | None
    greatest: float | None


class Scale(NamedTuple):
    """The least and the greatest round trip of all, in milliseconds. Logarithmic: 2 ms and 80 ms both show."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """Where between 0 and 1 a value lies."""
        if self.high <= self.low:
            return 0.0
        return min(1.0, math.log(max(value, self.low) / self.low) / math.log(self.high / self.low))


class Span(NamedTuple):
    """From when to when, in epoch seconds."""

    start: float
    end: float

    def cell(self, at: float, width: int) -> int:
        """In which of `width` cells a time lies."""
        share = (at - self.start) / max(1e-9, self.end - self.start)
        return min(width - 1, max(0, int(share * width)))


def by_server(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    """The samples of each server by its key, those first that answered most."""
    found: dict[str, list[Sample]] = {}
    for one in samples:
        found.setdefault(one.key, []).append(one)
    return dict(sorted(found.items(), key=lambda item: (-sum(one.answered for one in item[1]), item[1][-1].name)))


def scale(samples: Sequence[Sample]) -> Scale:
    """From the least to the greatest of all; a microsecond is the least that is shown."""
    return scale_of(time for one in samples for time in (one.low, one.high))


def scale_of(round_trips: Iterable[float | None]) -> Scale:
    """The same of single round trips, in milliseconds; None: no answer."""
    times = [time for time in round_trips if time is not None]
    return Scale(max(1e-3, min(times, default=1.0)), max(1e-3, max(times, default=1.0)))


def spark(round_trips: Sequence[float | None], common: Scale) -> str:
    """A bar for each round trip (milliseconds), `x` where there was no answer."""
    return "".join(_bar(one, common) for one in round_trips)


def _bar(value: float | None, common: Scale) -> str:
    return DOWN if value is None else BARS[round(common.share(value) * (len(BARS) - 1))]


def lines(samples: Sequence[Sample], span: Span, width: int) -> list[Line]:
    """A row for each server. A cell has the least round trip of its time, `x` where the server did not answer.

    A sample stands for the ten minutes before it.
    """
    common = scale(samples)
    found = []
    for several in by_server(samples).values():
        lows = [one.low for one in several if one.low is not None]
        highs = [one.high for one in several if one.high is not None]
        found.append(
            Line(
                several[-1].name,
                _cells(several, common, span, width),
                min(lows, default=None),
                statistics.median(lows) if lows else None,
                max(highs, default=None),
            )
        )
    return found


def switches(found: Sequence[Switch], span: Span, width: int) -> str:
    """A row with a mark where the endpoint changed."""
    cells = [" "] * width
    for one in found:
        if span.start <= one.at <= span.end:
            cells[span.cell(one.at, width)] = SWITCHED
    return "".join(cells)


def _cells(samples: Sequence[Sample], common: Scale, span: Span, width: int) -> str:
    least: list[float | None] = [None] * width
    asked = [False] * width
    for one in samples:
        for place in range(span.cell(one.at - HISTORY_FLUSH, width), span.cell(one.at, width) + 1):
            asked[place] = True
            if one.low is not None:
                before = least[place]
                least[place] = one.low if before is None else min(before, one.low)
    return "".join(
        _bar(value, common) if value is not None or known else " " for value, known in zip(least, asked, strict=True)
    )
