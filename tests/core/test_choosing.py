"""Which model is meant, and who has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.core.choosing import Chosen, Wish, alternatives, choose_model, fulfil, why_none
from ollama_locate.core.inventory import Model
from ollama_locate.core.snapshot import Snapshot
from tests.snapshots import alive, snapshot
from tests.standins.tailscale import node

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


ALIASES = {"coder": ("nope:1", "qwen3:4b", "mistral:latest"), "gone": ("nope:1",)}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param("coder", ("qwen3:4b", NAS), id="an alias means the first that exists"),
        pytest.param("gone,mistral", ("mistral:latest", GPU), id="one whose models nobody has"),
        pytest.param("coder:latest", None, id="an alias has no tag"),
    ],
)
def test_an_alias(wanted: str, found: tuple[str, str] | None) -> None:
    assert choose_model(wanted, BEST, ALIASES) == (Chosen(*found) if found else None)
    assert alternatives("x,gone", ALIASES) == ["x:latest", "nope:1"]


TOOLS = ("completion", "tools")
STOCKS = {
    "n2:11434": (Model("llama:8b", can=("completion",)), Model("qwen:4b", can=TOOLS), Model("new:1")),
    "n3:11434": (Model("llama:8b", can=("completion",), loaded=True), Model("qwen:4b", can=TOOLS)),
}


def published(stocks: dict[str, tuple[Model, ...]] | None = None) -> Snapshot:
    names = ("llama:8b", "qwen:4b", "new:1")
    probes = {"n2:11434": alive(0.001, *names), "n3:11434": alive(0.09, *names[:2])}
    config = '[models.alias]\nsmall = ["nope:1", "qwen:4b"]'
    return snapshot(probes, node("gpu", 2), node("nas", 3), stocks=STOCKS if stocks is None else stocks, config=config)


@pytest.mark.parametrize(
    ("wish", "model", "url"),
    [
        pytest.param(Wish("qwen:4b"), "qwen:4b", GPU, id="a name"),
        pytest.param(Wish("small"), "qwen:4b", GPU, id="an alias"),
        pytest.param(Wish("llama:8b"), "llama:8b", NAS, id="loaded first"),
        pytest.param(Wish(can=frozenset({"tools"})), "qwen:4b", GPU, id="whatever can do it"),
        pytest.param(Wish(can=frozenset(TOOLS)), "qwen:4b", GPU, id="whatever can just that"),
        pytest.param(Wish("llama:8b,*", frozenset({"tools"})), "qwen:4b", GPU, id="the first that can"),
        pytest.param(Wish(loaded=True), "llama:8b", NAS, id="whatever is loaded"),
        pytest.param(Wish("qwen:4b,llama:8b", loaded=True), "llama:8b", NAS, id="the first that is loaded"),
    ],
)
def test_a_wish(wish: Wish, model: str, url: str) -> None:
    assert fulfil(wish, published()) == Chosen(model, url)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        pytest.param(Wish("nope"), "", id="nobody has it"),
        pytest.param(Wish("llama:8b", frozenset({"tools"})), "llama:8b can: completion", id="it cannot"),
        pytest.param(Wish(can=frozenset({"vision", "tools"})), "of 3 models none can tools and vision", id="none"),
        pytest.param(
            Wish("qwen:*,new:1", frozenset({"tools"}), loaded=True),
            "of 2 models none can tools and is loaded",
            id="none of several",
        ),
        pytest.param(Wish("new:1", frozenset({"tools"})), "what new:1 can do is not known yet", id="nobody knows yet"),
        pytest.param(
            Wish("qwen:4b", loaded=True),
            "qwen:4b is there, but loaded nowhere; `ollama-locate ensure qwen:4b` loads it",
            id="it is cold",
        ),
        pytest.param(
            Wish("new:1", loaded=True),
            "new:1 is there, but loaded nowhere; `ollama-locate ensure new:1` loads it",
            id="it is cold, and nobody knows what it can do",
        ),
        pytest.param(
            Wish("qwen:4b", frozenset(TOOLS), loaded=True),
            "qwen:4b is there, but loaded nowhere; `ollama-locate ensure qwen:4b` loads it",
            id="it can just that, and is cold",
        ),
        pytest.param(
            Wish("qwen:4b", frozenset({"tools"}), loaded=True),
            "qwen:4b is there, but loaded nowhere; `ollama-locate ensure qwen:4b` loads it",
            id="it can, and is cold",
        ),
    ],
)
def test_a_wish_that_nobody_fulfils(wish: Wish, said: str) -> None:
    found = published()
    assert fulfil(wish, found) is None
    assert why_none(wish, found) == said


def test_abilities_of_a_server_whose_models_are_not_known_in_detail() -> None:
    found = published({})
    assert fulfil(Wish("llama:8b", frozenset({"tools"})), found) is None
    assert why_none(Wish("llama:8b", frozenset({"tools"})), found) == "what llama:8b can do is not known yet"


def test_a_model_that_can_nothing_that_has_a_name() -> None:
    found = published({"n2:11434": (Model("llama:8b", can=()),), "n3:11434": ()})
    assert "llama:8b can: nothing that" in why_none(Wish("llama:8b", frozenset({"tools"})), found)


def test_what_was_asked_for_in_full() -> None:
    assert alternatives("mistral, qwen3:*,,hf.co/a/b") == ["mistral:latest", "qwen3:*", "hf.co/a/b:latest"]


@given(st.text(max_size=30))
def test_whatever_is_asked_for_is_had_or_is_none(wanted: str) -> None:
    found = choose_model(wanted, BEST)
    assert found is None or BEST[found.model] == found.url
