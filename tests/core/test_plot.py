"""Round trips over time: as rows of bars, and as a picture."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core import plot
from ollama_locate.core.history import Sample, Switch
from ollama_locate.core.plot import BARS, Scale, Span
from ollama_locate.core.svg import svg

HOUR = 3600.0
DAY = Span(0.0, 24 * HOUR)
PICTURE = Path(__file__).parent / "recordings" / "round-trips.svgs"
SVG = "{http://www.w3.org/2000/svg}"


def sample(at: float, low: float | None, key: str = "n2:11434", name: str = "gpu") -> Sample:
    return Sample(at, key, name, low, low, 20, 0 if low is None else 20)


def moved(at: float, text: str = "gpu refuses") -> Switch:
    return Switch(at, "gpu", "http://a:1", "nas", "http://b:1", "fresh", "only", text)


@pytest.mark.parametrize(
    ("samples", "cells"),
    [
        pytest.param(
            [sample(HOUR * (h + 0.5), 10.0) for h in range(24)], BARS[0] * 24, id="always the same: the lowest bar"
        ),
        pytest.param(
            [sample(0.0, 1.0), sample(23.5 * HOUR, 100.0)], BARS[0] + " " * 22 + BARS[-1], id="least and most"
        ),
        pytest.param([sample(0.0, 1.0), sample(1.0, 9.0), sample(5.5 * HOUR, 9.0)], "▁    █", id="the least of a cell"),
        pytest.param(
            [sample(0.0, 5.0), sample(1.5 * HOUR, None), sample(3.5 * HOUR, 5.0)], "▁x ▁", id="down, then not asked"
        ),
        pytest.param([sample(2.05 * HOUR, 5.0)], " ▁▁", id="it stands for the minutes before"),
        pytest.param([sample(0.0, None)], "x", id="never answered"),
        pytest.param([sample(30 * HOUR, 5.0)], " " * 23 + "▁", id="beyond the end belongs to the last cell"),
    ],
)
def test_a_row(samples: Sequence[Sample], cells: str) -> None:
    (row,) = plot.lines(samples, DAY, 24)
    assert row.cells.rstrip() == cells


def test_who_answered_more_comes_first_then_the_name() -> None:
    names = [("n1", "zoo", 5), ("n2", "nas", 1), ("n3", "gpu", 1), ("n4", "box", 9)]
    found = [Sample(0.0, key, name, 5.0, 5.0, 20, answered) for key, name, answered in names]
    found.insert(0, Sample(-9.0, "n4", "old name", 5.0, 5.0, 20, 0))
    assert [row.name for row in plot.lines(found, DAY, 3)] == ["box", "zoo", "gpu", "nas"]


@pytest.mark.parametrize(
    ("span", "at", "cell"),
    [
        (Span(100.0, 200.0), 100.0, 0),
        (Span(100.0, 200.0), 125.0, 2),
        (Span(100.0, 200.0), 199.9, 9),
        (Span(100.0, 200.0), 300.0, 9),
        (Span(100.0, 200.0), -900.0, 0),
        (Span(0.0, 0.5), 0.25, 5),
        (Span(100.0, 100.0), 100.0, 0),
    ],
)
def test_in_which_cell_a_time_lies(span: Span, at: float, cell: int) -> None:
    assert span.cell(at, 10) == cell


@pytest.mark.parametrize(
    ("times", "want"),
    [
        pytest.param([], Scale(1.0, 1.0), id="nothing"),
        pytest.param([None], Scale(1.0, 1.0), id="no answer"),
        pytest.param([0.0], Scale(1e-3, 1e-3), id="a microsecond is the least"),
        pytest.param([0.5, 0.25], Scale(0.25, 0.5), id="less than a millisecond"),
    ],
)
def test_the_scale(times: list[float | None], want: Scale) -> None:
    assert plot.scale_of(times) == want


def test_where_a_value_lies_on_it() -> None:
    assert [Scale(1.0, 100.0).share(value) for value in (0.1, 1.0, 10.0, 100.0, 1e4)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert [Scale(10.0, 1000.0).share(value) for value in (10.0, 100.0)] == pytest.approx([0.0, 0.5])


def test_one_scale_for_all_and_who_answered_most_comes_first() -> None:
    far = [sample(HOUR, 80.0, "n3:11434", "nas")]
    near = [sample(HOUR, 2.0), sample(2 * HOUR, 3.0)]
    rows = plot.lines([*far, *near], DAY, 24)
    assert [(row.name, row.least, row.median, row.greatest) for row in rows] == [
        ("gpu", 2.0, 2.5, 3.0),
        ("nas", 80.0, 80.0, 80.0),
    ]
    assert plot.scale([*far, *near]) == Scale(2.0, 80.0)


def test_figures_of_one_that_never_answered_are_not_there() -> None:
    (row,) = plot.lines([sample(0.0, None)], DAY, 5)
    assert (row.least, row.median, row.greatest) == (None, None, None)


def test_switches_are_marked() -> None:
    assert plot.switches([moved(-1.0), moved(0.0), moved(12 * HOUR), moved(25 * HOUR)], DAY, 4) == "▲ ▲ "
    assert plot.switches([moved(24 * HOUR)], DAY, 4) == "   ▲"


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(0, 1e6) | st.none()), max_size=30), st.integers(1, 200))
def test_a_row_is_as_wide_as_it_should_be(points: list[tuple[float, float | None]], width: int) -> None:
    for row in plot.lines([sample(at, low) for at, low in points], DAY, width):
        assert len(row.cells) == width


# --- the picture


def drawn(samples: Sequence[Sample], changed: Sequence[Switch] = ()) -> ET.Element:
    return ET.fromstring(svg(samples, changed, DAY))  # noqa: S314 - our own bytes


def paths(samples: Sequence[Sample]) -> list[str]:
    root = drawn(samples)
    return [one.attrib["d"] for one in root.iter(f"{SVG}path") if one.attrib.get("stroke-width") == "1.6"]


@pytest.mark.parametrize(
    ("samples", "lines"),
    [
        pytest.param([sample(600.0 * n, 5.0 + n) for n in range(9)], 1, id="one line"),
        pytest.param([sample(0, 5.0), sample(600, None), sample(1200, 5.0)], 2, id="broken where it was down"),
        pytest.param([sample(0, 5.0), sample(600, 5.0), sample(9000, 5.0)], 2, id="broken where nobody looked"),
        pytest.param([sample(0, None)], 0, id="nothing to draw"),
        pytest.param([sample(0, 5.0), sample(0, 5.0, "n3:11434", "nas")], 2, id="two servers"),
    ],
)
def test_the_lines(samples: Sequence[Sample], lines: int) -> None:
    assert len(paths(samples)) == lines


@given(name=st.text(max_size=40).filter(lambda text: text.isprintable()))
def test_a_name_is_text_and_nothing_else(name: str) -> None:
    root = drawn([sample(0.0, 5.0, name=name)], [moved(1.0, name)])
    assert name in [one.text or "" for one in root.iter(f"{SVG}text")]
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= {"svg", "rect", "title", "path", "text"}


def test_a_switch_tells_itself_under_the_pointer() -> None:
    root = drawn([sample(0.0, 5.0)], [moved(HOUR)])
    assert "gpu to nas (fresh): gpu refuses" in [one.text for one in root.iter(f"{SVG}title")]


def test_the_whole_picture() -> None:
    """Where everything stands in it."""
    several = [Sample(600.0 * n, "n2:11434", "gpu", 5.0 + n, 9.0 + n, 20, 20) for n in range(4)]
    several += [sample(3 * HOUR, 80.0, "n3:11434", "nas & co"), sample(4500.0, 20.0), sample(6001.0, 30.0)]
    changed = [moved(0.0), msgspec.structs.replace(moved(2 * HOUR), left=""), moved(24 * HOUR), moved(24 * HOUR + 1)]
    drawing = svg(several, changed, Span(0.0, 24 * HOUR)) + svg([], [], Span(1e9, 1e9))
    assert drawing == PICTURE.read_text(encoding="utf-8")


def test_more_servers_than_colours_have_dashes_and_no_endless_legend() -> None:
    many = [sample(0.0, 5.0 + n, f"n{n}", f"box{n}") for n in range(40)]
    root = drawn(many)
    dashed = [one for one in root.iter(f"{SVG}path") if one.attrib.get("stroke-dasharray") == "5 3"]
    assert len(dashed) == 33
    assert len([one for one in root.iter(f"{SVG}text") if (one.text or "").startswith("box")]) == 14


@pytest.mark.parametrize(
    ("round_trips", "cells"),
    [
        pytest.param([1.0, None, 100.0, 10.0], "▁x█▅", id="on a logarithmic scale"),
        pytest.param([5.0, 5.0], "▁▁", id="always the same"),
        pytest.param([None], "x", id="no answer"),
        pytest.param([], "", id="nothing yet"),
    ],
)
def test_a_bar_for_each_round_trip(round_trips: list[float | None], cells: str) -> None:
    assert plot.spark(round_trips, plot.scale_of(round_trips)) == cells
