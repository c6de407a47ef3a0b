"""What systemctl is asked, and how its refusals are passed on; on a real systemd: tests/real/test_service.py."""

import os
from pathlib import Path

import pytest

from ollama_locate.core.errors import OperatorError
from ollama_locate.edge.systemd import Systemd
from tests.standins.programs import Programs, Says

PROGRAM = "/opt/ollama locate/bin/ollama-located"
REACHED = Says("Version=252\n")
ABSENT = Says("LoadState=not-found\nActiveState=inactive\nMainPID=0\nNRestarts=0\nFragmentPath=\n")
SHOW = "*'show ollama-located.service'*"
VERSION = "*'show --property=Version'*"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    made = Programs(tmp_path)
    monkeypatch.setenv("PATH", f"{made.folder}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    made.put(
        "systemctl",
        {"*show-environment*": Says(f"XDG_CONFIG_HOME={tmp_path}/config\n"), VERSION: REACHED, SHOW: ABSENT},
    )
    return made


def test_a_unit_is_written_enabled_and_started(programs: Programs, tmp_path: Path) -> None:
    systemd = Systemd(system=False)

    assert systemd.install(PROGRAM) == "written"
    systemd.start()

    text = (tmp_path / "config/systemd/user/ollama-located.service").read_text()
    assert f'ExecStart="{PROGRAM}"\n' in text
    assert programs.asked[-3:] == [
        "systemctl --user daemon-reload",
        "systemctl --user enable ollama-located.service",
        "systemctl --user restart ollama-located.service",
    ]
    assert systemd.install(PROGRAM) == "is as it was"
    assert systemd.install("/other/ollama-located") == "replaced"


def test_what_was_written_is_removed_and_nothing_else(programs: Programs, tmp_path: Path) -> None:
    systemd = Systemd(system=False)
    assert systemd.stop_and_remove() == [], "there is nothing"
    systemd.install(PROGRAM)

    assert systemd.stop_and_remove() == [str(systemd.file)]

    assert "systemctl --user disable --now ollama-located.service" in programs.asked
    assert not (tmp_path / "config/systemd/user").exists()
    systemd.file.parent.mkdir(parents=True)
    systemd.file.write_text("[Service]\n")
    with pytest.raises(OperatorError, match="was not written by"):
        systemd.stop_and_remove()
    with pytest.raises(OperatorError, match="move it away first"):
        systemd.install(PROGRAM)
    assert systemd.file.read_text() == "[Service]\n"


@pytest.mark.parametrize(
    ("pattern", "says", "sentence"),
    [
        pytest.param(
            VERSION, Says("", "Failed to connect to bus: No medium found", 1), "enable-linger", id="no user session"
        ),
        pytest.param(SHOW, Says("LoadState=masked\n"), "systemctl --user unmask", id="masked"),
        pytest.param(
            SHOW, Says("FragmentPath=/usr/lib/systemd/user/ollama-located.service\n"), "/usr/lib/systemd", id="another"
        ),
        pytest.param(SHOW, Says("", "Connection timed out", 1), "Connection timed out", id="systemctl fails"),
        pytest.param("*enable*", Says("", "Read-only file system", 1), "Read-only file system", id="cannot enable"),
    ],
)
def test_what_is_in_the_way_is_passed_on(programs: Programs, pattern: str, says: Says, sentence: str) -> None:
    programs.put("systemctl", {VERSION: REACHED, SHOW: ABSENT, pattern: says})
    with pytest.raises(OperatorError, match=sentence):
        Systemd(system=False).install(PROGRAM)


def test_a_start_that_fails_says_what_systemd_said(programs: Programs) -> None:
    programs.put("systemctl", {"*restart*": Says("", "Job failed.\x1b[2J See journalctl.", 1)})
    with pytest.raises(OperatorError, match=r"restart ollama-located.service` failed: Job failed. \[2J See journalctl"):
        Systemd(system=False).start()


def test_the_state_is_read(programs: Programs) -> None:
    lines = "ActiveState=active\nUnitFileState=enabled\nMainPID=12\nNRestarts=3\nResult=watchdog\nStatusText=gpu 2 ms\n"
    programs.put("systemctl", {SHOW: Says(lines)})
    found = Systemd(system=False).state()
    assert (found.active, found.enabled, found.pid, found.restarts) == ("active", True, 12, 3)
    assert (found.result, found.says) == ("watchdog", "gpu 2 ms")


def test_the_log_and_its_last_words(programs: Programs) -> None:
    programs.put("journalctl", {"*": Says("one\ntwo\x07")})
    assert Systemd(system=False).logs(7, follow=True) == [
        *("journalctl", "--user-unit", "ollama-located.service", "--lines", "7", "--follow")
    ]
    assert Systemd(system=True).logs(7, follow=False)[1] == "--unit"
    assert Systemd(system=False).last_words() == ["one", "two"]
    programs.put("journalctl", {"*": Says("", "No journal files were found.", 1)})
    assert Systemd(system=False).last_words() == []


@pytest.mark.parametrize(("says", "lingers"), [(Says("yes\n"), True), (Says("no\n"), False), (Says(code=1), None)])
def test_lingering(programs: Programs, says: Says, lingers: object) -> None:
    programs.put("loginctl", {"show-user*": says})
    systemd = Systemd(system=False)
    assert systemd.lingers() is lingers
    systemd.linger(on=True)
    systemd.linger(on=False)
    words = [one.split()[1] for one in programs.asked if one.startswith("loginctl")]
    assert words == ["show-user", "enable-linger", "disable-linger"]


def test_a_session_without_its_variable_is_found_all_the_same(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    runtime = Path(f"/run/user/{os.getuid()}")
    programs.put("systemctl", {SHOW: Says(does=f'echo "$XDG_RUNTIME_DIR" > {tmp_path}/runtime')})
    Systemd(system=False).state()
    assert (tmp_path / "runtime").read_text() == (f"{runtime}\n" if runtime.is_dir() else "\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="what root is told")
def test_the_systems_service_cannot_see_a_home_folder(programs: Programs) -> None:
    with pytest.raises(OperatorError, match="lies in a home folder"):
        Systemd(system=True).install("/home/ada/.local/bin/ollama-located")
    assert not any("enable" in one for one in programs.asked)


def test_the_systems_service_is_roots(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(OperatorError, match="sudo ollama-locate service install --system"):
        Systemd(system=True).install(PROGRAM)
    assert programs.asked == ["systemctl show --property=Version"]


def test_the_unit_lies_where_the_manager_looks_for_it(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, home: Path, tmp_path: Path
) -> None:
    """A start-up file may set XDG_CONFIG_HOME, of which the manager knows nothing."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    programs.put("systemctl", {"*show-environment*": Says("LANG=C\n"), VERSION: REACHED, SHOW: ABSENT})
    systemd = Systemd(system=False)
    systemd.install(PROGRAM)
    assert systemd.file == home / ".config/systemd/user/ollama-located.service"
    assert f'Environment="XDG_CONFIG_HOME={tmp_path}/config"\n' in systemd.file.read_text()
