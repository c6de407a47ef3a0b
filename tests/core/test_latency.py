"""The least of a burst, and the dead band."""

import pytest

from ollama_locate.core.constants import DEAD_BAND, DEAD_BAND_RATIO
from ollama_locate.core.latency import clearly_faster, of_burst


@pytest.mark.parametrize(
    ("samples", "want"),
    [
        pytest.param([], (None, 0.0), id="all were lost"),
        pytest.param([0.012], (0.012, 0.0), id="one came back"),
        pytest.param([0.030, 0.012, 0.020], (0.012, 0.018), id="the least counts, the rest is spread"),
    ],
)
def test_queues_only_ever_add(samples: list[float], want: tuple[float | None, float]) -> None:
    least, spread = of_burst(samples)
    assert least == want[0]
    assert spread == pytest.approx(want[1])


@pytest.mark.parametrize(
    ("challenger", "current", "want"),
    [
        pytest.param(5, 30, True, id="much better"),
        pytest.param(19.99, 30, True, id="better by 10 ms and a third"),
        pytest.param(19, 28, False, id="a third, but not quite 10 ms"),
        pytest.param(85, 100, False, id="15 ms, but not a third"),
        pytest.param(0.2, 9, False, id="45 times faster, but less than 10 ms"),
        pytest.param(30, 30, False, id="the same"),
        pytest.param(66.7, 100, False, id="by less than a third"),
        pytest.param(66.6, 100, True, id="by more"),
        pytest.param(0.1, 5, False, id="together they are more than 5 ms"),
        pytest.param(60, 30, False, id="worse"),
        pytest.param(None, 30, False, id="an unknown round trip beats nobody"),
        pytest.param(30, None, True, id="a known one beats an unknown one"),
        pytest.param(None, None, False, id="nothing is known"),
    ],
)
def test_clearly_faster_means_10_ms_and_a_third(challenger: float | None, current: float | None, *, want: bool) -> None:
    seconds = [None if ms is None else ms / 1000 for ms in (challenger, current)]
    assert clearly_faster(*seconds) is want


def test_both_bounds_are_in_the_dead_band_s_other_side() -> None:
    assert clearly_faster(0.0, DEAD_BAND)
    assert clearly_faster(0.3 * DEAD_BAND_RATIO, 0.3)
