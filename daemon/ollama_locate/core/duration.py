"""Durations as people write them, with a unit: `500ms`, `30s`, `2m`, `1h`, `7d`."""

import math
import re
from typing import Final

from .text import shown

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?) ?(ms|s|m|h|d)")


def duration(value: object, least: float, most: float) -> float:
    """Seconds. Raises ValueError with a sentence; `least` and `most` are the bounds in seconds."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'must be a duration with a unit, such as "30s" or "2m", not {shown(repr(value))}')
    seconds = float(match[1]) * _UNITS[match[2]]
    if not least <= seconds <= most:
        raise ValueError(f"{shown(str(value))} is out of range: {written(least)} to {written(most)}")
    return seconds


def written(seconds: float) -> str:
    """The way back, in the largest unit that gives a whole number: 3600 is `1h`."""
    for unit, size in reversed(_UNITS.items()):
        count = round(seconds / size)
        if count and math.isclose(count * size, seconds):
            return f"{count}{unit}"
    return f"{seconds:g}s"


def about(seconds: float) -> str:
    """A duration for people: `4 s`, `3 min`, `2 h`, `5 days`."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (seconds >= size and unit != "days"):
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
