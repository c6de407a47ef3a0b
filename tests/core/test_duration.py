"""Durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.duration import about, duration, written


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30.0), ("1.5 m", 90.0), ("2h", 7200.0), ("7d", 604_800.0)],
)
def test_a_duration_has_a_unit(text: str, seconds: float) -> None:
    assert duration(text, 0.0, 1e6) == seconds


@pytest.mark.parametrize(
    "value", ["30", "", "s", "-3s", "1e3s", "30 s s", "30S", "٣s", "9" * 400 + "s", 30, None, True]
)
def test_what_is_none(value: object) -> None:
    with pytest.raises(ValueError, match="must be a duration with a unit"):
        duration(value, 0.0, 1e9)


def test_out_of_range_says_the_range_in_units() -> None:
    with pytest.raises(ValueError, match="40d is out of range: 1s to 30d"):
        duration("40d", 1.0, 30 * 86_400.0)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.5, "500ms"), (90.0, "90s"), (3600.0, "1h"), (2_592_000.0, "30d"), (0.0005, "0.0005s")]
)
def test_written_in_the_largest_unit_that_is_whole(seconds: float, text: str) -> None:
    assert written(seconds) == text


def test_both_ends_of_the_range_are_in_it() -> None:
    assert (duration("1s", 1.0, 60.0), duration("1m", 1.0, 60.0)) == (1.0, 60.0)
    assert written(0.0) == "0s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3.0, "0 s"),
        (0.0, "0 s"),
        (0.4, "0 s"),
        (59.0, "59 s"),
        (60.0, "1 min"),
        (119.0, "2 min"),
        (3599.0, "60 min"),
        (3600.0, "1 h"),
        (172_799.0, "48 h"),
        (172_800.0, "2 days"),
        (864_000.0, "10 days"),
        (100 * 86_400.0 - 43_201.0, "99 days"),
        (100 * 86_400.0 - 43_199.0, "100 days"),
    ],
)
def test_about_for_people(seconds: float, text: str) -> None:
    assert about(seconds) == text


@given(st.integers(1, 10**9))
def test_there_and_back(milliseconds: int) -> None:
    text = written(milliseconds / 1000)
    assert duration(text, 0.0, 1e9) == pytest.approx(milliseconds / 1000, rel=1e-5)
