"""`ollama-locate doctor`, as a process of its own on real conditions, and in this process on an embedded tailnet."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ollama_locate.cli import doctor, findings
from ollama_locate.core.errors import OperatorError
from ollama_locate.edge.lock import Lock
from tests.checks.machine import Machine, machine, program
from tests.cli.test_terminal import PROGRAM
from tests.snapshots import alive, publish, snapshot
from tests.standins.ollama import closes_at_once, like_ollama
from tests.standins.tailscale import node

GPU = "100.64.0.2"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A machine on which all is well: a server, a daemon, a shell that follows."""
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SHELL", "/bin/zsh")
    binaries = program(tmp_path / "bin/systemctl", "exit 1").parent
    for name in ("cat", "sleep"):
        (binaries / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(binaries))
    for name in [name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("OPENAI")]:
        monkeypatch.delenv(name)
    (Path.home() / ".zshrc").write_text('eval "$(ollama-locate hook zsh)"\n')
    folder = tmp_path / "machine"
    folder.mkdir()
    state = publish(tmp_path / "state", snapshot({"n2:11434": alive(0.01, "m:1")}, node("gpu", 2)))
    lock = Lock(state)
    with machine(folder) as made:
        made.tailnet(node("gpu", 2))
        made.far(GPU, like_ollama("m:1"))
        yield made
    lock.release()
    state.close()


def run(here: Machine, *words: str) -> int:
    parser = argparse.ArgumentParser()
    doctor.add(parser.add_subparsers())
    return int(doctor.run(parser.parse_args(["doctor", *words]), here.case().wire))


def process(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "doctor", *words], capture_output=True, text=True, timeout=20, check=False
    )


def test_all_is_well_in_two_lines(here: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(here) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"All is well: 9 checks in 0\.\d s \(tailscale, servers, folder, .*, neovim\)\.", first)
    assert second == f"The endpoint is http://{GPU}:11434 (gpu, fresh)."


def test_a_note_does_not_fail(here: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    here.tailnet(node("gpu", 2), node("laptop-2", 3))
    here.far("100.64.0.3", None)
    assert run(here) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "NOTE  peer_refused"
    assert lines[3:5] == ["  On laptop-2:", ""]
    serve = "tailscale serve --bg --tcp 11434 tcp://127.0.0.1:11434"
    assert lines[5] == f"      ollama-locate expose  # or, without it: {serve}"
    assert lines[-2].startswith("Nothing else is wrong: 9 checks")


def test_a_problem_exits_1_and_hides_what_it_explains(here: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    here.tailnet(BackendState="Stopped")
    assert run(here, "--json") == 1
    data = json.loads(capsys.readouterr().out)
    assert [one["code"] for one in data["findings"]] == ["tailscale_stopped", "no_local_ollama"]
    assert data["hidden"] == ["no_server"]
    assert data["findings"][0] == {
        "code": "tailscale_stopped",
        "severity": "problem",
        "text": "Tailscale is turned off.",
        "why": "Without it only this machine's own Ollama and the servers of the config are used.",
        "mend": "tailscale up",
        "where": "",
        "servers": [],
    }
    assert (data["schema"], data["checked"][:2]) == (1, ["tailscale", "servers"])
    assert (data["endpoint"], data["verdict"]) == (f"http://{GPU}:11434", "fresh"), "as the daemon has published it"


# --- one machine


def test_one_machine_that_is_well(here: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(here, "gpu") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("gpu: chosen: ")
    assert "  version\t0.17.4" in lines
    assert lines[-1] == "All is well with it."


def test_one_machine_that_is_not(here: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    here.tailnet(node("gpu", 2), node("nas", 3))
    here.far("100.64.0.3", closes_at_once)
    assert run(here, "nas", "--json") == 1
    data = json.loads(capsys.readouterr().out)
    assert [(one["code"], one["severity"], one["where"]) for one in data["findings"]] == [
        ("peer_empty", "problem", "nas")
    ]
    (server,) = data["servers"]
    assert (server["name"], server["steps"]["Host"]) == ("nas", "-")


def test_one_that_is_left_alone_is_not_asked(here: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    here.tailnet(node("gpu", 2), node("bob", 5, UserID=2))
    assert run(here, "bob") == 1
    assert (
        "bob (100.64.0.5, fd7a:115c:a1e0::5) is left alone, and was not asked: it belongs to another user"
        in capsys.readouterr().out
    )
    assert run(here, "bob", "--json") == 1
    assert json.loads(capsys.readouterr().out)["left_alone"][0]["reason"] == "other_user"


def test_nobody_of_that_name(here: Machine) -> None:
    with pytest.raises(OperatorError, match="nobody is called `nosuch`; there are: gpu"):
        run(here, "nosuch")


def test_without_a_tailnet_that_is_what_is_said_of_anybody(here: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    here.tailnet(BackendState="Stopped")
    assert run(here, "gpu") == 1
    assert capsys.readouterr().out.startswith("PROBLEM  tailscale_stopped\n")


# --- as a process


def test_as_a_process_on_a_machine_without_tailscale(here: Machine) -> None:
    here.config |= {"tailscale": '"/nowhere/tailscale"', "ports": "[1]"}
    here.case()
    began = time.monotonic()
    done = process()
    assert time.monotonic() - began < 5
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("PROBLEM  tailscale_missing\n")
    assert "\x1b" not in done.stdout
    assert "no_server" not in done.stdout


def test_a_broken_config_is_a_finding_and_not_the_end(here: Machine) -> None:
    here.config["intervall"] = "3"
    here.case()
    done = process()
    assert (done.returncode, done.stderr) == (1, "")
    assert "unknown key `intervall`; did you mean `interval`?" in done.stdout


def test_a_tailscale_that_hangs_is_not_waited_for(here: Machine) -> None:
    here.says("sleep 60")
    here.config["ports"] = "[1]"
    here.case()
    began = time.monotonic()
    done = process()
    assert time.monotonic() - began < 6
    assert done.stdout.startswith("PROBLEM  tailscale_hangs\n")


def test_it_changes_nothing(here: Machine, tmp_path: Path) -> None:
    here.config["ports"] = "[1]"
    here.case()
    process()  # whatever Python itself leaves behind

    def files() -> dict[str, Any]:
        return {str(path): path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    before = files()
    process()
    assert files() == before


def test_a_folder_that_cannot_be_named(here: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    here.config["ports"] = "[1]"
    here.case()
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", "relative")
    done = process("--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert "folder_unusable" in {one["code"] for one in json.loads(done.stdout)["findings"]}


# --- on a terminal


@pytest.mark.parametrize("no_color", [False, True], ids=["colours", "NO_COLOR"])
def test_on_a_terminal_of_80_columns(here: Machine, monkeypatch: pytest.MonkeyPatch, no_color: bool) -> None:  # noqa: FBT001 - a table
    """Sentences are folded, commands are not; progress leaves nothing behind."""
    from tests.cli.test_terminal import on_terminal, plain  # noqa: PLC0415 - its fixture is not wanted here

    here.says("sleep 60")
    here.config["ports"] = "[1]"
    (Path.home() / ".zshrc").unlink()
    here.case()
    monkeypatch.setenv("TERM", "xterm-256color")
    if not no_color:
        monkeypatch.delenv("NO_COLOR")
    text = on_terminal("doctor", width=80, code=1)
    assert ("\x1b[1;31mPROBLEM\x1b[0m" in text) is not no_color
    shown = [re.sub(r".*\r\x1b\[K", "", one) for one in plain(text).split("\n")]
    long = [one for one in shown if len(one) > 80]
    assert "PROBLEM  tailscale_hangs" in shown
    assert all(one.startswith("      ") for one in long), "only commands may be longer"
    assert "looking at: " in text


def test_progress_is_silent_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    progress = findings.Progress()
    progress(["tailscale"])
    progress.end()
    assert capsys.readouterr().err == ""
