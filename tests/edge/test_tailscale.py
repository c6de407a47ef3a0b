"""The tailscale command, by executables that behave as it does, or worse."""

import asyncio
import os
import socket
import time
from pathlib import Path

import pytest

from ollama_locate.core import constants
from ollama_locate.core.net import Net
from ollama_locate.core.tailnet import Absence, Tailnet, Unavailable
from ollama_locate.edge import command, tailscale
from ollama_locate.edge.command import Said
from tests.standins import tailscale as standin

NOT_RUNNING = "failed to connect to local tailscaled; is it running?"


def look(path: Path | str) -> Tailnet | Unavailable:
    return asyncio.run(tailscale.look(str(path))).found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tailscale, "STATUS_DEADLINE", 0.5)
    monkeypatch.setattr(command, "KILL_GRACE", 0.1)


def test_a_running_tailnet_is_read(tmp_path: Path) -> None:
    found = look(standin.replaying(tmp_path / "ts", [standin.node("gpu", 2)]))
    assert isinstance(found, Tailnet)
    assert [peer.name for peer in found.peers] == ["gpu"]


def test_what_a_look_cost_includes_the_command(tmp_path: Path) -> None:
    busy = standin.executable(tmp_path / "ts", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
    assert asyncio.run(tailscale.look(str(busy))).cpu > 0.005


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        pytest.param(f"echo '{NOT_RUNNING}' >&2; exit 1", Absence.NOT_RUNNING, "", id="no daemon"),
        pytest.param("echo 'flag provided' >&2; exit 2", Absence.EXIT_CODE, "exit code 2: flag provided", id="exit 2"),
        pytest.param("exit 3", Absence.EXIT_CODE, "exit code 3: it said nothing", id="fails without a word"),
        pytest.param("echo hello", Absence.GARBAGE, "malformed", id="text instead of JSON"),
        pytest.param('printf \'{"BackendState": "Run\'', Absence.TRUNCATED, "truncated", id="half an answer"),
        pytest.param("true", Absence.TRUNCATED, "truncated", id="no answer at all"),
        pytest.param("echo '{\"Peer\": 3}'", Absence.WRONG_TYPE, "$.Peer", id="a wrong type is named by its path"),
        pytest.param('echo \'{"BackendState": "Stopped"}\'', Absence.STOPPED, "", id="turned off"),
        pytest.param('echo \'{"BackendState": "NeedsLogin"}\'', Absence.NEEDS_LOGIN, "", id="logged out"),
        pytest.param("echo 'The Tailscale GUI failed to start'", Absence.GUI_NOT_CLI, "GUI", id="the macOS app"),
        pytest.param("echo 'Tailscale.CLIError error 3' >&2; exit 1", Absence.GUI_NOT_CLI, "CLIError", id="CLIError"),
        pytest.param("kill -9 $$", Absence.EXIT_CODE, "exit code -9", id="killed by somebody"),
        pytest.param(
            "printf '\\033[31mred\\n\\007' >&2; exit 9",
            Absence.EXIT_CODE,
            "exit code 9: [31mred",
            id="escapes are gone",
        ),
    ],
)
def test_what_goes_wrong_has_a_name(tmp_path: Path, body: str, reason: Absence, detail: str) -> None:
    found = look(standin.executable(tmp_path / "ts", body))
    assert isinstance(found, Unavailable)
    assert (found.reason, detail in found.detail) == (reason, True), found


@pytest.mark.parametrize("path", ["/nowhere/tailscale", "/"], ids=["no such file", "a folder"])
def test_an_executable_that_cannot_be_run_is_not_installed(path: str) -> None:
    found = look(path)
    assert isinstance(found, Unavailable)
    assert found.reason is Absence.NOT_INSTALLED
    assert path in found.detail


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param("echo $$ > '{pids}'; sleep 60", id="hangs"),
        pytest.param("trap '' TERM; echo $$ > '{pids}'; while :; do sleep 0.1; done", id="ignores SIGTERM"),
        pytest.param("sleep 60 & echo $! > '{pids}'; sleep 60", id="forks and hangs"),
        pytest.param("sleep 60 & echo $! > '{pids}'; exit 0", id="leaves a child that holds its output"),
    ],
)
def test_a_command_that_does_not_end_is_killed_with_its_children(tmp_path: Path, body: str) -> None:
    pids = tmp_path / "pids"
    started = time.monotonic()
    found = look(standin.executable(tmp_path / "ts", body.format(pids=pids)))
    assert isinstance(found, Unavailable)
    assert found.reason is Absence.HUNG
    assert time.monotonic() - started < 3
    for pid in map(int, pids.read_text().split()):
        until_dead(pid)


def test_of_a_command_that_goes_on_the_first_line_is_taken(tmp_path: Path) -> None:
    command = standin.executable(tmp_path / "ts", 'printf pong; echo " of $2"; sleep 60')
    started = time.monotonic()
    said = asyncio.run(tailscale.command(str(command), "ping", "gpu", deadline=10, first_line=True))
    assert isinstance(said, Said)
    assert said.out.startswith(b"pong of gpu\n")
    assert time.monotonic() - started < 5


def test_a_command_has_a_deadline_of_its_own(tmp_path: Path) -> None:
    command = standin.executable(tmp_path / "ts", "sleep 60")
    said = asyncio.run(tailscale.command(str(command), "ping", deadline=0.3, first_line=True))
    assert said == Unavailable(Absence.HUNG, "no end after 0.3 s")


def test_a_flood_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tailscale, "STATUS_MAX_BYTES", 2**20)
    found = look(standin.executable(tmp_path / "ts", "exec head -c 100000000 /dev/zero"))
    assert found == Unavailable(Absence.TOO_LARGE)


def test_stderr_may_be_long(tmp_path: Path) -> None:
    found = look(standin.executable(tmp_path / "ts", "head -c 300000 /dev/zero | tr '\\0' x >&2; exit 1"))
    assert isinstance(found, Unavailable)
    assert len(found.detail) < constants.DETAIL_MAX + 20


def test_the_command_is_told_to_be_a_command_and_runs_in_no_shell(tmp_path: Path) -> None:
    odd = tmp_path / "a name; touch pwned $(touch pwned)"
    odd.mkdir()
    command = standin.executable(odd / "ts", 'echo "$TAILSCALE_BE_CLI $*" >&2; exit 7')
    found = look(command)
    assert isinstance(found, Unavailable)
    assert found.detail == "exit code 7: 1 status --json"
    assert not list(tmp_path.rglob("pwned"))


def test_it_is_found_on_the_path_and_in_the_usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tailscale, "_PLACES", (str(tmp_path / "app/Tailscale"),))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert tailscale.find() is None
    for place in ("bin/tailscale.exe", "app/Tailscale", "bin/tailscale"):  # WSL, the macOS app, PATH: the last wins
        (tmp_path / place).parent.mkdir(exist_ok=True)
        standin.executable(tmp_path / place, "true")
        assert tailscale.find() == str(tmp_path / place)
    assert tailscale.find("~/mine") == str(Path("~/mine").expanduser())


def test_without_tailscale_there_is_a_name_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tailscale, "_PLACES", ())
    monkeypatch.setenv("PATH", "/nowhere")
    assert look("") == Unavailable(Absence.NOT_INSTALLED)


def until_dead(pid: int) -> None:
    """A killed process that is not our child needs a moment, and init another one."""
    ends = time.monotonic() + 2
    while alive(pid):
        assert time.monotonic() < ends, f"{pid} still runs"
        time.sleep(0.005)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for init does not."""
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_of_several_each_is_asked_at_its_own_socket(tmp_path: Path) -> None:
    script = standin.executable(tmp_path / "tailscale", 'echo "said: $*"')
    path = str(tmp_path / "sock")
    there = Net("work", path)
    gone = asyncio.run(tailscale.look(str(script), there)).found
    assert isinstance(gone, Unavailable)
    assert gone.reason is Absence.NOT_RUNNING, "no tailscaled is there, so that the command is not even asked"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen()
        found = asyncio.run(tailscale.look(str(script), there)).found
    assert isinstance(found, Unavailable)
    assert found.reason is Absence.GARBAGE
    said = asyncio.run(tailscale.command(str(script), *there.words, "status", deadline=5))
    assert isinstance(said, Said)
    assert said.out == f"said: --socket={path} status\n".encode()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a socket to somebody else")
def test_a_socket_of_another_user_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    script = standin.executable(tmp_path / "tailscale", f"echo x > {tmp_path}/ran")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()
        os.chown(path, 65534, 65534)
        found = asyncio.run(tailscale.look(str(script), Net("work", str(path)))).found
    assert isinstance(found, Unavailable)
    assert (found.reason, "another user's" in found.detail) == (Absence.NO_PERMISSION, True)
    assert not (tmp_path / "ran").exists()


@pytest.mark.usefixtures("quick")
def test_a_socket_that_nobody_is_behind_any_more(tmp_path: Path) -> None:
    """As a tailscaled that was killed leaves it: the command tries again, as it sees another one on the machine."""
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()
        script = standin.executable(tmp_path / "tailscale", "exec sleep 60")
        net = Net("work", str(path))
        hung = asyncio.run(tailscale.look(str(script), net)).found
    dead = asyncio.run(tailscale.look(str(script), net)).found
    assert [isinstance(one, Unavailable) and one.reason for one in (hung, dead)] == [Absence.HUNG, Absence.NOT_RUNNING]
