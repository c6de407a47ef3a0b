"""The shells' hooks, filled in; what the shells make of them: tests/shells."""

import pytest

from ollama_locate.core import names
from ollama_locate.core.bounds import HOOK_MAX_BYTES, VARIABLES_MAX
from ollama_locate.core.hook import QUOTE, SHELLS, hook, off

TEMPLATES = {f"hook.{shell}": f"{shell} @FILE@ @FORBIDDEN@ @BYTES@ @LIMIT@ @LINES@" for shell in SHELLS}
TEMPLATES |= {f"off.{shell}": f"{shell} off @ENV@" for shell in SHELLS}
TEMPLATES |= {"env.sh": "sh[@KEYS@@PAIRS@]", "env.fish": "fish[@KEYS@@PAIRS@]"}


@pytest.mark.parametrize(
    ("shell", "file", "forbidden"),
    [
        ("bash", "'/e'", names.GLOBS),
        ("zsh", "'/e'", names.GLOBS),
        ("fish", "'/e'", names.REGEX),
        ("nu", '"/e"', names.REGEX),
    ],
)
def test_a_hook_is_filled_in(shell: str, file: str, forbidden: str) -> None:
    bounds = f"{HOOK_MAX_BYTES} {HOOK_MAX_BYTES + 1} {VARIABLES_MAX + 1}"
    assert hook(shell, "/e", TEMPLATES) == f"{shell} {file} {forbidden} {bounds}"


@pytest.mark.parametrize(("shell", "env"), [("bash", "sh[]"), ("zsh", "sh[]"), ("fish", "fish[]"), ("nu", "sh[]")])
def test_what_removes_it_has_the_code_of_the_file_that_is_sourced(shell: str, env: str) -> None:
    assert off(shell, TEMPLATES) == f"{shell} off {env}"


@pytest.mark.parametrize(
    ("shell", "path", "quoted"),
    [
        pytest.param("bash", "/it's $(x)", "'/it'\\''s $(x)'", id="bash"),
        pytest.param("fish", "/it's \\ $x", "'/it\\'s \\\\ $x'", id="fish"),
        pytest.param("nu", '/a"b\\c d~', '"/a\\"b\\\\c d~"', id="nu"),
        pytest.param("nu", "\0\x1f\x7f\x80", '"\\u{0}\\u{1f}\\u{7f}\x80"', id="nu: control characters"),
    ],
)
def test_a_path_is_taken_literally(shell: str, path: str, quoted: str) -> None:
    assert QUOTE[shell](path) == quoted
