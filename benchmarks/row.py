"""What a benchmark hands back: one line of the table, already in words."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and greatest of several rounds: one figure alone says nothing on a noisy machine."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        found = sorted(values)
        return cls(statistics.median(found), found[0], found[-1], len(found))

    def text(self, unit: str, digits: int) -> str:
        """`0.36 s (0.33-0.41)`; a single value stands alone."""
        if self.count == 1:
            return f"{self.median:.{digits}f} {unit}".rstrip()
        spread = f"({self.low:.{digits}f}-{self.high:.{digits}f})"
        return f"{self.median:.{digits}f} {unit} {spread}" if unit else f"{self.median:.{digits}f} {spread}"


def ratio(ours: Iterable[float], theirs: Iterable[float]) -> Spread:
    """The ratio round by round: what disturbed the machine in a round disturbed both."""
    return Spread.of(a / b for a, b in zip(ours, theirs, strict=True))


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a figure of ours, what it stands against, what was to be reached."""

    what: str
    ours: str
    against: str = "—"
    ratio: str = "—"
    reach: str = "stated"
    # None: a figure that is stated, not judged; or a row that was skipped.
    reached: bool | None = None
    remark: str = ""
    skipped: str = ""

    @property
    def verdict(self) -> str:
        if self.skipped:
            return "SKIPPED"
        return {True: "yes", False: "**no**", None: "—"}[self.reached]


def skipped(what: str, reason: str) -> Row:
    """A row that could not be measured here, visible and with its reason."""
    return Row(what=what, ours="—", reach="—", skipped=reason, remark=f"skipped: {reason}")
