"""Which model is meant, and who has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.choosing import Chosen, alternatives, choose_model

GPU, NAS = "http://100.64.0.2:11434", "http://100.64.0.3:11434"
# As best_by_model gives it: the best server's models first, each server's by name.
BEST = {"mistral:latest": GPU, "qwen3:32b": GPU, "qwen3:4b": NAS, "llama3:8b": NAS, "hf.co/x/y:q4": NAS}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param("mistral", ("mistral:latest", GPU), id="a name without a tag"),
        pytest.param("mistral:latest", ("mistral:latest", GPU), id="with one"),
        pytest.param("hf.co/x/y:q4", ("hf.co/x/y:q4", NAS), id="of another registry"),
        pytest.param("nope,qwen3:4b,mistral", ("qwen3:4b", NAS), id="the first that exists"),
        pytest.param(" nope , mistral ", ("mistral:latest", GPU), id="with blanks"),
        pytest.param("qwen3:*", ("qwen3:32b", GPU), id="a pattern: on the best server"),
        pytest.param("*:8b,mistral", ("llama3:8b", NAS), id="a pattern before a name"),
        pytest.param("gemma*,mistral", ("mistral:latest", GPU), id="a pattern that means none"),
        pytest.param("qwen3:[45]b", ("qwen3:4b", NAS), id="a pattern with a choice"),
        pytest.param("nope", None, id="none"),
        pytest.param(",", None, id="nothing"),
        pytest.param("MISTRAL", None, id="names have a case"),
    ],
)
def test_the_choice(wanted: str, found: tuple[str, str] | None) -> None:
    assert choose_model(wanted, BEST) == (Chosen(*found) if found else None)


def test_what_was_asked_for_in_full() -> None:
    assert alternatives("mistral, qwen3:*,,hf.co/a/b") == ["mistral:latest", "qwen3:*", "hf.co/a/b:latest"]


@given(st.text(max_size=30))
def test_whatever_is_asked_for_is_had_or_is_none(wanted: str) -> None:
    found = choose_model(wanted, BEST)
    assert found is None or BEST[found.model] == found.url
