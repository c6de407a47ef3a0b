"""Which mistakes are put into a piece of source, and which are not."""

import ast
import textwrap

import pytest

from .operators import mutants


def changes(source: str) -> list[str]:
    return [mutant.change for mutant in mutants("x.py", ast.parse(textwrap.dedent(source)))]


@pytest.mark.parametrize(
    ("statement", "want"),
    [
        pytest.param("return a < b", ["return a < b -> return None", "a < b -> a <= b"], id="comparison"),
        pytest.param("x = a + b", ["x = a + b -> x = a - b"], id="arithmetic"),
        pytest.param("x = a + 'b'", [], id="texts that are joined"),
        pytest.param(
            "x = a or b", ["x = a or b -> x = a and b", "x = a or b -> x = b", "x = a or b -> x = a"], id="or"
        ),
        pytest.param("x = not a", ["x = not a -> x = a"], id="not"),
        pytest.param("x = 1", ["x = 1 -> x = 2", "x = 1 -> x = 0"], id="a number"),
        pytest.param("x = True", ["x = True -> x = False"], id="a truth value"),
        pytest.param("x = 'text'", [], id="a text"),
        pytest.param("x = min(a, b)", ["x = min(a, b) -> x = max(a, b)"], id="the least"),
        pytest.param("f(a, b=c)", ["f(a, b=c) -> dropped", "f(b=...) -> dropped"], id="a call and its keyword"),
        pytest.param("x = zip(a, b, strict=True)", [], id="what the linter wants"),
        pytest.param("if a:\n        f()", ["a -> not a", "f() -> dropped"], id="a condition"),
        pytest.param(
            "if a == b:\n        f()", ["a == b -> a != b", "f() -> dropped"], id="one that is negated anyway"
        ),
        pytest.param("raise E(1)", ["raise E(1) -> dropped"], id="an error, not what it says"),
        pytest.param("a = f(a)", ["a = f(a) -> dropped"], id="another value for a name"),
        pytest.param("x: int | None = None", [], id="an annotation"),
    ],
)
def test_the_mistakes_of_a_statement(statement: str, want: list[str]) -> None:
    assert changes(f"def f(a, b, c):\n    {statement}\n") == want


@pytest.mark.parametrize(
    ("source", "want"),
    [
        pytest.param("def f(a, b=1, *, c=True): ...", ["b=1 -> 2", "b=1 -> 0", "c=True -> False"], id="defaults"),
        pytest.param("def f() -> bool:\n    return a", ["a -> not a"], id="a truth value is returned"),
        pytest.param("def f():\n    return False", ["False -> True"], id="never None for False"),
        pytest.param(
            "class A(S, frozen=True):\n    n: int = 0",
            ["n: int = 0 -> n: int = 1", "n: int = 0 -> n: int = -1"],
            id="a field",
        ),
        pytest.param("class A(Enum):\n    N = 0", [], id="an enum"),
        pytest.param("LIMIT: Final = 2**16", [], id="a figure with a name"),
        pytest.param("Network = IPv4 | IPv6", [], id="an alias of types"),
    ],
)
def test_the_mistakes_of_a_definition(source: str, want: list[str]) -> None:
    assert [one for one in changes(source) if not one.startswith("return None")] == want


def test_a_mutant_says_where_it_is_and_changes_the_tree_when_it_is_applied() -> None:
    tree = ast.parse("class A:\n    def f(self):\n        return 1 + self.n\n")
    one = mutants("x.py", tree)[1]
    assert (one.key, list(one.lines)) == ("A.f: 1 + self.n -> 1 - self.n", [3])
    one.apply()
    assert ast.unparse(tree).endswith("return 1 - self.n")
