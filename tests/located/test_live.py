"""What the daemon learns between its checks: the sentinel, tailscaled's bell, readers' reports; and what it notes."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ollama_locate.edge import history, requests
from ollama_locate.edge.requests import Request
from tests.located.harness import Lab, until

GPU = "http://100.64.0.2:11434"
NAS = "http://100.64.0.3:11434"
CALM = "30s"
"""An interval that no test waits for: what is seen sooner was not seen by a check that was due."""


def two(lab: Lab) -> None:
    lab.machine("gpu", 2, 0.01)
    lab.machine("nas", 3, 0.05)


def settled(lab: Lab) -> None:
    """Both are known, and the better one is watched."""
    lab.until_decided("gpu")
    until(lambda: lab.standing("nas") == "slower", "nas is known")
    until(lambda: sentinel(lab) == "on", "gpu is watched")


def sentinel(lab: Lab) -> str:
    return str(lab.snapshot().get("decision", {}).get("sentinel"))


def watch(lab: Lab) -> str:
    return str(lab.snapshot().get("tailnet", {}).get("watch"))


def said(lab: Lab, words: str) -> int:
    return sum(words in line for line in lab.log.splitlines())


# --- the sentinel


def test_a_killed_server_is_left_long_before_its_next_check(lab: Lab) -> None:
    lab.configure("", interval=CALM)
    two(lab)
    lab.start()
    settled(lab)
    lab.kill("gpu")
    assert lab.until_decided("nas") < 2
    until(lambda: sentinel(lab) == "on", "now nas is watched")
    lab.revive("gpu", 2)
    lab.kill("nas")
    assert lab.until_decided("gpu") < 5


def test_the_sentinel_can_be_turned_off(lab: Lab) -> None:
    lab.configure("sentinel = false\n", interval=CALM)
    count = lab.folder / "count"
    lab.stranger("gpu", 2, "tests.standins.impatient", str(count))
    lab.start()
    lab.until_decided("gpu")
    assert sentinel(lab) == "off"
    until(lambda: lab.snapshot()["round"] >= 1, "a round")
    before = count.stat().st_size
    lab.machine("nas", 3, 0.05)
    assert lab.ask("refresh").returncode == 0
    assert count.stat().st_size - before <= 5, "one probe: two connects at the most, and a burst of three"


def test_a_server_that_resets_idle_connections_costs_little_and_keeps_its_place(lab: Lab) -> None:
    lab.configure("", interval=CALM)
    count = lab.folder / "count"
    lab.stranger("gpu", 2, "tests.standins.impatient", str(count))
    lab.machine("nas", 3, 0.05)
    lab.start()
    lab.until_decided("gpu")
    until(lambda: sentinel(lab) == "closes_idle", "that it closes idle connections is seen")
    first = count.stat().st_size
    time.sleep(3.5)  # in which it is tried again, less and less often
    assert count.stat().st_size - first <= 2 * 6, "two more tries, each with one probe"
    assert lab.decided() == ("gpu", "fresh")
    assert said(lab, "endpoint is") == 1
    assert said(lab, "gpu closes idle connections") == 1
    assert len(lab.log.splitlines()) < 15, lab.log


# --- tailscaled's bell


class Bell:
    """A bus that the test rings by hand: `answer` takes the daemon's connection, once it is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(path))
        self._door.listen()
        self._door.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self._line: socket.socket | None = None

    def answer(self) -> bool:
        try:
            self._line = self._door.accept()[0]
        except BlockingIOError:
            return False
        self._line.settimeout(5)
        while b"\r\n\r\n" not in self._line.recv(4096, socket.MSG_PEEK):
            pass
        self._line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        return True

    def ring(self) -> None:
        assert self._line is not None
        self._line.sendall(b"3\r\n{}\n\r\n")

    def close(self) -> None:
        for sock in (self._line, self._door):
            if sock is not None:
                sock.close()
        self._path.unlink(missing_ok=True)


@pytest.fixture
def bell(lab: Lab) -> Iterator[Bell]:
    made = Bell(lab.socket)
    yield made
    made.close()


def test_tailscaled_rings_and_a_machine_that_came_online_is_found_at_once(lab: Lab, bell: Bell) -> None:
    lab.configure("", interval=CALM)
    lab.machine("nas", 3, 0.05)
    lab.start()
    until(bell.answer, "the daemon listens")
    until(lambda: watch(lab) == "bus", "it says so")
    lab.until_decided("nas")
    lab.machine("gpu", 2, 0.01)
    bell.ring()
    assert lab.until_decided("gpu") < 5
    assert said(lab, "tailscaled says by itself when the tailnet changes") == 1


def test_a_bell_that_falls_silent_is_said_once_and_the_tailnet_is_looked_at_again(lab: Lab, bell: Bell) -> None:
    lab.machine("nas", 3, 0.05)
    lab.start()
    until(bell.answer, "the daemon listens")
    until(lambda: watch(lab) == "bus", "it says so")
    bell.close()
    until(lambda: watch(lab) == "poll", "it says that nobody rings")
    lab.machine("gpu", 2, 0.01)
    lab.until_decided("gpu")
    assert said(lab, "tailscaled cannot be listened to") == 1


def test_where_nobody_rings_that_is_said_once(lab: Lab) -> None:
    two(lab)
    lab.start()
    settled(lab)
    until(lambda: said(lab, "tailscaled cannot be listened to") == 1, "it is said")
    assert watch(lab) == "poll"


def test_another_socket_in_the_config_is_listened_to(lab: Lab) -> None:
    lab.start()
    until(lambda: watch(lab) == "poll", "nobody rings")
    other = Bell(lab.folder / "other.sock")
    try:
        lab.config.write_text(lab.config.read_text().replace("bus.sock", "other.sock"))
        lab.ask("refresh")
        until(other.answer, "the daemon listens there")
        until(lambda: watch(lab) == "bus", "it says so")
    finally:
        other.close()


# --- reports


def test_two_reports_about_a_server_that_answers_put_it_below_the_others(lab: Lab) -> None:
    lab.configure("", interval=CALM)
    two(lab)
    daemon = lab.start()
    settled(lab)
    requests.send(lab.state, Request("failed", url=GPU), daemon.pid)
    until(lambda: said(lab, f"a program reports that {GPU} failed it") == 1, "the first report is said")
    time.sleep(1.1)  # reports that come within a second are one
    assert lab.decided() == ("gpu", "fresh"), "one report is no reason to move"
    requests.send(lab.state, Request("failed", url=f"{GPU}/v1"), daemon.pid)
    lab.until_decided("nas")
    assert lab.standing("gpu") == "reported"
    assert (lab.state / "endpoint").read_text() == NAS + "\n"


def test_a_report_about_a_server_that_is_dead_is_checked_at_once(lab: Lab) -> None:
    lab.configure("sentinel = false\n", interval=CALM)
    two(lab)
    daemon = lab.start()
    lab.until_decided("gpu")
    until(lambda: lab.standing("nas") == "slower", "nas is known")
    lab.kill("gpu")
    requests.send(lab.state, Request("failed", url=GPU), daemon.pid)
    assert lab.until_decided("nas") < 5


def test_who_reports_a_server_is_told_what_it_does_now(lab: Lab) -> None:
    lab.configure("sentinel = false\n", interval=CALM)
    two(lab)
    lab.start()
    lab.until_decided("gpu")
    until(lambda: lab.standing("nas") == "slower", "nas is known")
    assert "\nnas answers; a second report within a minute" in lab.ask("refresh", "--failed", NAS).stderr
    lab.kill("gpu")
    done = lab.ask("refresh", "--failed", f"{GPU}/v1")
    assert (done.returncode, done.stdout) == (0, NAS + "\n")
    assert "gpu refuses now: its Ollama has ended, or listens elsewhere; it was left for nas\n" in done.stderr
    assert "no server has the URL http://x:1" in lab.ask("refresh", "--failed", "http://x:1").stderr


@pytest.mark.parametrize("different", [False, True], ids=["the same again and again", "each of another server"])
def test_a_flood_of_reports_costs_a_few_lines_and_the_daemon_still_answers(lab: Lab, *, different: bool) -> None:
    lab.configure("", interval=CALM)
    lab.machine("gpu", 2)
    daemon = lab.start()
    lab.until_decided("gpu")
    started = time.monotonic()
    for number in range(2000):
        url = f"http://100.64.{number // 250}.{number % 250}:1" if different else GPU
        requests.send(lab.state, Request("failed", url=url), daemon.pid)
    done = lab.ask("refresh")
    took = time.monotonic() - started
    assert (done.returncode, done.stdout) == (0, GPU + "\n"), done.stderr
    assert said(lab, "a program reports") <= 3 * (took + 1)
    assert list((lab.state / "requests").iterdir()) == []


def test_a_refresh_that_comes_right_after_reports_looks_at_everything(lab: Lab) -> None:
    lab.configure("", interval=CALM)
    lab.machine("nas", 3, 0.05)
    daemon = lab.start()
    lab.until_decided("nas")
    lab.machine("gpu", 2, 0.01)
    for _ in range(2):  # the first one is followed at once, the second one after a second
        requests.send(lab.state, Request("failed", url="http://100.64.0.99:1"), daemon.pid)
        until(lambda: not list((lab.state / "requests").iterdir()), "it is taken")
    assert lab.ask("refresh").stdout == GPU + "\n"


# --- the history


def switches(lab: Lab) -> list[Any]:
    return history.read(lab.state, 0.0)[0]


def test_a_switch_is_in_the_history_with_its_reason_and_how_long_ago_the_other_lived(lab: Lab) -> None:
    lab.configure("", interval=CALM)
    two(lab)
    lab.start()
    settled(lab)
    until(lambda: [one.taken for one in switches(lab)] == ["gpu"], "the first one is written at once")
    lab.kill("gpu")
    lab.until_decided("nas")
    lab.stop()
    first, second = switches(lab)
    assert (first.left, first.taken_url) == ("", GPU)
    assert (second.left, second.left_url, second.taken, second.taken_url) == ("gpu", GPU, "nas", NAS)
    assert (second.verdict, second.reason) == ("fresh", "only")
    assert "refuses" in second.text
    assert second.alive_ago is not None
    assert 0 <= second.alive_ago < 2, "the sentinel has seen it alive until it was killed"
    samples = history.read(lab.state, 0.0)[1]
    assert {one.name for one in samples} == {"gpu", "nas"}
    assert (lab.state / history.NAME).stat().st_mode & 0o777 == 0o600


def test_a_switch_some_time_after_the_last_is_written_within_a_second(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two within 10 s (here 2) waits for a heartbeat."""
    monkeypatch.setenv("HISTORY_MIN_GAP", "2")
    lab.configure("", interval=CALM)
    two(lab)
    lab.start()
    settled(lab)
    until(lambda: switches(lab), "the first one is written")
    first = switches(lab)[0].at
    time.sleep(max(0.0, first + 2.5 - time.time()))
    lab.kill("gpu")
    lab.until_decided("nas")
    assert until(lambda: len(switches(lab)) == 2, "it is written") < 1


def test_a_history_that_is_garbage_is_set_aside_and_said(lab: Lab) -> None:
    lab.state.mkdir(mode=0o700)
    (lab.state / history.NAME).write_bytes(b"garbage" * 1000)
    lab.machine("gpu", 2)
    lab.start()
    lab.until_decided("gpu")
    until(lambda: said(lab, "was damaged") == 1, "it is said")
    assert (lab.state / history.ASIDE).read_bytes() == b"garbage" * 1000
    lab.stop()
    assert [one.taken for one in switches(lab)] == ["gpu"]


def test_a_history_that_cannot_be_written_is_said_once_and_disturbs_nothing(lab: Lab) -> None:
    lab.state.mkdir(mode=0o700)
    (lab.state / history.NAME).mkdir()
    two(lab)
    lab.start()
    settled(lab)
    until(lambda: said(lab, "is a folder; move it away") == 1, "it is said")
    lab.kill("gpu")
    lab.until_decided("nas")
    assert lab.stop()[0] == 0
    assert said(lab, "is a folder; move it away") == 1


def test_no_history_is_kept_where_the_config_says_so(lab: Lab) -> None:
    lab.configure("history = false\n")
    two(lab)
    lab.start()
    settled(lab)
    lab.kill("gpu")
    lab.until_decided("nas")
    lab.stop()
    assert not list(lab.state.glob("history*"))
