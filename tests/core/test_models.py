"""Model names."""

import pytest

from ollama_locate.core.models import full_name, has_model, is_cloud, is_model_name, may_be_pulled


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("mistral", True),
        ("mistral:7b-instruct_q4.0", True),
        ("hf.co/bartowski/Llama-3.2:Q4_K_M", True),
        ("registry.example:5000/me/m:1", True),
        ("", False),
        ("-m", False),
        ("a b", False),
        ("a\n", False),
        ("ä", False),
        ("../etc", False),
        ("a/../b", False),
        ("a" * 256, True),
        ("a" * 257, False),
    ],
)
def test_a_model_s_name_can_stand_in_every_file(name: str, *, want: bool) -> None:
    assert is_model_name(name) is want


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("mistral", True),
        ("registry.example:5000/me/m:1", True),
        ("a//b", False),
        ("a/", False),
        ("a:", False),
        ("a/../b", False),
        ("a\x1b", False),
        ("a" * 4096, False),
    ],
)
def test_a_name_with_an_empty_part_cannot_be_pulled(name: str, *, want: bool) -> None:
    assert may_be_pulled(name) is want


@pytest.mark.parametrize(
    ("name", "full"),
    [
        pytest.param("mistral", "mistral:latest", id="without a tag latest is meant"),
        pytest.param("mistral:7b", "mistral:7b", id="a tag stays"),
        pytest.param("host:5000/me/mistral", "host:5000/me/mistral:latest", id="a port is no tag"),
        pytest.param("host:5000/me/mistral:7b", "host:5000/me/mistral:7b", id="a port and a tag"),
        pytest.param("library/mistral", "mistral:latest", id="Ollama's own library"),
        pytest.param("registry.ollama.ai/library/mistral:7b", "mistral:7b", id="Ollama's own registry"),
        pytest.param("registry.ollama.ai/me/mistral", "me/mistral:latest", id="somebody's in Ollama's registry"),
        pytest.param("host/library/mistral", "host/library/mistral:latest", id="another's library"),
    ],
)
def test_a_name_without_a_tag_means_latest(name: str, full: str) -> None:
    assert full_name(name) == full


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("gpt-oss:120b-cloud", True),
        ("me/kimi-k2:cloud", True),
        ("m:Cloud", True),
        ("cloud", False),
        ("cloud:7b", False),
    ],
)
def test_a_tag_tells_what_runs_elsewhere(name: str, *, want: bool) -> None:
    assert is_cloud(name) is want


@pytest.mark.parametrize(
    ("models", "wanted", "want"),
    [
        pytest.param(("mistral:latest",), "mistral", True, id="listed"),
        pytest.param(("mistral:7b",), "mistral", False, id="another tag"),
        pytest.param((), "mistral", False, id="none listed"),
        pytest.param(None, "mistral", False, id="the list is not known"),
    ],
)
def test_a_model_is_there_when_the_list_says_so(models: tuple[str, ...] | None, wanted: str, *, want: bool) -> None:
    assert has_model(models, wanted) is want
