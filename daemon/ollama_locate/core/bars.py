"""Figures as bars that lie, one row for each, on one scale from zero: who makes how many tokens a second."""

from collections.abc import Sequence
from typing import Final

EIGHTHS: Final = " ▏▎▍▌▋▊▉"
FULL: Final = "█"
_NAME_MAX: Final = 20
_MODEL_MAX: Final = 28
_LEAST: Final = 10
_FIGURE: Final = 13
"""Columns: a bar is at least so long, and a figure with its unit at most so wide."""


def bar(share: float, width: int) -> str:
    """A bar of `width` columns for 1, to an eighth of a column; what is not zero is seen."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    if share > 0.0:
        eighths = max(1, eighths)
    return FULL * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")


def rates(rows: Sequence[tuple[str, str, float]], width: int) -> list[str]:
    """A line for each (server, model, tokens a second), the fastest first, at most `width` columns where there is room.

    Names that are too long are cut: the table has them whole.
    """
    if not rows:
        return []
    names = min(_NAME_MAX, max(len(server) for server, _, _ in rows))
    models = min(_MODEL_MAX, max(len(model) for _, model, _ in rows))
    room = max(_LEAST, width - names - models - 4 - _FIGURE)
    most = max(rate for _, _, rate in rows)
    return [
        f"{_cut(server, names)}  {_cut(model, models)}  {bar(rate / most, room):<{room}}{figure(rate):>{_FIGURE}}"
        for server, model, rate in sorted(rows, key=lambda row: (-row[2], row[0], row[1]))
    ]


def figure(rate: float) -> str:
    """Tokens a second for people: `4.2 tok/s`, `42 tok/s`."""
    return f"{rate:.1f} tok/s" if rate < 10 else f"{rate:.0f} tok/s"  # noqa: PLR2004 - digits


def _cut(text: str, width: int) -> str:
    return f"{text:<{width}}" if len(text) <= width else text[: width - 1] + "…"
