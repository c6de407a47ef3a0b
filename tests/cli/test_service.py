"""The command, with stand-ins for systemctl; the same on a real systemd: tests/real/test_service.py."""

import json
import os
import sys
from pathlib import Path

import pytest

from ollama_locate.cli.main import main
from ollama_locate.edge import systemd
from ollama_locate.edge.files import StateFolder
from ollama_locate.edge.lock import Lock
from tests.cli.machine import Machine
from tests.standins.programs import Says

INACTIVE = "LoadState=loaded\nActiveState=inactive\nMainPID=0\nNRestarts=0\nFragmentPath={file}\n"
ACTIVE = (
    INACTIVE.replace("inactive", "active").replace("MainPID=0", "MainPID=77")
    + "UnitFileState=enabled\nStatusText=gpu 2 ms\n"
)


def test_install_shows_what_was_found(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["service", "install"]) == 0
    out = capsys.readouterr().out
    assert f"{machine.unit}: written\nstarted; its first round took 0." in out
    assert "endpoint: http://localhost:11434 (default)" in out
    assert "`service install --linger` lets it go on" in out
    unit = machine.unit.read_text()
    assert f'ExecStart="{Path(sys.executable).with_name("ollama-located")}"' in unit
    # A start-up file says so, of which systemd's manager knows nothing; what it knows is not repeated.
    assert f'Environment="OLLAMA_LOCATE_STATE_DIR={machine.state}"\n' in unit
    assert "XDG_CONFIG_HOME" not in unit


def test_install_lets_it_linger_when_asked(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["service", "install", "--linger"]) == 0
    assert any("enable-linger" in one for one in machine.programs.asked)
    machine.programs.put("loginctl", {"show-user*": Says("yes\n")})
    assert main(["service", "install"]) == 0
    assert "whether or not you are logged in" in capsys.readouterr().out


def test_a_start_that_fails_shows_its_last_words(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.knows("", Says("", "Job failed.", 1))
    assert main(["service", "install"]) == 1
    assert "failed: Job failed.\nIts last words:\n  the last words\n" in capsys.readouterr().err


def test_a_daemon_that_publishes_nothing_is_told(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ollama_locate.cli.service._FIRST_ROUND", 0.1)
    machine.knows("", Says())
    assert main(["service", "install"]) == 1
    assert "has published nothing" in capsys.readouterr().err


def test_one_that_was_started_by_hand_is_in_the_way(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    folder = StateFolder(machine.state)
    lock = Lock(folder)
    for verb in ("install", "uninstall"):
        assert main(["service", verb]) == 1
        assert f"kill {os.getpid()}" in capsys.readouterr().err
    assert not machine.unit.exists()
    lock.release()
    folder.close()


def test_uninstall_leaves_the_config_and_what_is_not_ours(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    main(["service", "install"])
    (machine.state / "requests").mkdir()
    (machine.state / "requests/refresh-1-2").touch()
    (machine.state / "mine.txt").touch()
    (machine.state / "setup.json").touch()
    capsys.readouterr()

    assert main(["service", "uninstall"]) == 0

    out = capsys.readouterr().out
    assert sorted(path.name for path in machine.state.iterdir()) == ["mine.txt", "setup.json"]
    assert f"removed: {machine.unit}\n" in out
    assert f"stays: {machine.config} " in out
    assert f"stays: {machine.state}, as it holds mine.txt, setup.json" in out
    assert "`ollama-locate setup --undo`" in out

    (machine.state / "mine.txt").unlink()
    (machine.state / "setup.json").unlink()
    assert main(["service", "uninstall", "--purge"]) == 0
    assert not machine.state.exists()
    assert not machine.config.exists()
    capsys.readouterr()
    assert main(["service", "uninstall"]) == 0
    assert capsys.readouterr().out == "there was nothing to remove\n"


@pytest.mark.parametrize(
    ("shown", "code", "says"),
    [
        pytest.param(ACTIVE, 0, "service\tactive\nsays\tgpu 2 ms\npid\t77\nmanager\tsystemd (user)\n", id="runs"),
        pytest.param(
            INACTIVE.replace("NRestarts=0", "NRestarts=9") + "Result=watchdog\n",
            1,
            "service\tinactive (watchdog), not enabled\nrestarts\t9\n",
            id="was killed",
        ),
        pytest.param("FragmentPath=\n", 1, "not installed in systemd (user); type: ollama-locate service", id="absent"),
    ],
)
def test_status(machine: Machine, capsys: pytest.CaptureFixture[str], shown: str, code: int, says: str) -> None:
    machine.knows(shown)
    assert main(["service", "status"]) == code
    out = capsys.readouterr().out
    assert says in out
    assert ("the last words" in out) == ("watchdog" in says)
    assert main(["service", "status", "--json"]) == code
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["running"]) == (1, code == 0)


def test_restart(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.knows("FragmentPath=\n")
    assert main(["service", "restart"]) == 1
    assert "it is not installed" in capsys.readouterr().err
    machine.knows(ACTIVE)
    assert main(["service", "restart"]) == 0
    assert machine.programs.asked[-1] == "systemctl --user restart ollama-located.service"


def test_logs_become_the_program_that_shows_them(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(os, "execvp", lambda _file, words: became.append(words))
    main(["service", "logs", "-f", "-n", "3"])
    assert became == [["journalctl", "--user-unit", "ollama-located.service", "--lines", "3", "--follow"]]
    assert machine.programs.asked == ["systemctl --user show-environment"]


def test_without_any_manager_another_way_is_shown(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "_BOOTED", Path("/nowhere"))
    assert main(["service", "install"]) == 1
    err = capsys.readouterr().err
    assert "neither systemd nor launchd" in err
    assert f"@reboot {Path(sys.executable).with_name('ollama-located')}" in err
    assert machine.programs.asked == []


def test_macos_has_an_agent_and_no_system_service(
    machine: Machine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "_BOOTED", Path("/nowhere"))
    monkeypatch.setattr(sys, "platform", "darwin")
    machine.programs.put("launchctl", {"print*": Says("", "", 113)})
    assert main(["service", "install", "--system"]) == 1
    assert "leave out --system" in capsys.readouterr().err
    assert main(["service", "status"]) == 1
    assert "not installed in launchd" in capsys.readouterr().out
