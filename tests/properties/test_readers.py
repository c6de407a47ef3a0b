"""Whatever comes from outside is read or refused with a reason; nothing of it raises anything else."""

import re
import unicodedata

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ollama_locate.core import render
from ollama_locate.core.answer import judge_version
from ollama_locate.core.config import KEYS, Config, parse_config
from ollama_locate.core.constants import DETAIL_MAX
from ollama_locate.core.errors import ConfigError
from ollama_locate.core.inventory import listed, usable
from ollama_locate.core.models import full_name, is_cloud, is_model_name
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.tailnet import Absence, Tailnet, Unavailable, parse_status
from ollama_locate.core.text import is_value, shown

from .strategies import damaged, json_values, mutated, texts, unicode_texts

BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_harmless(text: str) -> bool:
    """One line, nothing that moves a cursor or turns text round."""
    controls = {char for char in text if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")}
    return not controls and not BIDI & set(text) and len(text.splitlines()) <= 1


@given(st.binary(max_size=200) | damaged() | mutated())
def test_a_status_is_a_tailnet_or_has_a_reason(data: bytes) -> None:
    found = parse_status(data)
    if isinstance(found, Unavailable):
        assert isinstance(found.reason, Absence)
        assert is_harmless(found.detail)
        assert len(found.detail) <= DETAIL_MAX
    else:
        assert isinstance(found, Tailnet)
        assert len({id(peer) for peer in found.peers}) == len(found.peers)


@given(st.binary(max_size=200) | json_values.map(msgspec.json.encode))
def test_a_list_of_models_holds_names_that_can_be_written_or_is_not_known(body: bytes) -> None:
    for name in usable(listed(body) or ()):
        assert is_model_name(name)
        assert is_value(name)


@given(st.lists(st.fixed_dictionaries({"name": unicode_texts})))
def test_only_sane_names_of_models_are_kept(models: list[dict[str, str]]) -> None:
    found = listed(msgspec.json.encode({"models": models}))
    assert found is not None
    named = {entry["name"] for entry in models if is_model_name(entry["name"]) and not is_cloud(entry["name"])}
    assert set(usable(found)) == {full_name(name) for name in named}


@given(
    st.integers(100, 599),
    st.binary(max_size=60) | st.builds(lambda v: msgspec.json.encode({"version": v}), unicode_texts),
)
def test_an_answer_is_an_outcome(status: int, body: bytes) -> None:
    outcome, detail, version = judge_version(status, body)
    assert outcome is not Outcome.ALIVE or status == 200
    assert is_harmless(detail + version)


@given(texts, st.integers(2, 300))
@example("\u2028" * 9 + "x", 2)
def test_what_is_shown_is_harmless_and_bounded_and_showing_it_again_changes_nothing(text: str, limit: int) -> None:
    found = shown(text, limit)
    assert is_harmless(found)
    assert len(found) <= limit
    assert shown(found, limit) == found


@given(texts)
def test_a_value_needs_no_quotes(text: str) -> None:
    assert is_value(text) is (re.fullmatch(r"[A-Za-z0-9:/._\-\[\]]{1,512}", text, re.ASCII) is not None)


def toml(value: object) -> str:
    """A value as TOML writes it; JSON's texts are TOML's."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(str(name))} = {toml(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return msgspec.json.encode("" if value is None else value).decode()


_values = (
    json_values
    | st.lists(unicode_texts, max_size=3)
    | st.lists(st.integers(), max_size=3)
    | st.from_regex(r"\d{1,6}\s?(ms|s|m|h)\n?", fullmatch=True)
    | st.dictionaries(unicode_texts, unicode_texts | st.from_regex(r"https?://[a-z:@/\[\]0-9]{1,20}"), max_size=3)
)


@st.composite
def configs(draw: st.DrawFn) -> bytes:
    """A config of the right keys with any values."""
    table = draw(st.dictionaries(st.sampled_from(KEYS), _values, max_size=3))
    return "".join(f"{name} = {toml(value)}\n" for name, value in table.items()).encode()


def config_or_mistake(data: bytes) -> tuple[Config | None, str]:
    try:
        return parse_config(data, "c.toml"), ""
    except ConfigError as error:
        return None, str(error)


@given(st.binary(max_size=200) | configs())
@example(b'interval = "99999\\ns"')
@example(b'allow = ["a/\\nb"]')
@example(b"ports = " + b"1" * 5000)
def test_a_config_is_read_or_refused_in_one_line(data: bytes) -> None:
    found, sentence = config_or_mistake(data)
    if found is None:
        assert is_harmless(sentence)
        assert sentence.startswith("c.toml")
    else:
        assert found.variables["OLLAMA_ENDPOINT"] == "{url}"
        assert all(0 < port < 2**16 for port in found.ports)


@given(st.binary(max_size=200) | json_values.map(msgspec.json.encode))
def test_a_state_that_is_none_raises_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"it (cannot be read|has schema)"):
        render.read_snapshot(data)
