"""The config: broken, warning, fine; and all else is looked at with the defaults."""

from pathlib import Path

import pytest

from ollama_locate.checks import config
from ollama_locate.core.config import Config
from tests.checks.machine import Machine
from tests.standins.tailscale import node


def test_a_broken_one_names_the_line_and_the_rest_goes_on(here: Machine, home: Path) -> None:
    here.config["intervall"] = '"1s"'
    path = home / ".config/ollama-locate/config.toml"
    case = here.case()
    (finding,) = config.run(case)
    assert finding.code == "config_broken"
    assert f"{path}:3: unknown key `intervall`; did you mean `interval`?" in finding.text
    assert finding.mend == f"${{EDITOR:-vi}} {path}"
    assert case.config == Config()


def test_what_it_warns_of_is_a_note(here: Machine) -> None:
    here.config["forward"] = '{ listen = "0.0.0.0:11435" }'
    here.config["variables"] = '{ OLLAMA_HOST = "{url}", OPENAI_BASE_URL = "{url}/v1" }'
    (finding,) = config.run(here.case())
    assert finding.code == "config_warning"
    assert "every machine that can reach" in finding.text


@pytest.mark.parametrize(
    ("key", "value", "names"),
    [
        pytest.param("models", '{ no_pull = ["nsa", "nas", "tag:small", "*", "local"] }', "nsa", id="a slip"),
        pytest.param("models", '{ no_pull = ["tag:samll"] }', "tag:samll", id="a tag that nobody has"),
        pytest.param("prefer", '["gpu-bxo", "nas", "*"]', "gpu-bxo", id="of prefer"),
        pytest.param("prefer", '["nas", "office", "100.64.0.0/10", "*"]', None, id="all are somebody"),
    ],
)
def test_an_entry_that_names_nobody(here: Machine, key: str, value: str, names: str | None) -> None:
    here.tailnet(node("nas", 3, Tags=["tag:small"]))
    here.config[key] = value
    here.config["static"] = '{ office = "http://192.168.1.20:11434" }'
    found = config.run(here.case())
    assert [one.code for one in found] == ([] if names is None else ["config_names_nobody"])
    assert names is None or f" names {names}, and nobody is called so now" in found[0].text


def test_while_the_tailnet_is_not_known_nobody_is_missed(here: Machine) -> None:
    here.config["prefer"] = '["gpu-bxo"]'
    here.says("exit 1")
    assert config.run(here.case()) == []


def test_no_file_is_fine(here: Machine, home: Path) -> None:
    case = here.case()
    (home / ".config/ollama-locate/config.toml").unlink()
    assert config.run(case) == []
