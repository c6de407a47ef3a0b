"""The feeds of the real daemon: written when they would be another, told of, and never in its way."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.edge.test_tailscale import until_dead
from tests.located.harness import Lab, until
from tests.located.test_on_change import read_pid
from tests.standins.tailscale import executable

SERVER = "    server {} {}:11434"
GPU, NAS = SERVER.format("gpu", "100.64.0.2"), SERVER.format("nas", "100.64.0.3")


class Fed:
    """One feed, its command, and what that has noted."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        (lab.folder / "etc").mkdir()
        self.file = lab.folder / "etc/ollama.cfg"
        self.noted = lab.folder / "noted"

    def configure(self, body: str = "", more: str = "", kind: str = "haproxy") -> None:
        """With a command where there is a body for one."""
        text = f'[[feed]]\nformat = "{kind}"\nfile = "{self.file}"\n'
        if body:
            command = executable(self.lab.folder / "command", body.format(noted=self.noted, folder=self.lab.folder))
            text += f"run = {json.dumps([str(command), '$(touch pwned)'])}\n"
        self.lab.configure(text + more)

    @property
    def servers(self) -> list[str]:
        lines = self.file.read_text().splitlines() if self.file.is_file() else []
        return [line for line in lines if line.startswith("    server ")]

    @property
    def told(self) -> list[str]:
        return self.noted.read_text().splitlines() if self.noted.exists() else []

    def until(self, *servers: str) -> None:
        until(lambda: self.servers == list(servers), f"{servers}; it is {self.servers}\n{self.lab.log}")

    def until_problem(self, *sentences: str) -> None:
        until(
            lambda: self.lab.snapshot().get("problems") == list(sentences),
            f"{sentences}; they are {self.lab.snapshot().get('problems')}\n{self.lab.log}",
        )


@pytest.fixture
def fed(lab: Lab) -> Fed:
    lab.machine("gpu", 2, 0.01)
    lab.machine("nas", 3, 0.05)
    return Fed(lab)


MOVE = "move it away, or choose another path"
COUNTS = "wc -l < {folder}/etc/ollama.cfg > /dev/null; echo told $# >> {noted}"


def test_a_file_is_whole_from_the_first_and_its_command_is_told_of_each_other_one(lab: Lab, fed: Fed) -> None:
    fed.configure(COUNTS)
    lab.start()
    fed.until(GPU, NAS)
    until(lambda: fed.told == ["told 1"], "it was told once, and had its words")
    assert fed.file.stat().st_mode & 0o777 == 0o644
    inode = fed.file.stat().st_ino
    lab.kill("gpu")
    lab.until_decided("nas")
    lab.machine("new", 4)
    fed.until(GPU, SERVER.format("nas", "100.64.0.3"), SERVER.format("new", "100.64.0.4"))
    until(lambda: fed.told == ["told 1"] * 2, "and of the new one; not of the one that failed")
    assert fed.file.stat().st_ino != inode
    assert lab.stop()[0] == 0
    assert fed.file.exists(), "it stays when the daemon ends"


def test_a_restart_that_changes_nothing_writes_nothing(lab: Lab, fed: Fed) -> None:
    fed.configure(COUNTS)
    lab.start()
    until(lambda: fed.told == ["told 1"], "it was told")
    inode = fed.file.stat().st_ino
    lab.stop()
    lab.start()
    until(lambda: lab.log.count("endpoint is") == 2, "it runs again")
    lab.kill("gpu")
    lab.until_decided("nas")
    assert (fed.told, fed.file.stat().st_ino) == (["told 1"], inode)


@pytest.mark.parametrize(
    ("body", "more", "says"),
    [
        pytest.param("echo 'no \033[31msuch unit' >&2; exit 3", "", "exit code 3: no  [31msuch unit", id="it fails"),
        pytest.param("sleep 60", 'timeout = "200ms"', "no end after 0.2 s; it was ended", id="it hangs"),
        pytest.param("exec cat /dev/zero", "", "it said more than 1 MiB; it was ended", id="it floods"),
    ],
)
def test_a_command_that_goes_wrong_is_a_line_and_a_problem(lab: Lab, fed: Fed, body: str, more: str, says: str) -> None:
    fed.configure(body, more)
    lab.start()
    sentence = f"feed haproxy: {lab.folder}/command: {says}"
    fed.until_problem(sentence)
    assert lab.log.count(f"WARNING {sentence}; it is tried again\n") == 1
    lab.kill("gpu")
    lab.until_decided("nas")
    fed.configure()
    lab.daemons[-1].send_signal(signal.SIGHUP)
    fed.until_problem()


@pytest.mark.parametrize(
    ("spoil", "mend", "says"),
    [
        pytest.param(Path.mkdir, Path.rmdir, f"{{}} is a folder; {MOVE}", id="a folder"),
        pytest.param(
            lambda file: file.symlink_to("/etc/passwd"),
            Path.unlink,
            f"{{}} is a symbolic link; {MOVE}",
            id="a symlink",
        ),
        pytest.param(
            lambda file: file.write_text("global\n"), Path.unlink, f"{{}} is another program's; {MOVE}", id="another's"
        ),
        pytest.param(
            lambda file: shutil.rmtree(file.parent),
            lambda file: file.parent.mkdir(),
            "cannot use the folder {0.parent}: No such file or directory",
            id="no folder",
        ),
    ],
)
def test_a_file_that_cannot_be_written_is_a_line_and_a_problem_until_it_can(
    lab: Lab, fed: Fed, spoil: Callable[[Path], object], mend: Callable[[Path], object], says: str
) -> None:
    spoil(fed.file)
    fed.configure(COUNTS)
    lab.start()
    sentence = f"feed haproxy: {says.format(fed.file)}"
    fed.until_problem(sentence)
    lab.kill("gpu")
    lab.until_decided("nas")
    assert lab.log.count(sentence) == 1
    assert fed.told == []
    mend(fed.file)
    fed.until(GPU, NAS)
    fed.until_problem()
    assert f"feed haproxy: {fed.file} is in force again" in lab.log


def test_a_command_that_runs_ends_with_the_daemon(lab: Lab, fed: Fed) -> None:
    fed.configure("echo $$ > {folder}/pid; sleep 60", 'timeout = "1m"')
    lab.start()
    pid = read_pid(lab.folder)
    code, took = lab.stop()
    assert (code, took < 3) == (0, True), took
    until_dead(pid)
    assert "WARNING feed" not in lab.log


def test_servers_of_before_stay_until_tailscale_says_who_there_is(lab: Lab, fed: Fed) -> None:
    fed.configure()
    lab.start()
    fed.until(GPU, NAS)
    lab.stop()
    lab.show(BackendState="Starting")
    lab.start()
    until(lambda: lab.snapshot()["tailnet"]["state"] == "starting", "Tailscale is not up yet")
    until(lambda: not lab.snapshot()["decision"]["provisional"], "the first round is over")
    assert fed.servers == [GPU, NAS]


def test_who_is_trusted_no_more_leaves_at_once(lab: Lab, fed: Fed) -> None:
    fed.configure()
    lab.start()
    fed.until(GPU, NAS)
    fed.configure(more='[static]\na = "http://192.168.7.7:8080"\n')
    text = lab.config.read_text()
    lab.config.write_text('deny = ["gpu"]\n' + text)
    lab.daemons[-1].send_signal(signal.SIGHUP)
    fed.until("    server a 192.168.7.7:8080", NAS)


def test_two_formats_at_once(lab: Lab, fed: Fed) -> None:
    other = Path(f"{fed.file}.json")
    fed.configure(more=f'[[feed]]\nformat = "prometheus"\nfile = "{other}"\n')
    lab.start()
    fed.until(GPU, NAS)
    until(other.exists, "the other one as well")
    targets = [one["targets"] for one in json.loads(other.read_text())]
    assert targets == [[], ["100.64.0.2:11434"], ["100.64.0.3:11434"]]
