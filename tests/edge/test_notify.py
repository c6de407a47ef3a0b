"""The service manager is a real datagram socket that notes what it is told."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ollama_locate.edge.notify import Notifier

Manager = Callable[[], list[str]]
Made = Callable[[], Notifier]


@pytest.fixture
def made() -> Iterator[Made]:
    """Makes notifiers, and closes them."""
    ours: list[Notifier] = []

    def make() -> Notifier:
        ours.append(Notifier())
        return ours[-1]

    yield make
    for one in ours:
        one.close()


@pytest.fixture(params=["a path", "an abstract name"])
def manager(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """Returns what was told since the last call."""
    if request.param == "a path":
        told_to = bound = str(tmp_path / "notify")
    else:
        name = f"ollama-locate-test-{os.getpid()}"
        told_to, bound = f"@{name}", f"\0{name}"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as sock:
        sock.bind(bound)
        sock.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", told_to)

        def heard() -> list[str]:
            found = []
            while True:
                try:
                    found.append(sock.recv(1000).decode())
                except BlockingIOError:
                    return found

        yield heard


def test_each_word_is_one_datagram(manager: Manager, made: Made) -> None:
    notifier = made()

    notifier.status("gpu-box 23 ms, 3 servers")
    notifier.ready()
    notifier.alive()
    notifier.stopping()

    assert manager() == ["STATUS=gpu-box 23 ms, 3 servers", "READY=1", "WATCHDOG=1", "STOPPING=1"]


def test_what_was_said_is_not_said_again(manager: Manager, made: Made) -> None:
    notifier = made()

    for _ in range(3):
        notifier.ready()
        notifier.status("gpu-box 23 ms, 3 servers")

    assert manager() == ["READY=1", "STATUS=gpu-box 23 ms, 3 servers"]


def test_a_reload_begins_with_its_time_and_ends_with_ready(manager: Manager, made: Made) -> None:
    notifier = made()
    notifier.ready()
    before = time.monotonic_ns() // 1000
    manager()

    notifier.reloading()
    notifier.reloaded()

    begun, ended = manager()
    word, stamp = begun.split("\n")
    assert word == "RELOADING=1"
    assert before <= int(stamp.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    assert ended == "READY=1"


def test_programs_that_are_started_do_not_inherit_it(manager: Manager, made: Made) -> None:
    made()
    assert "NOTIFY_SOCKET" not in os.environ
    assert manager() == []


@pytest.mark.parametrize(
    ("usec", "pid", "seconds"),
    [
        pytest.param("90000000", "me", 90.0, id="for this process"),
        pytest.param("90000000", "", 90.0, id="for whoever reads it"),
        pytest.param("90000000", "1", None, id="for another process"),
        pytest.param("", "", None, id="not wanted"),
        pytest.param("0", "me", None, id="turned off"),
        pytest.param("soon", "me", None, id="no number"),
    ],
)
def test_the_watchdog(usec: str, pid: str, seconds: float | None, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "me" else pid)
    assert made().watchdog == seconds


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:1234", "/nowhere/at/all"])
def test_a_manager_that_is_not_there_changes_nothing(address: str, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notifier = made()
    notifier.ready()
    notifier.stopping()


def test_a_manager_that_has_gone_or_does_not_read_changes_nothing(
    tmp_path: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as sock:
        sock.bind(str(tmp_path / "notify"))
        notifier = made()
        for _ in range(10_000):
            notifier.alive()  # the queue is full after a few
    notifier.alive()


def test_a_reload_before_the_start_is_over_says_nothing(manager: Manager, made: Made) -> None:
    notifier = made()
    notifier.reloading()
    notifier.reloaded()
    assert manager() == []
