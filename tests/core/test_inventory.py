"""The lists of a server: what is installed, and what is loaded."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.bounds import BYTES_MAX
from ollama_locate.core.inventory import Model, inventory

MISTRAL = {
    "name": "mistral:latest",
    "size": 4_400_000_000,
    "details": {"parameter_size": "7.2B", "quantization_level": "Q4_0"},
}
LOADED = {"name": "mistral:latest", "size": 6_000, "size_vram": 3_000, "expires_at": "2026-01-01T00:00:00Z"}


def raw(*models: object) -> bytes:
    return json.dumps({"models": list(models)}).encode()


def only(tags: bytes, ps: bytes | None = None) -> Model:
    found = inventory(tags, ps)
    assert found is not None
    (model,) = found
    return model


def test_what_is_installed() -> None:
    assert only(raw(MISTRAL)) == Model("mistral:latest", 4_400_000_000, "7.2B", "Q4_0")


def test_what_is_loaded_says_how_much_of_it_lies_in_the_card() -> None:
    model = only(raw(MISTRAL), raw({**LOADED, "context_length": 4096}))
    assert (model.loaded, model.in_card, model.context, model.until) == (True, 0.5, 4096, "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("memory", "vram", "share"),
    [(100, 100, 1.0), (100, 0, 0.0), (0, 0, 1.0), (100, 900, 1.0), (-5, -5, 1.0)],
)
def test_the_share_in_the_card(memory: int, vram: int, share: float) -> None:
    assert only(raw(MISTRAL), raw({**LOADED, "size": memory, "size_vram": vram})).in_card == share


def test_a_cloud_model_is_marked() -> None:
    assert only(raw({"name": "big:cloud", "remote_host": "https://ollama.com:443"})).cloud


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        pytest.param(raw(), [], id="none"),
        pytest.param(b'{"models": null}', [], id="null, as an Ollama without models says"),
        pytest.param(raw({"name": "b:1"}, {"model": "a:1"}), ["a:1", "b:1"], id="by name, whichever field has it"),
        pytest.param(raw({"name": "a\x1b[2J"}, {"name": "../x"}, {"name": ""}, {}), [], id="names that none gives"),
        pytest.param(raw({"name": "a:1"}, {"name": "a:1", "size": 2}), ["a:1"], id="twice"),
        pytest.param(raw(*({"name": f"m{number:05}"} for number in range(10_500))), None, id="too many"),
    ],
)
def test_names(tags: bytes, names: list[str] | None) -> None:
    found = inventory(tags, None)
    assert found is not None
    assert len(found) == 10_000 if names is None else [one.name for one in found] == names


@pytest.mark.parametrize("tags", [b"", b"[]", b'{"models": 3}', b"\xff", b"[" * 9_000])
def test_what_is_no_list_is_none(tags: bytes) -> None:
    assert inventory(tags, None) is None


@pytest.mark.parametrize("ps", [b"", b"[]", b"\xff", raw({"name": "other:1"}), raw({})])
def test_without_a_list_of_what_is_loaded_nothing_counts_as_loaded(ps: bytes) -> None:
    assert not only(raw(MISTRAL), ps).loaded


def test_sizes_of_any_number_of_digits_are_no_more_than_any_disk_has() -> None:
    model = only(raw({**MISTRAL, "size": 10**400}), raw({**LOADED, "size": 2**70, "context_length": -5}))
    assert (model.size, model.memory, model.context) == (BYTES_MAX, BYTES_MAX, 0)


def test_words_of_a_server_lose_their_control_characters() -> None:
    model = only(raw({**MISTRAL, "details": {"parameter_size": "7\x1b[31mB", "quantization_level": "x" * 999}}))
    assert "\x1b" not in model.parameters
    assert len(model.quantisation) <= 24


@given(st.binary(max_size=60), st.none() | st.binary(max_size=60))
def test_whatever_comes_never_raises(tags: bytes, ps: bytes | None) -> None:
    inventory(tags, ps)


def body(name: str) -> bytes:
    return (Path(__file__).parent / "recordings" / name).read_bytes().partition(b"\r\n\r\n")[2]


def test_the_recorded_answers_of_a_real_ollama() -> None:
    model = only(body("tags.http"), body("ps-loaded.http"))
    assert (model.name, model.size, model.parameters, model.quantisation) == (
        "mistral:latest",
        337193,
        "82K",
        "unknown",
    )
    assert (model.loaded, model.memory, model.in_card, model.context) == (True, 377600, 0.0, 512)
