"""The user's commands, run by the real daemon: each change is told, and nothing that a command does holds it up."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.edge.test_tailscale import until_dead
from tests.located.harness import Lab, until
from tests.standins.tailscale import executable

GPU = "http://100.64.0.2:11434"
NAS = "http://100.64.0.3:11434"
TELLS = 'echo "$OLLAMA_LOCATE_OLD_NAME>$OLLAMA_LOCATE_NEW_NAME $OLLAMA_LOCATE_VERDICT $1" >> {told}'


class Told:
    """A command's diary."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.file = lab.folder / "told"

    def configure(self, body: str, *words: str, more: str = "") -> None:
        script = executable(self._lab.folder / "command", body.format(told=self.file, folder=self._lab.folder))
        self._lab.configure(f"[[on_change]]\nrun = {json.dumps([str(script), *words])}\n{more}")

    @property
    def lines(self) -> list[str]:
        return self.file.read_text().splitlines() if self.file.exists() else []

    def until(self, *lines: str) -> None:
        until(lambda: self.lines == list(lines), f"{lines}; it is {self.lines}\n{self._lab.log}")


@pytest.fixture
def told(lab: Lab) -> Told:
    lab.machine("gpu", 2, 0.01)
    lab.machine("nas", 3, 0.05)
    return Told(lab)


def test_each_change_is_told_and_a_restart_is_none(lab: Lab, told: Told) -> None:
    told.configure(TELLS, "$(touch pwned); *")
    lab.start()
    told.until(">gpu fresh $(touch pwned); *")
    lab.stop()
    lab.start()
    lab.until_decided("gpu")
    lab.kill("gpu")
    lab.until_decided("nas")
    told.until(">gpu fresh $(touch pwned); *", "gpu>nas fresh $(touch pwned); *")
    lab.kill("nas")
    lab.until_decided("nas", "stale")
    until(lambda: told.lines[-1].startswith("nas>nas stale"), "another verdict is a change")


def test_the_files_say_it_before_the_command_runs(lab: Lab, told: Told) -> None:
    told.configure("cat {folder}/state/endpoint >> {told}; echo $OLLAMA_LOCATE_NEW_ENDPOINT >> {told}")
    lab.start()
    told.until(GPU, GPU)


def test_what_changes_while_it_runs_is_told_once_afterwards(lab: Lab, told: Told) -> None:
    told.configure(TELLS + "; while [ ! -e {folder}/go ]; do sleep 0.02; done", "x")
    lab.start()
    told.until(">gpu fresh x")
    lab.kill("gpu")
    lab.until_decided("nas")
    lab.kill("nas")
    lab.until_decided("nas", "stale")
    assert told.lines == [">gpu fresh x"], "one at a time"
    (lab.folder / "go").touch()
    told.until(">gpu fresh x", "gpu>nas stale x")


@pytest.mark.parametrize(
    ("body", "more", "says"),
    [
        pytest.param(
            "echo out; echo 'no \033[31msuch bus' >&2; exit 3", "", "exit code 3: no  [31msuch bus", id="it fails"
        ),
        pytest.param("kill -9 $$", "", "ended by signal 9", id="it is killed"),
        pytest.param("sleep 60", 'timeout = "200ms"', "no end after 0.2 s; it was ended", id="it is slow"),
        pytest.param("exec cat /dev/zero", "", "it said more than 1 MiB; it was ended", id="it floods"),
    ],
)
def test_what_goes_wrong_is_a_line_in_the_log(lab: Lab, told: Told, body: str, more: str, says: str) -> None:
    told.configure(body, more=more)
    lab.start()
    until(lambda: f"WARNING on_change: {lab.folder}/command: {says}\n" in lab.log, says)
    lab.kill("gpu")
    lab.until_decided("nas")


def test_a_command_that_is_not_there_is_said_and_the_next_one_runs(lab: Lab, told: Told) -> None:
    told.configure(TELLS, "x", more='[[on_change]]\nrun = ["no-such-command"]')
    lab.start()
    told.until(">gpu fresh x")
    until(lambda: "on_change: no-such-command: cannot be run: No such file or directory" in lab.log, "it is said")


def test_a_child_that_keeps_the_output_is_ended_and_holds_nothing_up(lab: Lab, told: Told) -> None:
    told.configure("sleep 60 & echo $! > {folder}/pid; " + TELLS, "x")
    lab.start()
    told.until(">gpu fresh x")
    until_dead(read_pid(lab.folder))
    lab.kill("gpu")
    told.until(">gpu fresh x", "gpu>nas fresh x")
    assert "on_change" not in lab.log


def test_what_runs_ends_with_the_daemon(lab: Lab, told: Told) -> None:
    told.configure("echo $$ > {folder}/pid; sleep 60", more='timeout = "1m"')
    lab.start()
    pid = read_pid(lab.folder)
    code, took = lab.stop()
    assert (code, took < 3) == (0, True), took
    until_dead(pid)
    assert "on_change" not in lab.log


def test_a_command_that_the_config_gets_later_is_told_of_the_next_change(lab: Lab, told: Told) -> None:
    lab.start()
    lab.until_decided("gpu")
    told.configure(TELLS, "x")
    lab.daemons[-1].send_signal(signal.SIGHUP)
    until(lambda: "config read again" in lab.log, "it was read")
    lab.kill("gpu")
    told.until("gpu>nas fresh x")


def read_pid(folder: Path) -> int:
    file = folder / "pid"
    until(lambda: file.exists() and file.read_text().endswith("\n"), "the pid is written")
    pid = int(file.read_text())
    assert pid != os.getpid()
    return pid
