"""What `--help` looks like in a narrow window."""

import argparse

import pytest

from ollama_locate.cli import help as page
from ollama_locate.cli.main import parser


def pages(one: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Each command's own, by its words."""
    found = {one.prog: one}
    for action in one._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                found |= pages(below)
    return found


@pytest.mark.parametrize("width", [80, 60])
def test_every_line_fits_but_what_is_for_copying(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    too_long = [
        f"{name}: {line}"
        for name, one in pages(parser()).items()
        for line in one.format_help().splitlines()
        if len(line) > width and not any(sign in line for sign in page._TO_COPY)
    ]
    assert too_long == []


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        pytest.param("a line", "a line", id="short"),
        pytest.param("one two three four five", "one two three four\nfive", id="a paragraph"),
        pytest.param("  ab  one two three four", "  ab  one two three\n      four", id="two columns"),
        pytest.param("  quite long text  one two", "  quite long text\n    one two", id="a first column that is wide"),
        pytest.param("  x=$(one two three four five)", "  x=$(one two three four five)", id="a command"),
    ],
)
def test_a_line_is_folded(text: str, folded: str) -> None:
    assert page.folded(text, 20) == folded
