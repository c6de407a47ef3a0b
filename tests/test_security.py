"""SECURITY.md names the tests that hold what it says: each line has one, and each of them exists."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
TEXT = (TESTS.parent / "SECURITY.md").read_text()
NAMED = re.compile(r"`([a-z_/]+\.py)::(\w+)`")


def rows() -> list[str]:
    """The lines of the table whose last column is `held by`."""
    _, _, rest = TEXT.partition("| held by |\n")
    table, _, _ = rest.partition("\n\n")
    return table.split("\n")[1:]


def defined(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names = {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    assigned = (target for one in tree.body if isinstance(one, ast.Assign) for target in one.targets)
    return names | {target.id for target in assigned if isinstance(target, ast.Name)}


def test_each_line_names_a_test() -> None:
    assert len(rows()) > 15
    for row in rows():
        assert len(row.strip("|").split("|")) == 4, row
        assert NAMED.search(row.strip("|").split("|")[3]), row


def test_each_test_that_is_named_exists() -> None:
    named = NAMED.findall(TEXT)
    assert len(named) >= len(rows())
    for file, name in named:
        assert name in defined(TESTS / file), f"{file}::{name}"


def test_it_stays_readable() -> None:
    assert len(TEXT.splitlines()) < 120
