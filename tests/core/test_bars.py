"""Bars that are read without colour, in 80 columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.bars import bar, figure, rates

LONG = ("a-name-that-nobody-would-give-to-a-machine", "registry.example.com/library/some-model:70b-instruct-q4_K_M")


@pytest.mark.parametrize(
    ("share", "drawn"),
    [(0.0, ""), (1.0, "████"), (0.5, "██"), (0.56, "██▎"), (1e-6, "▏"), (7.0, "████"), (-1.0, "")],
)
def test_a_bar(share: float, drawn: str) -> None:
    assert bar(share, 4) == drawn


def test_the_fastest_comes_first_and_figures_stand_below_each_other() -> None:
    shown = rates([("nas", "qwen3:8b", 4.25), ("gpu", "mistral:latest", 42.4)], 60)
    assert shown == [
        "gpu  mistral:latest  ██████████████████████████     42 tok/s",
        "nas  qwen3:8b        ██▋                           4.2 tok/s",
    ]


def test_names_that_are_too_long_are_cut() -> None:
    (shown,) = rates([(*LONG, 12_345.0)], 80)
    assert len(shown) == 80
    assert shown.startswith("a-name-that-nobody-…  registry.example.com/librar…  ███")
    assert shown.endswith(" 12345 tok/s")


def test_nothing_is_drawn_of_nothing() -> None:
    assert rates([], 80) == []


@given(st.lists(st.tuples(st.text("ab", max_size=40), st.text("cd", max_size=40), st.floats(1e-6, 1e5)), max_size=8))
def test_each_row_fits_into_80_columns(rows: list[tuple[str, str, float]]) -> None:
    shown = rates(rows, 80)
    assert len(shown) == len(rows)
    assert all(len(one) == 80 for one in shown)


def test_of_equal_ones_the_names_decide_the_order() -> None:
    rows = [("b", "x", 5.0), ("a", "y", 5.0), ("a", "x", 5.0), ("z", "z", 9.0)]
    assert [line.split()[:2] for line in rates(rows, 80)] == [["z", "z"], ["a", "x"], ["a", "y"], ["b", "x"]]


@pytest.mark.parametrize(
    ("rate", "text"), [(0.04, "0.0 tok/s"), (9.9, "9.9 tok/s"), (10.0, "10 tok/s"), (10.6, "11 tok/s")]
)
def test_a_figure_has_a_digit_behind_the_point_below_ten(rate: float, text: str) -> None:
    assert figure(rate) == text
