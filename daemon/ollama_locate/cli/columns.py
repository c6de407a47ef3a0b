"""How wide the columns of a table are on a terminal."""

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

GAP: Final = 2
_WHOLE: Final = ("SERVER", "MODEL", "ENDPOINT", "ADDRESS", "SIZE", "RTT")
"""What is for copying stays in one piece, whatever the width, and so does a number with its unit."""
_WORD: Final = 12
"""A longer word may be broken, if it must."""


def widths(columns: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """As wide as each one wants; where `room` has not that much, the widest that may become narrower does so first."""
    cells = list(zip(columns, *rows, strict=True))
    found = [max(map(cell_len, column)) for column in cells]
    least = [wide if column[0] in _WHOLE else _least(column) for wide, column in zip(found, cells, strict=True)]
    for _ in range(sum(found) + GAP * (len(found) - 1) - room):
        spare = [(wide, place) for place, wide in enumerate(found) if wide > least[place]]
        if not spare:
            break
        found[max(spare)[1]] -= 1
    return found


def _least(column: Sequence[str]) -> int:
    """So that no short word is broken."""
    return min(_WORD, max((cell_len(word) for cell in column for word in cell.split()), default=0))
