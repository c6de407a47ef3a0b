"""What may be shown on a terminal, and what may stand unquoted in a file."""

import pytest

from ollama_locate.core.text import is_value, is_variable, shown


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("gpu", "gpu", id="plain text stays"),
        pytest.param("Büro 東京 🦙", "Büro 東京 🦙", id="so do the letters of the world"),
        pytest.param("a\n\tb\x00c", "a b c", id="control characters become one blank"),
        pytest.param("\x1b[31mred\x1b[0m", "[31mred [0m", id="an escape sequence is harmless"),
        pytest.param("\x9b31m", "31m", id="so is the eight-bit one"),
        pytest.param("a\u202egnp.exe", "a gnp.exe", id="text is not turned round"),
        pytest.param("a\u2066b\u2069", "a b", id="nor isolated"),
        pytest.param("a\u200bb\ufeff", "a b", id="nothing of no width"),
        pytest.param("a\u2028b\x85c", "a b c", id="it stays one line"),
        pytest.param("a\ud800b", "a?b", id="half a surrogate pair"),
        pytest.param(" a ", "a", id="no blanks around it"),
        pytest.param("a\u061cb", "a b", id="the Arabic letter mark turns text too"),
    ],
)
def test_what_is_shown_cannot_move_the_cursor(text: str, want: str) -> None:
    assert shown(text) == want


@pytest.mark.parametrize(
    ("text", "limit", "want"),
    [
        pytest.param("abcd", 4, "abcd", id="as long as allowed"),
        pytest.param("abcde", 4, "abc…", id="longer"),
        pytest.param("äbcd", 4, "äbcd", id="as long as allowed, in letters of the world"),
        pytest.param("\x00" * 15 + "abc", 4, "a", id="only the beginning is read"),
    ],
)
def test_what_is_shown_is_bounded(text: str, limit: int, want: str) -> None:
    assert shown(text, limit) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("http://100.64.0.2:11434", True),
        ("http://[fd7a:115c:a1e0::2]:11434", True),
        ("a_b-c.d/e", True),
        ("a" * 512, True),
        ("a" * 513, False),
        ("", False),
        ("a b", False),
        ("a\n", False),
        ("$(reboot)", False),
        ("a'b", False),
        ("a%b", False),
        ("ä", False),
        ("٣", False),
    ],
)
def test_a_value_can_stand_unquoted(text: str, *, want: bool) -> None:
    assert is_value(text) is want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("OLLAMA_HOST", True),
        ("_x9", True),
        ("a" * 128, True),
        ("a" * 129, False),
        ("9A", False),
        ("A-B", False),
        ("", False),
        ("A\n", False),
        ("Ä", False),
    ],
)
def test_a_variable_has_a_name_that_every_shell_takes(text: str, *, want: bool) -> None:
    assert is_variable(text) is want
