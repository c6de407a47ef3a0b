"""The Neovim plugin, by the files that plugin managers leave."""

from pathlib import Path

import pytest

from ollama_locate.checks import neovim
from ollama_locate.core.constants import VERSION
from tests.checks.machine import Machine, program

PLACES = [
    pytest.param(".local/share/nvim/lazy/ollama-locate", id="lazy.nvim"),
    pytest.param(".local/share/nvim/site/pack/packer/start/ol", id="packer"),
    pytest.param(".local/share/nvim/site/pack/core/opt/ol", id="Neovim's own"),
    pytest.param(".local/share/nvim/plugged/ollama-locate", id="vim-plug"),
    pytest.param(".config/nvim/pack/mine/start/ol", id="a package of one's own"),
]


@pytest.fixture
def nvim(here: Machine, tmp_path: Path) -> Machine:
    """A Neovim that says so if it is ever started."""
    here.environment["PATH"] = str(program(tmp_path / "bin/nvim", f"touch {tmp_path}/started").parent)
    return here


def install(folder: Path, version: str) -> None:
    for name, text in {
        "lua/ollama_locate/init.lua": "",
        "daemon/ollama_locate/core/constants.py": f'VERSION: Final = "{version}"\n',
    }.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text)


def test_without_neovim_there_is_nothing_to_say(here: Machine) -> None:
    here.environment["PATH"] = "/nowhere"
    assert here.codes(neovim.run) == []


def test_the_plugin_is_missing(nvim: Machine, tmp_path: Path) -> None:
    assert nvim.codes(neovim.run) == ["neovim_missing"]
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("place", PLACES)
def test_the_plugin_is_there(nvim: Machine, home: Path, place: str) -> None:
    install(home / place, VERSION)
    assert nvim.codes(neovim.run) == []


def test_the_plugin_is_old(nvim: Machine, home: Path) -> None:
    folder = home / ".local/share/nvim/lazy/ollama-locate"
    install(folder, "0.0.9")
    finding = nvim.the(neovim.run, "neovim_old")
    assert "of version 0.0.9" in finding.text
    assert finding.mend == f"git -C {folder} pull"


def test_another_name_of_neovim_s(nvim: Machine, home: Path) -> None:
    install(home / ".local/share/other/lazy/ol", VERSION)
    assert nvim.codes(neovim.run) == ["neovim_missing"]
    nvim.environment["NVIM_APPNAME"] = "other"
    assert nvim.codes(neovim.run) == []


def test_a_plugin_kept_elsewhere_is_known_by_the_config(nvim: Machine, home: Path) -> None:
    config = home / ".config/nvim/lua/plugins/ai.lua"
    config.parent.mkdir(parents=True)
    (config.parent / "odd.lua").symlink_to("/nowhere")
    config.write_text('{ dir = "~/src/ollama-locate" }')
    assert nvim.codes(neovim.run) == []


def test_a_file_that_cannot_be_read_is_no_file(tmp_path: Path) -> None:
    assert neovim._beginning(tmp_path) == ""
    assert neovim._beginning(tmp_path / ("n" * 300)) == ""
