"""The text of the sourced files; what real shells make of it is tested in tests/shells."""

import pytest

from ollama_locate.core import shell
from ollama_locate.edge.templates import templates

URL = "http://100.64.0.2:11434"
TWO = {"OLLAMA_ENDPOINT": URL, "OLLAMA_HOST": "100.64.0.2:11434"}
SOURCED = pytest.mark.parametrize("name", ["env.sh", "env.fish"])


def test_a_parser_gets_one_key_and_value_a_line_and_the_marker_last() -> None:
    assert shell.dotenv(TWO).splitlines() == [
        f"OLLAMA_ENDPOINT={URL}",
        "OLLAMA_HOST=100.64.0.2:11434",
        f"OLLAMA_LOCATE_APPLIED=OLLAMA_ENDPOINT={URL},OLLAMA_HOST=100.64.0.2:11434",
    ]


@SOURCED
def test_a_shell_gets_each_variable_as_one_quoted_word(name: str) -> None:
    text = shell.sourced(templates()[name], TWO)
    assert f"__ollama_locate_apply 'OLLAMA_ENDPOINT={URL}' 'OLLAMA_HOST=100.64.0.2:11434'\n" in text
    assert " OLLAMA_ENDPOINT OLLAMA_HOST" in text
    assert "@KEYS@" not in text
    assert "@PAIRS@" not in text


@SOURCED
def test_the_texts_differ_by_their_values_only(name: str) -> None:
    other = {key: value.replace("100.64.0.2", "100.64.0.3") for key, value in TWO.items()}
    one, two = shell.sourced(templates()[name], TWO), shell.sourced(templates()[name], other)
    assert one.replace("100.64.0.2", "100.64.0.3") == two
    assert one.endswith("\n")


def test_without_variables_there_is_nothing_to_apply() -> None:
    assert shell.dotenv({}) == "OLLAMA_LOCATE_APPLIED=\n"
    assert "\n__ollama_locate_apply\n" in shell.sourced(templates()["env.sh"], {})
