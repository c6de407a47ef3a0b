"""The daemon's life, as its user sees it: the real process, real sockets, real signals, a real disk."""

import contextlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from tests.located.harness import Lab, until
from tests.standins import tailscale
from tests.standins.tailscale import node

GPU = "http://100.64.0.2:11434"
NAS = "http://100.64.0.3:11434"


def two(lab: Lab) -> None:
    lab.machine("gpu", 2, 0.01)
    lab.machine("nas", 3, 0.05)


def test_it_publishes_the_best_and_leaves_the_files_when_it_ends(lab: Lab) -> None:
    two(lab)
    lab.absent("pi", 4, silent=False)
    lab.start()
    lab.until_decided("gpu")
    assert lab.ask().stdout == GPU + "\n"
    assert (lab.state / "env").read_text() == f"OLLAMA_ENDPOINT={GPU}\nOLLAMA_LOCATE_APPLIED=OLLAMA_ENDPOINT={GPU}\n"
    assert (lab.state / "models").read_text() == f"mistral:latest\t{GPU}\n"
    until(lambda: lab.standing("pi") == "down", "pi was asked")
    code, took = lab.stop()
    # Half a second; on a busy machine Python's own end, which writes the coverage, takes as long again.
    assert (code, took < 2.0) == (0, True), took
    assert lab.ask().stdout == GPU + "\n"
    assert "none runs any more" in lab.ask("status").stdout


def test_a_killed_server_is_left_and_does_not_bounce_back(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    lab.kill("gpu")
    assert lab.until_decided("nas") < 5
    lab.revive("gpu", 2)
    until(lambda: lab.standing("gpu") == "held_down", "gpu is seen again")
    assert lab.decided() == ("nas", "fresh")


def test_a_silent_server_is_left(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    lab.silence(2)
    assert lab.until_decided("nas") < 10


def test_when_all_are_lost_the_last_good_one_stays_and_is_called_stale(lab: Lab) -> None:
    lab.machine("gpu", 2)
    lab.absent("pi", 4, silent=False)
    lab.start()
    lab.until_decided("gpu")
    lab.kill("gpu")
    lab.until_decided("gpu", "stale")
    done = lab.ask("url", "--strict")
    assert (done.returncode, done.stdout) == (3, GPU + "\n")
    lab.revive("gpu", 2)
    lab.until_decided("gpu")


def test_while_nobody_answers_the_fault_may_be_here_and_nothing_counts(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    lab.silence(2)
    lab.silence(3)
    lab.until_decided("gpu", "stale")
    assert lab.snapshot()["decision"]["reason"] == "network_silent"


def test_tailscale_away_is_stale_and_back_is_fresh(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    lab.show(BackendState="Stopped")
    lab.until_decided("gpu", "stale")
    assert lab.snapshot()["tailnet"]["state"] == "stopped"
    assert lab.standing("nas") == "unreachable"
    lab.show()
    lab.until_decided("gpu")


def test_a_tailscale_that_fails_to_answer_takes_nothing_away(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    tailscale.executable(lab.command, "echo oops")
    until(lambda: lab.snapshot()["tailnet"]["state"] == "garbage", "the garbage is named")
    lab.kill("gpu")
    lab.until_decided("nas")


def test_without_tailscale_this_machine_and_the_static_list_work(lab: Lab) -> None:
    lab.local()
    lab.command.unlink()
    lab.start()
    lab.until_decided("this machine")
    assert lab.snapshot()["tailnet"]["state"] == "not_installed"
    assert "tailscale is not installed" in lab.ask("why").stdout


def test_a_machine_that_serves_its_tailnet_uses_itself_first(lab: Lab) -> None:
    two(lab)
    lab.local(serves=True)
    lab.start()
    lab.until_decided("this machine")
    assert lab.ask().stdout == "http://localhost:11434\n"


def test_an_own_ollama_that_serves_nobody_is_the_last_resort(lab: Lab) -> None:
    lab.machine("gpu", 2)
    lab.local()
    lab.start()
    lab.until_decided("gpu")
    lab.kill("gpu")
    lab.until_decided("this machine")


def test_a_peer_that_is_trusted_no_more_is_published_no_more(lab: Lab) -> None:
    lab.machine("gpu", 2)
    lab.start()
    lab.until_decided("gpu")
    lab.peers["gpu"] = node("gpu", 2, UserID=2)
    lab.show()
    lab.until_decided("default", "none")
    assert (lab.state / "endpoint").read_text() == "http://localhost:11434\n"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has /proc to look at")
def test_nothing_listens_unless_the_config_says_so(lab: Lab) -> None:
    lab.machine("gpu", 2)
    daemon = lab.start()
    lab.until_decided("gpu")
    assert listening(daemon.pid) == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lab.configure(f'[forward]\nlisten = "127.0.0.1:{port}"\n')
    lab.ask("refresh")
    until(lambda: lab.snapshot().get("forward"), "it listens")
    assert listening(daemon.pid) == 1, "what is counted is what listens"


def listening(pid: int) -> int:
    """How many sockets of a process wait for others: TCP that listens (0A), UDP (07); the inode is the tenth field."""
    place = Path(f"/proc/{pid}")
    sockets = {str(one.readlink()) for one in (place / "fd").iterdir()}
    tables = [(place / "net" / name).read_text().splitlines()[1:] for name in ("tcp", "tcp6", "udp", "udp6")]
    rows = [line.split() for table in tables for line in table]
    return sum(row[3] in ("0A", "07") and f"socket:[{row[9]}]" in sockets for row in rows)


def test_a_restart_is_no_reason_to_move(lab: Lab) -> None:
    lab.machine("nas", 3, 0.05)
    lab.start()
    lab.until_decided("nas")
    lab.stop()
    lab.machine("gpu", 2, 0.045)
    lab.start()
    until(lambda: lab.standing("gpu") == "similar", "gpu is found")
    assert lab.decided() == ("nas", "fresh")


def test_after_a_restart_the_old_one_is_waited_for_a_second_only(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    lab.stop()
    lab.silence(2)
    lab.start()
    until(lambda: lab.log.count("serves ") == 2, "it runs")  # how long Python takes to start is no matter of this
    assert lab.until_decided("nas") < 2.8  # the silent one's probe takes 3 s


def test_a_tailscale_that_hangs_does_not_keep_this_machine_waiting(lab: Lab) -> None:
    lab.local()
    tailscale.executable(lab.command, "sleep 60")
    lab.start()
    assert lab.until_decided("this machine") < 3.5  # the look is given up after 5 s


def test_a_second_daemon_says_who_serves_the_folder(lab: Lab) -> None:
    first = lab.start()
    until(lab.snapshot, "a first round")
    second = lab.start()
    assert second.wait(10) == 1
    assert f"another ollama-located (pid {first.pid}) already serves {lab.state}" in lab.log


def test_the_config_is_read_again_when_asked_and_a_broken_one_changes_nothing(lab: Lab) -> None:
    """By SIGHUP and by `refresh`; with each heartbeat as well, which takes 30 s."""
    two(lab)
    daemon = lab.start()
    lab.until_decided("gpu")
    lab.configure('prefer = ["nas"]\n')
    daemon.send_signal(signal.SIGHUP)
    lab.until_decided("nas")
    lab.configure('prefer = ["gpu"\n')
    daemon.send_signal(signal.SIGHUP)
    until(lambda: "the old config stays in force" in lab.log, "the mistake is said")
    assert lab.decided() == ("nas", "fresh")
    lab.configure('deny = ["nas"]\n')
    assert lab.ask("refresh").stdout == GPU + "\n"
    assert lab.decided() == ("gpu", "fresh")


def test_refresh_looks_at_once(lab: Lab) -> None:
    lab.configure("", interval="1h")
    lab.start()
    until(lab.snapshot, "a first round")
    lab.machine("gpu", 2)
    done = lab.ask("refresh")
    assert (done.returncode, done.stdout) == (0, GPU + "\n"), done.stderr
    assert "gpu, " in done.stderr


def test_garbage_in_the_mailbox_is_said_and_removed(lab: Lab) -> None:
    daemon = lab.start()
    until(lab.snapshot, "a first round")
    box = lab.state / "requests"
    box.mkdir(mode=0o700)
    for number in range(50):
        (box / f"x{number}").write_text("garbage")
    daemon.send_signal(signal.SIGUSR1)
    until(lambda: "50 files in requests/ were no requests of yours; removed" in lab.log, "the garbage is said")
    assert list(box.iterdir()) == []


def test_a_file_that_cannot_be_written_is_said_once_and_written_when_it_can(lab: Lab) -> None:
    two(lab)
    lab.start()
    lab.until_decided("gpu")

    def a_folder_instead() -> bool:
        (lab.state / "env").unlink()
        with contextlib.suppress(FileExistsError):  # the daemon was quicker
            (lab.state / "env").mkdir()
            return True
        return False

    until(a_folder_instead, "a folder is in the file's place")
    until(lambda: "env is not a regular file; remove it" in lab.log, "the trouble is said")
    (lab.state / "env").rmdir()
    until((lab.state / "env").is_file, "the file is back")
    until(lambda: "the files can be written again" in lab.log, "the end of the trouble is said")
    assert lab.log.count("not a regular file") == 1


def test_a_state_folder_that_was_removed_is_made_again(lab: Lab) -> None:
    lab.machine("gpu", 2)
    daemon = lab.start()
    lab.until_decided("gpu")
    lab.state.rename(lab.folder / "moved away")
    until((lab.state / "endpoint").exists, "the folder is back")
    lab.until_decided("gpu")
    assert (lab.state / "lock").read_text() == f"{daemon.pid}\n"
    assert lab.ask("refresh").stdout == GPU + "\n"


def test_of_two_daemons_the_one_that_lost_its_folder_ends(lab: Lab) -> None:
    lab.configure("", interval="1h")
    first = lab.start()
    until(lab.snapshot, "a first round")
    lab.state.rename(lab.folder / "moved away")
    second = lab.start()
    until(lab.snapshot, "a round of the second")
    first.send_signal(signal.SIGHUP)
    assert first.wait(10) == 1
    assert f"another ollama-located (pid {second.pid}) already serves {lab.state}; this one ends" in lab.log
    assert (lab.state / "lock").read_text() == f"{second.pid}\n"


def test_few_descriptors_delay_but_do_not_stall(lab: Lab) -> None:
    lab.configure('timeout = "1s"\n')  # how long each of the silent ones keeps its descriptors
    for number in range(10, 90):
        lab.peers[f"silent{number}"] = node(f"silent{number}", number)
    lab.machine("gpu", 2, 0.01, Online=False)  # the last in the queue
    lab.start(files=200)
    lab.until_decided("gpu")


def test_a_signal_that_comes_too_early_does_no_harm(lab: Lab) -> None:
    daemon = lab.start()
    until(lambda: (lab.state / "lock").exists() and (lab.state / "lock").read_text(), "the lock is taken")
    for _ in range(50):
        daemon.send_signal(signal.SIGUSR1)
        daemon.send_signal(signal.SIGHUP)
    until(lab.snapshot, "a first round")
    assert daemon.poll() is None


def test_what_the_daemon_cannot_do_is_shown_to_who_asks(lab: Lab) -> None:
    daemon = lab.start()
    until(lab.snapshot, "a first round")
    lab.configure("prefer = 3\n")
    daemon.send_signal(signal.SIGHUP)
    until(lambda: lab.snapshot()["problems"], "the mistake is published")
    assert f"problem: {lab.config}:4: prefer: must be a list of texts" in lab.ask("status").stdout
    assert "the old config stays in force" in lab.ask("why").stderr
    assert "the old config stays in force" in lab.ask("refresh").stderr


def test_a_refresh_with_nobody_to_ask_is_answered_at_once(lab: Lab) -> None:
    lab.configure('local = "off"\n')
    lab.start()
    until(lambda: (lab.state / "lock").exists() and (lab.state / "lock").read_text(), "the lock is taken")
    until(lab.snapshot, "something is published")
    done = lab.ask("refresh")
    assert (done.returncode, done.stdout) == (0, "http://localhost:11434\n"), done.stderr


def test_the_heart_beats(lab: Lab) -> None:
    lab.start()
    until((lab.state / "verdict").exists, "a first round")
    os.utime(lab.state / "verdict", (1, 1))
    until(lambda: (lab.state / "verdict").stat().st_mtime > time.time() - 5, "a beat")


def test_each_change_is_said_once(lab: Lab) -> None:
    lab.machine("gpu", 2)
    lab.start()
    lab.until_decided("gpu")
    rounds = lab.snapshot()["round"]
    until(lambda: lab.snapshot()["round"] > rounds + 2, "three more rounds")
    assert lab.log.count(f"endpoint is {GPU}") == 1
    assert lab.log.count("gpu: up") == 1


def test_sigint_ends_it_as_well_and_json_logs_are_json(lab: Lab) -> None:
    daemon = lab.start("--log-format", "json", "--log-level", "debug")
    until(lab.snapshot, "a first round")
    daemon.send_signal(signal.SIGINT)
    assert daemon.wait(5) == 0
    lines = [json.loads(line) for line in lab.log.splitlines()]
    assert {"time", "level", "message"} <= lines[0].keys()
    assert any("stay as they are" in line["message"] for line in lines)


def test_once_makes_one_round_and_exits_as_the_query_does(lab: Lab) -> None:
    none = lab.start("--once")
    assert (none.wait(10), none.stdout and none.stdout.read()) == (4, b"http://localhost:11434\n")
    lab.machine("gpu", 2)
    found = lab.start("--once")
    assert (found.wait(10), found.stdout and found.stdout.read()) == (0, f"{GPU}\n".encode())
    assert (lab.state / "endpoint").read_text() == GPU + "\n"


def test_who_looks_once_does_not_wait_for_a_turn_among_many_machines(lab: Lab) -> None:
    lab.configure("machines = 1000000\n")
    lab.machine("gpu", 2)
    found = lab.start("--once")
    assert (found.wait(10), found.stdout and found.stdout.read()) == (0, f"{GPU}\n".encode())


def test_a_broken_config_at_the_start_is_one_line_and_exit_1(lab: Lab) -> None:
    lab.configure("ports = 11434\n")
    assert lab.start().wait(10) == 1
    assert lab.log == f"ollama-located: {lab.config}:4: ports: must be a list of ports; write [11434]\n"


def test_an_end_in_the_middle_of_everything_waits_for_nobody(lab: Lab) -> None:
    """A tailscale that hangs, and silent peers."""
    for number in range(2, 40):
        lab.absent(f"silent{number}", number, silent=True)
    lab.start()
    until(lambda: lab.snapshot().get("tailnet", {}).get("state") == "running", "the tailnet is seen")
    tailscale.executable(lab.command, "sleep 60")
    time.sleep(1.5)  # longer than the interval: the hanging look is under way
    code, took = lab.stop()
    assert (code, took < 1.0) == (0, True), took
