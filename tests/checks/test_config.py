"""The config: broken, warning, fine; and all else is looked at with the defaults."""

from pathlib import Path

from ollama_locate.checks import config
from ollama_locate.core.config import Config
from tests.checks.machine import Machine


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


def test_no_file_is_fine(here: Machine, home: Path) -> None:
    case = here.case()
    (home / ".config/ollama-locate/config.toml").unlink()
    assert config.run(case) == []
