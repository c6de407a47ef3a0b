"""What launchctl is asked: composed after its manual, noted by a stand-in, as no macOS is at hand."""

import os
import plistlib
from pathlib import Path

import pytest

from ollama_locate.core.errors import OperatorError
from ollama_locate.core.units import LABEL
from ollama_locate.edge.launchd import Launchd
from tests.standins.programs import Programs, Says

PROGRAM = "/Users/ada/Library & More/bin/ollama-located"
DOMAIN = f"gui/{os.getuid()}"
# The form of `launchctl print` on macOS 14, shortened by hand.
RUNS = Says(f"{DOMAIN}/{LABEL} = {{\n\tactive count = 1\n\tpath = /x.plist\n\tstate = running\n\n\tpid = 512\n}}\n")
GONE = Says("", "Could not find service", 113)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    made = Programs(tmp_path)
    monkeypatch.setenv("PATH", f"{made.folder}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    made.put("launchctl", {"print*": GONE})
    return made


def test_the_job_has_the_documented_keys(programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Launchd().install(PROGRAM) == "written"
    job = plistlib.loads((tmp_path / f"Library/LaunchAgents/{LABEL}.plist").read_bytes())
    assert job == {
        "Label": LABEL,
        "ProgramArguments": [PROGRAM],
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Interactive",
        "EnvironmentVariables": {
            "TAILSCALE_BE_CLI": "1",
            "PATH": "/usr/local/bin:/opt/homebrew/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        },
        "StandardOutPath": "/dev/null",
        "StandardErrorPath": str(tmp_path / "Library/Logs/ollama-located.log"),
    }
    assert programs.asked == []
    assert Launchd().install(PROGRAM) == "is as it was"
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", "/Users/ada/a & b")
    assert Launchd().install(PROGRAM) == "replaced"
    job = plistlib.loads((tmp_path / f"Library/LaunchAgents/{LABEL}.plist").read_bytes())
    assert job["EnvironmentVariables"]["OLLAMA_LOCATE_STATE_DIR"] == "/Users/ada/a & b"
    assert Launchd().install("/elsewhere") == "replaced"


def test_it_is_started(programs: Programs) -> None:
    agent = Launchd()
    agent.install(PROGRAM)
    agent.start()
    target = f"{DOMAIN}/{LABEL}"
    assert programs.asked == [
        f"launchctl print {target}",
        f"launchctl enable {target}",
        f"launchctl bootstrap {DOMAIN} {agent.file}",
    ]


def test_one_that_runs_is_ended_first_and_waited_for(programs: Programs, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    still = Says(RUNS.out, does=f"[ -e {gone} ] && exit 113")
    programs.put("launchctl", {"print*": still, "bootout*": Says(does=f"( sleep 0.2; : > {gone} ) &")})
    agent = Launchd()
    agent.install(PROGRAM)
    agent.start()
    words = [one.split()[1] for one in programs.asked]
    assert words[:2] == ["print", "bootout"]
    assert words[-3:] == ["print", "enable", "bootstrap"]


def test_over_ssh_it_cannot_be_started(programs: Programs) -> None:
    refused = Says("", "Bootstrap failed: 125: Domain does not support specified action", 125)
    programs.put("launchctl", {"print*": GONE, "bootstrap*": refused})
    with pytest.raises(OperatorError, match=r"125: Domain does not.*logged in at the screen"):
        Launchd().start()


def test_the_state_is_read(programs: Programs) -> None:
    assert Launchd().state().file == ""
    programs.put("launchctl", {"print*": RUNS})
    found = Launchd().state()
    assert (found.active, found.pid, found.file) == ("active", 512, "/x.plist")


def test_it_is_removed_with_its_log(programs: Programs) -> None:
    agent = Launchd()
    assert agent.stop_and_remove() == []
    agent.install(PROGRAM)
    (log := Path(agent.logs(1, follow=False)[-1])).write_text("one\ntwo\n")
    assert agent.last_words() == ["one", "two"]
    assert agent.logs(3, follow=True) == ["tail", "-n", "3", "-F", str(log)]
    assert agent.stop_and_remove() == [str(agent.file), str(log)]
    assert not agent.file.exists()
    assert not log.exists()
    assert programs.asked, "it was asked whether it runs"


def test_a_foreign_job_of_the_name_is_left_alone(programs: Programs) -> None:
    agent = Launchd()
    agent.file.parent.mkdir(parents=True)
    agent.file.write_text("<plist/>")
    for act in (lambda: agent.install(PROGRAM), agent.stop_and_remove):
        with pytest.raises(OperatorError, match="was not written by"):
            act()
    assert agent.file.read_text() == "<plist/>"
    assert programs.asked == []
