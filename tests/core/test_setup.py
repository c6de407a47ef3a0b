"""What is added to a person's files, and taken out again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.setup import (
    Appended,
    Installed,
    Record,
    Written,
    appended,
    line,
    parse,
    render,
    variables,
    without,
)

LINE = line("[ -r ~/x ] && . ~/x")
TEXTS = st.text(st.sampled_from("ab\n#"), max_size=20)


@given(TEXTS, TEXTS)
def test_what_was_added_is_taken_out_whatever_came_after(before: str, after: str) -> None:
    added = appended(before, LINE)
    left = without(before + added + after, added)
    assert left == before + ("\n" if added.startswith("\n") and after else "") + after
    assert left is not None
    assert left.splitlines() == before.splitlines() + after.splitlines()


@pytest.mark.parametrize(
    ("now", "left"),
    [
        pytest.param(f"a\n{LINE}b\n", "a\nb\n", id="in the middle"),
        pytest.param(f"{LINE}b\n", "b\n", id="somebody moved it to the front"),
        pytest.param(f"{LINE}a\n{LINE}", f"{LINE}a\n", id="twice: the last"),
        pytest.param("a\n", None, id="not there"),
        pytest.param(f"x {LINE}", None, id="within another line"),
        pytest.param("", None, id="an empty file"),
    ],
)
def test_taken_out(now: str, left: str | None) -> None:
    assert without(now, LINE) == left


def test_one_that_began_with_a_newline_is_found_without_it_as_well() -> None:
    assert without(f"a\nb\n{LINE}", "\n" + LINE) == "a\nb"
    assert without(f"{LINE}b\n", "\n" + LINE) == "b\n"


def test_the_part_of_the_config() -> None:
    assert variables(("A", "B")) == '[variables]  # ollama-locate setup\nA = "{url}"\nB = "{url}"\n'


def test_the_record_is_read_as_it_was_written() -> None:
    record = Record((Appended("/x", "y\n", made=True), Installed(linger=True), Written("/z")))
    assert parse(render(record)) == record


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"steps": [{"type": "other"}]}', b"\xff"])
def test_what_is_no_record_is_a_sentence(data: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        parse(data)
