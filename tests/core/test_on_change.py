"""What is told of a change: plain words, or nothing."""

import pytest
from msgspec.structs import replace

from ollama_locate.core.on_change import differs, environment
from ollama_locate.core.snapshot import DecisionState


def decided(name: str = "gpu", endpoint: str = "http://100.64.0.2:11434", verdict: str = "fresh") -> DecisionState:
    return DecisionState(verdict, endpoint, "n2:11434", name, "tier", "it comes first", "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("old", "new", "so"),
    [
        pytest.param(None, decided(), True, id="nothing was told yet"),
        pytest.param(decided(), decided("other name"), False, id="another name only"),
        pytest.param(decided(), decided(endpoint="http://100.64.0.3:11434"), True, id="another endpoint"),
        pytest.param(decided(), decided(verdict="stale"), True, id="another verdict"),
    ],
)
def test_what_is_a_change(old: DecisionState | None, new: DecisionState, *, so: bool) -> None:
    assert differs(old, new) is so


def test_both_are_told() -> None:
    assert environment(decided(), decided("nas", "http://100.64.0.3:11434", "stale")) == {
        "OLLAMA_LOCATE_OLD_ENDPOINT": "http://100.64.0.2:11434",
        "OLLAMA_LOCATE_OLD_NAME": "gpu",
        "OLLAMA_LOCATE_OLD_VERDICT": "fresh",
        "OLLAMA_LOCATE_NEW_ENDPOINT": "http://100.64.0.3:11434",
        "OLLAMA_LOCATE_NEW_NAME": "nas",
        "OLLAMA_LOCATE_VERDICT": "stale",
        "OLLAMA_LOCATE_REASON": "tier",
    }


@pytest.mark.parametrize("name", ["$(touch pwned)", "a b", "a;b", "a\nb", "", "ä", "`id`"])
def test_a_name_that_would_have_to_be_quoted_is_empty(name: str) -> None:
    told = environment(None, decided(name))
    assert told["OLLAMA_LOCATE_NEW_NAME"] == ""
    assert {told[f"OLLAMA_LOCATE_OLD_{what}"] for what in ("NAME", "ENDPOINT", "VERDICT")} == {""}


@pytest.mark.parametrize(
    ("key", "name"),
    [("n2:11434", "gpu"), ("local:11434", "local"), (None, "")],
    ids=["a peer", "this machine", "nobody"],
)
def test_names_are_those_of_prompts(key: str | None, name: str) -> None:
    assert environment(None, replace(decided(), server=key))["OLLAMA_LOCATE_NEW_NAME"] == name
