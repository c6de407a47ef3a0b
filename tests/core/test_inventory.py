"""What a server has, has loaded and can do, by its answers."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.bounds_models import CAPABILITIES_MAX
from ollama_locate.core.constants import MODELS_MAX
from ollama_locate.core.inventory import (
    Ability,
    Model,
    ability,
    able,
    listed,
    loaded,
    same_to_choose_by,
    unlisted,
    usable,
)

DIGEST = "bffc6f43aa88da7dc80dd7c195e77a12f699238ab97060e3a2cdcd2cd3e7e7f2"
MISTRAL = {
    "name": "mistral:latest",
    "digest": DIGEST,
    "size": 4_400_000_000,
    "details": {"parameter_size": "7.2B", "quantization_level": "Q4_0"},
}
LOADED = {"name": "mistral:latest", "size": 6_000, "size_vram": 3_000, "expires_at": "2026-01-01T00:00:00Z"}


def raw(*models: object) -> bytes:
    return json.dumps({"models": list(models)}).encode()


def only(tags: bytes, ps: bytes = b"") -> Model:
    found = listed(tags)
    assert found is not None
    (model,) = loaded(found, ps)
    return model


def test_what_is_installed() -> None:
    assert only(raw(MISTRAL)) == Model("mistral:latest", "bffc6f43aa88", 4_400_000_000, "7.2B", "Q4_0")


def test_what_is_loaded_says_how_much_of_it_lies_in_the_card() -> None:
    model = only(raw(MISTRAL), raw({**LOADED, "context_length": 4096}))
    assert (model.loaded, model.in_card, model.context, model.until) == (True, 0.5, 4096, "2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("memory", "vram", "share"),
    [(100, 100, 1.0), (100, 0, 0.0), (0, 0, 1.0), (100, 900, 1.0), (-5, -5, 1.0)],
)
def test_the_share_in_the_card(memory: int, vram: int, share: float) -> None:
    assert only(raw(MISTRAL), raw({**LOADED, "size": memory, "size_vram": vram})).in_card == share


def body(name: str) -> bytes:
    return (Path(__file__).parent / "recordings" / name).read_bytes().partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        pytest.param(body("tags.http"), ("mistral:latest",), id="what Ollama 0.17.4 said"),
        pytest.param(raw(), (), id="none"),
        pytest.param(b'{"models": null}', (), id="null, as an Ollama without models says"),
        pytest.param(raw({"name": "b:1"}, {"model": "a:1"}), ("a:1", "b:1"), id="by name, whichever field has it"),
        pytest.param(raw({"name": "a\x1b[2J"}, {"name": "../x"}, {"name": "$(x)"}, {}), (), id="names that none gives"),
        pytest.param(raw({"name": "a:1"}, {"name": "a:1", "size": 2}), ("a:1",), id="twice"),
        pytest.param(raw({"name": "a:1", "remote_host": "https://ollama.com"}), (), id="a cloud model by its host"),
        pytest.param(raw({"name": "a:1", "remote_model": "b"}), (), id="a cloud model by its model"),
        pytest.param(b"", None, id="no answer"),
        pytest.param(b"<html>", None, id="no JSON"),
        pytest.param(b"[" * 100_000, None, id="nested too deep"),
        pytest.param(b'{"models":[{"name":"\xff"}]}', None, id="no UTF-8"),
        pytest.param(b'{"models":{}}', None, id="another shape"),
        pytest.param(b'{"error":"busy"}', None, id="an error in the place of the list"),
    ],
)
def test_names_of_what_can_be_used(tags: bytes, names: tuple[str, ...] | None) -> None:
    found = listed(tags)
    assert (None if found is None else usable(found)) == names


def test_a_cloud_model_can_be_used_where_that_is_allowed() -> None:
    found = listed(raw({"name": "big:cloud", "remote_host": "https://ollama.com:443"}, {"name": "a:1"}))
    assert found is not None
    assert [one.cloud for one in found] == [False, True]
    assert usable(found, cloud=True) == ("a:1", "big:cloud")


def test_the_list_is_bounded() -> None:
    found = listed(raw(*({"name": f"m{number:06}:1"} for number in range(MODELS_MAX + 5))))
    assert found is not None
    assert len(found) == MODELS_MAX


@pytest.mark.parametrize(
    "odd",
    [
        {"size": None},
        {"size": "large"},
        {"size": 4.1e9},
        {"size": -1},
        {"size": int("9" * 400)},
        {"size": True},
        {"digest": 7},
        {"details": "none"},
        {"details": {"parameter_size": None, "quantization_level": 4}},
        {"name": 7, "model": "odd:1"},
        {"name": ["x"]},
    ],
)
def test_one_odd_word_hides_no_other_model(odd: dict[str, object]) -> None:
    found = listed(raw({"name": "odd:1", **odd}, {"name": "a:1"}))
    assert found is not None
    assert "a:1" in usable(found)
    assert all(0 <= one.size <= 2**53 for one in found)
    json.dumps([one.size for one in found])


@pytest.mark.parametrize("name", ["gpt-oss:120b-cloud", "gpt-oss:cloud"])
def test_a_cloud_model_by_its_name(name: str) -> None:
    found = listed(raw({"name": name}))
    assert found is not None
    assert (found[0].cloud, usable(found)) == (True, ())


@pytest.mark.parametrize(("said", "name"), [("gpt-4", "gpt-4:latest"), ("registry.ollama.ai/library/x:1", "x:1")])
def test_names_are_as_a_person_asks_for_them(said: str, name: str) -> None:
    assert usable(listed(raw({"name": said})) or ()) == (name,)


def test_what_is_loaded_under_the_name_of_another_file_is_not_it() -> None:
    assert not only(raw(MISTRAL), raw({**LOADED, "digest": "a" * 64})).loaded
    assert only(raw(MISTRAL), raw({**LOADED, "digest": DIGEST})).loaded


@pytest.mark.parametrize("ps", [b"", b"[]", b"\xff", raw({"name": "other:1"}), raw({})])
def test_without_a_list_of_what_is_loaded_nothing_counts_as_loaded(ps: bytes) -> None:
    assert not only(raw(MISTRAL), ps).loaded


def test_sizes_of_any_number_of_digits_are_no_more_than_any_disk_has() -> None:
    model = only(raw({**MISTRAL, "size": 10**400}), raw({**LOADED, "size": 2**70, "context_length": -5}))
    assert (model.size, model.memory, model.context) == (2**53, 2**53, 0)


@pytest.mark.parametrize(
    ("ps", "want"),
    [
        pytest.param(raw(LOADED), False, id="what is listed"),
        pytest.param(raw(LOADED, {"name": "new:1"}), True, id="one that was pulled since"),
        pytest.param(raw({"name": "$(x)"}), False, id="a name that none gives"),
        pytest.param(b"", False, id="no list"),
    ],
)
def test_what_is_loaded_shows_that_the_list_is_old(ps: bytes, *, want: bool) -> None:
    assert unlisted(listed(raw(MISTRAL)) or (), ps) is want


def test_words_of_a_server_lose_their_control_characters() -> None:
    model = only(raw({**MISTRAL, "digest": "\x1b[2J", "details": {"parameter_size": "7\x1b[31mB"}}))
    assert "\x1b" not in model.parameters + model.digest
    long = only(raw({**MISTRAL, "digest": "f" * 999, "details": {"quantization_level": "x" * 999}}))
    assert len(long.quantisation) <= 24
    assert len(long.digest) <= 12


def show(can: object = (), **info: object) -> bytes:
    return json.dumps({"capabilities": can, "model_info": info}).encode()


@pytest.mark.parametrize(
    ("answer", "want"),
    [
        pytest.param(body("show.http"), Ability(("completion",), 512), id="what Ollama 0.17.4 said"),
        pytest.param(show(["tools", "completion", "tools"]), Ability(("completion", "tools")), id="each once, sorted"),
        pytest.param(show(None), Ability(), id="an Ollama that names no abilities"),
        pytest.param(b"{}", Ability(), id="nothing at all"),
        pytest.param(show(["a\x1b[2J", ""]), Ability(("a [2J",)), id="control characters"),
        pytest.param(
            json.dumps({"model_info": {"llama.context_length": 8192, "clip.context_length": 77}}).encode(),
            Ability((), 8192),
            id="the longest context of its parts",
        ),
        pytest.param(
            json.dumps({"model_info": {"llama.context_length": "x", "a.context_length": -4}}).encode(),
            Ability(),
            id="a context that is no length",
        ),
        pytest.param(b"", None, id="no answer"),
        pytest.param(b"<html>", None, id="no JSON"),
        pytest.param(b'{"capabilities": 3}', None, id="another shape"),
    ],
)
def test_what_a_model_can_do(answer: bytes, want: Ability | None) -> None:
    assert ability(answer) == want


def test_its_abilities_are_bounded() -> None:
    found = ability(show([f"a{number}" for number in range(999)]))
    assert found is not None
    assert len(found.can) == CAPABILITIES_MAX


def test_abilities_belong_to_a_name_and_a_digest() -> None:
    models = (Model("a:1", "d1"), Model("b:1", "d2"), Model("c:1", "d3"))
    known = {
        ("a:1", "d1"): Ability(("tools",), 4096),
        ("b:1", "old"): Ability(("tools",)),
        ("c:1", "d3"): Ability(absent=True),
    }
    found = able(models, known)
    assert [(one.can, one.window, one.absent) for one in found] == [
        (("tools",), 4096, False),
        (None, 0, False),
        ((), 0, True),
    ]
    assert usable(found) == ("a:1", "b:1")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param((Model("a:1", until="later"),), True, id="when it is unloaded"),
        pytest.param((Model("a:1", loaded=True),), False, id="whether it is loaded"),
        pytest.param((Model("a:1", can=("tools",)),), False, id="what it can do"),
        pytest.param((Model("a:1", "d2"),), False, id="its digest"),
        pytest.param((Model("a:1", absent=True),), False, id="whether it is there"),
        pytest.param((Model("b:1"),), False, id="its name"),
        pytest.param((), False, id="their number"),
    ],
)
def test_what_makes_another_choice_possible(other: tuple[Model, ...], *, same: bool) -> None:
    assert same_to_choose_by((Model("a:1"),), other) is same


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_whatever_comes_never_raises(tags: bytes, ps: bytes) -> None:
    loaded(listed(tags) or (), ps)
    ability(tags)


def test_the_recorded_answers_of_a_real_ollama() -> None:
    model = only(body("tags.http"), body("ps-loaded.http"))
    assert (model.name, model.digest, model.size, model.parameters, model.quantisation) == (
        "mistral:latest",
        DIGEST[:12],
        337193,
        "82K",
        "unknown",
    )
    assert (model.loaded, model.memory, model.in_card, model.context) == (True, 377600, 0.0, 512)


def test_of_a_model_of_which_nothing_is_said_nothing_is_known() -> None:
    assert Model("a:1") == Model("a:1", size=0, window=0, memory=0, vram=0, context=0, loaded=False)
    assert only(raw({"name": "a:1"}), raw({"name": "a:1"})) == Model("a:1", loaded=True)
    assert only(raw({"name": "a:1", "size": -5}), raw({"name": "a:1", "size_vram": -1, "context_length": -7})).size == 0


@pytest.mark.parametrize(("memory", "vram", "share"), [(1, 1, 1.0), (1, 0, 0.0), (4, 1, 0.25)])
def test_the_least_that_may_be_loaded(memory: int, vram: int, share: float) -> None:
    assert Model("a:1", memory=memory, vram=vram).in_card == share
