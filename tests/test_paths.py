"""One table of cases: the daemon, the commands and the fast path must look in the same folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ollama_locate import query
from ollama_locate.core.errors import StateFolderError
from ollama_locate.edge import folders

CASES = [
    pytest.param({}, "{home}/.local/state/ollama-locate", id="the default"),
    pytest.param({"XDG_STATE_HOME": "{tmp}/xdg"}, "{tmp}/xdg/ollama-locate", id="XDG_STATE_HOME"),
    pytest.param({"XDG_STATE_HOME": ""}, "{home}/.local/state/ollama-locate", id="an empty XDG_STATE_HOME"),
    pytest.param({"XDG_STATE_HOME": "rel"}, "{home}/.local/state/ollama-locate", id="a relative one is ignored"),
    pytest.param({"OLLAMA_LOCATE_STATE_DIR": "{tmp}/own"}, "{tmp}/own", id="OLLAMA_LOCATE_STATE_DIR"),
    pytest.param({"OLLAMA_LOCATE_STATE_DIR": ""}, "{home}/.local/state/ollama-locate", id="an empty one"),
    pytest.param(
        {"OLLAMA_LOCATE_STATE_DIR": "{tmp}/own", "XDG_STATE_HOME": "{tmp}/xdg"}, "{tmp}/own", id="ours comes first"
    ),
    pytest.param({"HOME": "{tmp}/with a blank"}, "{tmp}/with a blank/.local/state/ollama-locate", id="a blank in HOME"),
]


@pytest.mark.parametrize(("environment", "expected"), CASES)
def test_the_state_folder(
    environment: dict[str, str], expected: str, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(tmp=tmp_path))
    wanted = expected.format(tmp=tmp_path, home=home)
    assert str(folders.state_folder()) == wanted
    assert str(folders.reader_folder()) == wanted
    assert query.folder() == wanted


def test_a_relative_state_dir_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", "here")
    with pytest.raises(StateFolderError, match="must be an absolute path, not `here`"):
        folders.state_folder()
    assert query.folder() == ""


def test_the_system_service_is_read_where_the_user_has_no_endpoint(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "system"
    monkeypatch.setattr(folders, "SYSTEM_STATE", system)
    monkeypatch.setattr(query, "_SYSTEM", str(system))
    own = home / ".local/state/ollama-locate"
    for there, expected in ((None, own), (system, system), (own, own)):
        if there is not None:
            there.mkdir(parents=True)
            (there / "endpoint").write_text("http://localhost:11434\n")
        assert folders.reader_folder() == expected
        assert query.folder() == str(expected)


def test_the_config_file(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folders.config_file() == home / ".config/ollama-locate/config.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert folders.config_file() == tmp_path / "ollama-locate/config.toml"


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("COV")},
    )
    return set(done.stdout.split())


def test_the_fast_path_imports_nothing_but_built_in_modules() -> None:
    """Each import would cost more than all the rest of the program."""
    more = modules_after("from ollama_locate import query") - modules_after("import sys, os")
    assert {name for name in more if name not in sys.builtin_module_names} == {"ollama_locate", "ollama_locate.query"}


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        # asyncio itself imports ssl; a context, which is what costs, is made only for a static https server.
        ("located.daemon", {"httpx", "certifi", "rich", "sqlite3", "zeroconf", "ifaddr"}),
        ("located.main", {"httpx", "certifi", "rich", "sqlite3", "zeroconf", "ifaddr", "apscheduler"}),
        ("cli.main", {"httpx", "rich", "sqlite3", "asyncio", "apscheduler", "h11", "logging", "shtab"}),
    ],
)
def test_what_is_heavy_and_seldom_used_is_not_loaded(module: str, heavy: set[str]) -> None:
    assert not modules_after(f"import ollama_locate.{module}") & heavy
