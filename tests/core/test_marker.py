"""The rule of the marker, for programs that are started from here: the same table as for the shells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.marker import MARKER, OFF, applied, overridden, pairs
from tests.shells.test_env_files import MARK, ONE, SCENARIOS, TWO


@pytest.mark.parametrize(("environment", "published", "found"), SCENARIOS)
def test_the_rule_as_the_shells_have_it(
    environment: dict[str, str], published: list[dict[str, str]], found: dict[str, str]
) -> None:
    for variables in published:
        environment = applied(environment, variables)
    assert {name: environment.get(name) for name in found} == found
    assert {name for name in "ABC" if name in environment} == found.keys() - {MARK}


def test_a_marker_speaks_of_no_name_that_could_not_be_set() -> None:
    before = {"PATH": "/bin", "C": "", MARKER: "PATH=/bin,C,=x"}
    assert applied(before, {"A": ONE}) == {"PATH": "/bin", "C": "", "A": ONE, MARKER: f"A={ONE}"}


def test_the_marker_of_what_was_set() -> None:
    assert pairs({"A": ONE, "B": TWO}) == f"A={ONE},B={TWO}"


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        pytest.param({}, [], id="unset"),
        pytest.param({"A": TWO}, [], id="the same by hand"),
        pytest.param({"A": ONE}, ["A"], id="another by hand"),
        pytest.param({"A": ONE, MARKER: f"A={ONE}"}, [], id="ours, of before"),
        pytest.param({"A": "x,y", MARKER: "A=x,y"}, ["A"], id="what the marker cannot hold"),
    ],
)
def test_what_was_set_by_hand(environment: dict[str, str], names: list[str]) -> None:
    assert list(overridden(environment, {"A": TWO})) == names


VALUES = st.sampled_from(["", ONE, TWO, "mine", "a,b", "A=1"])
MARKS = st.lists(st.sampled_from([f"A={ONE}", f"B={TWO}", "A=mine", "", "1=x", "C"]), max_size=4).map(",".join)


@given(a=VALUES, b=VALUES, mark=MARKS)
def test_twice_is_once_and_what_is_not_wanted_is_never_touched_unless_it_was_ours(a: str, b: str, mark: str) -> None:
    before = {"A": a, "B": b, MARKER: mark, "PATH": "/bin"}
    once = applied(before, {"A": ONE})
    assert applied(once, {"A": ONE}) == once
    assert once["PATH"] == "/bin"
    assert once.get("B", "gone") in (b, "gone")
    assert b in ("", "gone") or once.get("B") == b or f"B={b}" in mark.split(",")


def test_turned_off_nothing_of_ours_is_left() -> None:
    before = {"A": ONE, "B": "mine", MARKER: f"A={ONE},B={TWO}", OFF: "1"}
    assert applied(before, {"A": TWO}) == {"B": "mine", OFF: "1"}
