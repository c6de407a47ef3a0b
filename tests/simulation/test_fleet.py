"""What many daemons ask of one server: never more than is promised, whatever happens. `make fleet` has ten thousand."""

from collections.abc import Callable

import pytest

from .fleet_runs import Report, alike, judge, near, table

MEMBERS, BOXES = 1500, 20
"""More than may ask at once."""


@pytest.mark.simulation
@pytest.mark.parametrize("life", [near, alike], ids=["what is near", "all prefer the same"])
def test_a_fleet(life: Callable[[int, int], Report]) -> None:
    report = life(MEMBERS, BOXES)
    print(table(MEMBERS, BOXES, report))
    judge(MEMBERS, report)


def test_a_small_fleet() -> None:
    """The same, short, with every run of the tests."""
    judge(100, alike(100, 6))
