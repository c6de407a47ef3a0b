"""The real daemon and its scheduler live through days of trouble. `LOOP_DAYS=`: how many (54; fewer with `DAYS=`)."""

import math
import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest

from .life import Life
from .trial import judge, live
from .world import World
from .worlds import LOOP_WORLDS

_WEIGHT = sum(world.days for world in LOOP_WORLDS)
_SHARE = min(1.0, float(os.environ.get("DAYS", "3000")) / 3000)
LOOP_DAYS = float(os.environ.get("LOOP_DAYS", _WEIGHT * _SHARE))
SEED = int(os.environ.get("SEED", "1"))
SLICE = 3.0

QUICK = ("this program stands still", "the wall clock steps", "this laptop sleeps", "everything at once")


def slices() -> Iterable[Any]:
    """World, seed and days of each run."""
    for world in LOOP_WORLDS:
        days = LOOP_DAYS * world.days / _WEIGHT
        parts = math.ceil(days / SLICE)
        for part in range(parts):
            yield pytest.param(world, SEED + part, days / parts, id=f"{world.name}, seed {SEED + part}")


@pytest.mark.simulation
@pytest.mark.parametrize(("world", "seed", "days"), list(slices()))
def test_days(
    world: World,
    seed: int,
    days: float,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    result = live(world, seed, days, partial(Life, monkeypatch=monkeypatch))
    record_property("simulation_result", result.dumps())
    judge(world, result)


@pytest.mark.parametrize("name", QUICK)
def test_hours(name: str, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]) -> None:
    """The same, short, with every run of the tests."""
    world = next(one for one in LOOP_WORLDS if one.name == f"loop: {name}")
    result = live(world, SEED, 0.2, partial(Life, monkeypatch=monkeypatch))
    record_property("simulation_result", result.dumps())
