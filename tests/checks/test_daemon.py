"""The daemon: real locks and heartbeats; of systemd, recordings of a real one that are replayed by an executable."""

import os
import time
from pathlib import Path

import pytest

from ollama_locate.checks import daemon
from ollama_locate.checks.daemon import Facts, Unit, judge
from ollama_locate.core.constants import VERSION
from ollama_locate.edge import systemctl
from ollama_locate.edge.lock import Lock
from tests.checks.machine import Machine, program
from tests.snapshots import publish, snapshot

RECORDINGS = Path(__file__).parent / "recordings"
RUNNING = Unit(user=True, load="loaded", active="active", result="success")


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl that knows no unit, until another recording is put there."""
    folder = tmp_path / "units"
    folder.mkdir()
    body = f"""for last; do :; done
case "$1" in --user) who=user ;; *) who=system ;; esac
cat "{folder}/$who" 2>/dev/null || cat "{RECORDINGS}/unit-absent.txt" """
    program(tmp_path / "bin/systemctl", body)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return folder


def recorded(folder: Path, who: str, name: str) -> None:
    (folder / who).write_text((RECORDINGS / f"unit-{name}.txt").read_text())


@pytest.mark.usefixtures("systemd")
def test_none_runs(here: Machine) -> None:
    finding = here.the(daemon.run, "daemon_not_running")
    assert finding.mend == "ollama-locate service install"


@pytest.mark.usefixtures("systemd")
def test_one_runs(here: Machine, tmp_path: Path) -> None:
    folder = publish(tmp_path / "state", snapshot({}))
    lock = Lock(folder)
    assert here.codes(daemon.run) == []
    old = time.time() - 300
    os.utime(tmp_path / "state/verdict", (old, old))
    finding = here.the(daemon.run, "daemon_stale")
    assert f"(pid {os.getpid()}) has not been heard for 5 min" in finding.text
    assert finding.mend == f"kill {os.getpid()}; ollama-locate service install"
    lock.release()
    assert here.codes(daemon.run) == ["daemon_not_running"]
    folder.close()


@pytest.mark.usefixtures("systemd")
def test_one_that_has_just_started_is_not_missed(here: Machine, tmp_path: Path) -> None:
    folder = publish(tmp_path / "state", snapshot({}))
    for path in (tmp_path / "state").iterdir():
        path.unlink()
    lock = Lock(folder)
    assert here.codes(daemon.run) == []
    lock.release()
    folder.close()


@pytest.mark.parametrize(
    ("recording", "code"),
    [
        pytest.param("watchdog", "daemon_watchdog", id="recorded: killed by its watchdog"),
        pytest.param("gave-up", "daemon_watchdog", id="recorded: killed five times"),
        pytest.param("failed", "daemon_failed", id="recorded: ended with an error"),
    ],
)
@pytest.mark.parametrize("who", ["user", "system"])
def test_what_systemd_says(here: Machine, systemd: Path, recording: str, code: str, who: str) -> None:
    recorded(systemd, who, recording)
    (finding,) = [one for one in daemon.run(here.case()) if one.code == code]
    assert ("--user" in finding.mend) == (who == "user")
    assert here.codes(daemon.run) == [code], "that none runs is explained by it"


def test_one_that_was_started_again_runs_and_is_a_warning(here: Machine, systemd: Path, tmp_path: Path) -> None:
    recorded(systemd, "user", "restarted")
    lock = Lock(publish(tmp_path / "state", snapshot({})))
    finding = here.the(daemon.run, "daemon_restarts")
    assert "so far this often: 2 (" in finding.text
    lock.release()


def test_two_are_installed(here: Machine, systemd: Path, tmp_path: Path) -> None:
    recorded(systemd, "user", "running")
    lock = Lock(publish(tmp_path / "state", snapshot({})))
    assert here.codes(daemon.run) == []
    recorded(systemd, "system", "running")
    assert here.codes(daemon.run) == ["daemon_twice"]
    lock.release()


@pytest.mark.parametrize(
    ("facts", "mend"),
    [
        pytest.param(Facts(None, beats=False, units=(RUNNING,)), "ollama-locate service restart", id="your unit"),
        pytest.param(
            Facts(None, beats=False, units=(RUNNING._replace(user=False),)),
            'sudo usermod -aG ollama-locate "$USER"  # then log in again',
            id="the system's, for others",
        ),
        pytest.param(
            Facts(None, beats=False, units=(RUNNING._replace(user=False, active="inactive"),)),
            "sudo ollama-locate service restart --system",
            id="the system's",
        ),
        pytest.param(
            Facts(None, beats=False, agent=True),
            "ollama-locate service restart",
            id="launchd",
        ),
        pytest.param(
            Facts(7, beats=False, silent=200.0, units=(RUNNING,)),
            "ollama-locate service restart",
            id="stale, your unit",
        ),
        pytest.param(
            Facts(7, beats=False, silent=200.0, units=(RUNNING._replace(user=False),)),
            "sudo ollama-locate service restart --system",
            id="stale, the system's",
        ),
        pytest.param(
            Facts(7, beats=False, silent=200.0, agent=True),
            "ollama-locate service restart",
            id="stale, launchd",
        ),
        pytest.param(
            Facts(7, beats=True, version="0.0.9"), "kill 7; ollama-locate service install", id="another version"
        ),
        pytest.param(
            Facts(7, beats=True, version=VERSION, system_folder=True),
            "sudo ollama-locate service uninstall --system",
            id="two, by their folders",
        ),
    ],
)
def test_how_it_is_mended(facts: Facts, mend: str) -> None:
    (finding,) = judge(facts)
    assert finding.mend == mend


@pytest.mark.parametrize(
    ("body", "want"),
    [
        pytest.param("exit 1", None, id="no bus"),
        pytest.param("sleep 30", None, id="hangs"),
        pytest.param(
            "printf 'Result=a\\033[2J\\nNRestarts=3\\nnonsense\\n'",
            {"Result": "a [2J", "NRestarts": "3", "nonsense": ""},
            id="escapes are gone",
        ),
    ],
)
def test_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, want: dict[str, str] | None) -> None:
    monkeypatch.setattr(systemctl, "DOCTOR_COMMAND", 0.3)
    monkeypatch.setenv("PATH", f"{program(tmp_path / 'bin/systemctl', body).parent}:{os.environ['PATH']}")
    assert systemctl.show("Result", user=True) == want


def test_show_without_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert systemctl.show("Result", user=False) is None


def test_a_number_of_restarts_that_is_none(here: Machine, systemd: Path, tmp_path: Path) -> None:
    (systemd / "user").write_text("LoadState=loaded\nNRestarts=many\n")
    lock = Lock(publish(tmp_path / "state", snapshot({})))
    assert here.codes(daemon.run) == []
    lock.release()


def test_a_state_folder_that_cannot_be_named(here: Machine, systemd: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - systemctl
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", "relative")
    assert here.codes(daemon.run) == ["daemon_not_running"]
