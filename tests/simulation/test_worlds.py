"""The real core lives through days of trouble. `DAYS=` says how many (3,000), `SEED=` with which chance it begins."""

import math
import os
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from .trial import judge, live
from .world import World
from .worlds import BY_NAME, WORLDS

DAYS = float(os.environ.get("DAYS", "3000"))
SEED = int(os.environ.get("SEED", "1"))
SLICE = 25.0
"""A run is this long, so that two processes share the work evenly."""

_WEIGHT = sum(world.days for world in WORLDS)

QUICK = (
    ("two peers", 1.0),
    ("a slow drift through the dead band", 1.0),
    ("the wall clock steps", 0.5),
    ("killed, now and then", 2.0),
    ("unplugged, now and then", 2.0),
    ("a Mac in Power Nap", 1.0),
    ("three hundred peers, four alive", 0.05),
    ("everything at once", 1.0),
)


def slices() -> Iterable[Any]:
    """World, seed and days of each run."""
    for world in WORLDS:
        days = DAYS * world.days / _WEIGHT
        parts = math.ceil(days / (SLICE / 10 if world.strangers else SLICE))
        for part in range(parts):
            yield pytest.param(world, SEED + part, days / parts, id=f"{world.name}, seed {SEED + part}")


@pytest.mark.simulation
@pytest.mark.parametrize(("world", "seed", "days"), list(slices()))
def test_days(world: World, seed: int, days: float, record_property: Callable[[str, object], None]) -> None:
    result = live(world, seed, days)
    record_property("simulation_result", result.dumps())
    judge(world, result)


@pytest.mark.parametrize(("name", "days"), QUICK)
def test_a_day(name: str, days: float, record_property: Callable[[str, object], None]) -> None:
    """The same, short, with every run of the tests."""
    result = live(BY_NAME[name], SEED, days)
    record_property("simulation_result", result.dumps())
    judge(BY_NAME[name], result)
