"""`[models]` of the config."""

import pytest

from ollama_locate.core.config import parse_config
from ollama_locate.core.config_models import Models
from ollama_locate.core.errors import ConfigError


def read(text: str) -> Models:
    return parse_config(f"[models]\n{text}".encode(), "c.toml").models


def test_all_of_it() -> None:
    found = read(
        'no_pull = ["nas"]\nrequire = ["mistral", "coder"]\ncloud = true\n'
        '[models.alias]\ncoder = ["qwen2.5-coder:32b", "qwen2.5-coder"]\nsmall = "qwen3:4b"\n'
    )
    assert [one.text for one in found.no_pull] == ["nas"]
    assert found.require == ("mistral:latest", "coder")
    assert found.alias == {"coder": ("qwen2.5-coder:32b", "qwen2.5-coder:latest"), "small": ("qwen3:4b",)}
    assert found.cloud


def test_without_any() -> None:
    assert parse_config(b"", "c.toml").models == Models() == read("")


def test_what_decides_reaches_the_core() -> None:
    settings = parse_config(b'[models]\nrequire = ["m"]\ncloud = true\n[models.alias]\na = "b:1"', "c").settings()
    assert (settings.require, settings.aliases, settings.cloud) == ((("m:latest",),), {"a": ("b:1",)}, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("nopull = []", "c.toml:2: models.nopull: unknown key; there are no_pull, require", id="a key"),
        pytest.param('no_pull = "nas"', 'c.toml:2: models.no_pull: must be a list; write ["nas"]', id="no patterns"),
        pytest.param('no_pull = ["tag:"]', "c.toml:2: models.no_pull: `tag:` names no", id="no tag"),
        pytest.param('require = "mistral"', "c.toml:2: models.require: must be a list of models", id="no list"),
        pytest.param("require = [3]", "models.require: must be a list of models", id="no text"),
        pytest.param('require = ["$(x)"]', "models.require: `$(x)` is no model's name", id="no name"),
        pytest.param('require = ["qwen3:*"]', "models.require: `qwen3:*` is no model's name", id="a pattern"),
        pytest.param('cloud = "yes"', "c.toml:2: models.cloud: ", id="no truth value"),
        pytest.param("alias = 3", "models.alias: must be a table", id="aliases that are none"),
        pytest.param('alias = {"a:1" = ["b"]}', "models.alias.a:1: an alias has letters", id="an alias with a tag"),
        pytest.param('alias = {"a/b" = ["b"]}', "models.alias.a/b: an alias has letters", id="an alias with a slash"),
        pytest.param("alias = {a = []}", "models.alias.a: it names no model", id="an alias for nothing"),
        pytest.param("alias = {a = 3}", "models.alias.a: must be a list of models", id="an alias for a number"),
        pytest.param(
            'alias = {a = ["b"], b = ["c"]}',
            "models.alias.a: it names `b`, which is an alias itself",
            id="an alias for an alias",
        ),
        pytest.param('[models.alias]\na = "x"\nb = ["$"]', "c.toml:4: models.alias.b: `$` is no model", id="its line"),
        pytest.param('[models.alias]\na = "x"\n"b:1" = "y"', "c.toml:4: models.alias.b:1: an alias", id="in quotes"),
        pytest.param(f"alias = {{{', '.join(f'a{n} = []' for n in range(65))}}}", "at most 64", id="too many aliases"),
        pytest.param(f"require = {['m'] * 17}", "at most 16 models", id="too many required"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert said in str(caught.value)


def test_the_table_itself() -> None:
    with pytest.raises(ConfigError, match="must be a table"):
        parse_config(b"models = 3", "c")
