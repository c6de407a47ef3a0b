"""One daemon per folder, and how readers ask it for something."""

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from ollama_locate.core.bounds import REQUESTS_MAX
from ollama_locate.core.errors import StateFolderError
from ollama_locate.edge import requests
from ollama_locate.edge.files import StateFolder
from ollama_locate.edge.lock import Lock, holder
from ollama_locate.edge.requests import Request

Change = Callable[[Path], object]


def give_away(path: Path) -> bool:
    os.chown(path, 12345, 12345)
    return True


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


def test_a_second_daemon_says_who_holds_the_folder(folder: StateFolder) -> None:
    lock = Lock(folder)
    assert holder(folder.path) == os.getpid()
    with pytest.raises(StateFolderError, match=rf"another ollama-located \(pid {os.getpid()}\) already serves"):
        Lock(folder)
    lock.release()
    assert holder(folder.path) is None
    Lock(folder).release()


@pytest.mark.parametrize("text", ["", "4242\n", "nonsense", "-1", "1"], ids=["empty", "dead", "text", "minus", "init"])
def test_a_pid_without_a_lock_is_not_believed(folder: StateFolder, text: str) -> None:
    (folder.path / "lock").write_text(text)
    assert holder(folder.path) is None


def test_no_lock_no_daemon(folder: StateFolder) -> None:
    assert holder(folder.path) is None


def test_a_request_reaches_the_daemon_with_a_signal(folder: StateFolder) -> None:
    woken: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _frame: woken.append(number))
    try:
        requests.send(folder.path, Request("refresh"), os.getpid())
        requests.send(folder.path, Request("refresh"), os.getpid())
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert signal.SIGUSR1 in woken
    box = folder.path / "requests"
    assert [oct(path.stat().st_mode & 0o777) for path in box.iterdir()] == ["0o600"] * 2
    assert requests.receive(folder) == ({Request("refresh")}, 0)
    assert requests.receive(folder) == (set(), 0)
    assert list(box.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "refused"),
    [
        pytest.param(lambda path: path.write_text("garbage"), 1, id="garbage"),
        pytest.param(lambda path: path.write_bytes(b"\xff\x00"), 1, id="bytes"),
        pytest.param(lambda path: path.write_text("[" * 4000), 1, id="nested deeply"),
        pytest.param(lambda path: path.write_text('{"kind":"rm -rf"}'), 1, id="a kind that is not known"),
        pytest.param(lambda path: path.write_text('{"kind":"refresh"' + " " * 9999 + "}"), 1, id="too long"),
        pytest.param(lambda path: path.write_text('{"kind":"failed","url":3}'), 1, id="a report whose URL is no text"),
        pytest.param(lambda path: path.write_text('{"kind":"failed","url":["x"]}'), 1, id="a report of a list"),
        pytest.param(lambda path: path.symlink_to("/etc/passwd"), 1, id="a symlink"),
        pytest.param(os.mkfifo, 1, id="a fifo"),
        pytest.param(
            lambda path: [path.write_text('{"kind":"refresh"}'), give_away(path)],
            1,
            id="of another owner",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away"),
        ),
        pytest.param(lambda path: path.with_name(".half").write_text("{"), 0, id="a half-written one is left alone"),
    ],
)
def test_what_is_no_request_is_removed_and_counted(folder: StateFolder, make: Change, refused: int) -> None:
    box = folder.path / "requests"
    box.mkdir(mode=0o700)
    make(box / "one")
    assert requests.receive(folder) == (set(), refused)
    assert [path.name for path in box.iterdir()] == ([] if refused else [".half"])


def test_halves_of_senders_that_were_killed_go_and_keep_nobody_away(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "REQUESTS_MAX", 5)
    box = folder.path / "requests"
    box.mkdir(mode=0o700)
    for number in range(10):
        (box / f".old-{number}").write_text("{")
        os.utime(box / f".old-{number}", (1.0, 1.0))
    (box / ".young").write_text("{")
    (box / "one").write_text('{"kind":"refresh"}')
    assert requests.receive(folder) == ({Request("refresh")}, 0)
    for _ in range(3):
        requests.receive(folder)
    assert [path.name for path in box.iterdir()] == [".young"]


def test_a_sender_on_a_full_disk_leaves_nothing(folder: StateFolder) -> None:
    """A limit of this process stands for the disk: either fails in the write."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(StateFolderError, match="File too large"):
            requests.send(folder.path, Request("refresh"), os.getpid())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert list((folder.path / "requests").iterdir()) == []


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([Request("failed", url="http://100.64.0.2:11434")], id="a report"),
        pytest.param([Request("failed", url="http://100.64.0.2:11434"), Request("refresh")], id="a report and a look"),
        pytest.param([Request("failed", url=f"http://100.64.0.{n}:11434") for n in (2, 3)], id="of two servers"),
        pytest.param([Request("failed", url="http://100.64.0.2:11434")] * 3, id="the same three times is one"),
    ],
)
def test_a_report_carries_its_url(folder: StateFolder, sent: list[Request]) -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        for one in sent:
            requests.send(folder.path, one, os.getpid())
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert requests.receive(folder) == (set(sent), 0)


def test_thousands_are_taken_in_portions(folder: StateFolder) -> None:
    box = folder.path / "requests"
    box.mkdir(mode=0o700)
    for number in range(REQUESTS_MAX + 5):
        (box / f"r{number}").write_text('{"kind":"refresh"}')
    assert requests.receive(folder) == ({Request("refresh")}, 0)
    assert len(list(box.iterdir())) == 5


def test_a_box_that_is_a_symlink_is_not_opened(folder: StateFolder, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("mine")
    (folder.path / "requests").symlink_to(tmp_path / "precious")
    assert requests.receive(folder) == (set(), 0)
    assert (tmp_path / "precious" / "file").exists()


def test_asking_where_it_cannot_work_is_a_sentence(folder: StateFolder) -> None:
    with pytest.raises(StateFolderError, match="the daemon ended just now"):
        requests.send(folder.path, Request("refresh"), 2**22 + 1)
    folder.path.chmod(0o777)
    with pytest.raises(StateFolderError, match="others can write"):
        requests.send(folder.path, Request("refresh"), os.getpid())
    with pytest.raises(StateFolderError, match="cannot ask the daemon"):
        requests.send(folder.path / "none", Request("refresh"), os.getpid())


def test_what_was_left_is_seen(folder: StateFolder) -> None:
    assert not requests.waiting(folder)
    box = folder.path / "requests"
    box.mkdir(mode=0o700)
    (box / ".half").write_text("{")
    assert not requests.waiting(folder)
    (box / "one").write_text('{"kind":"refresh"}')
    assert requests.waiting(folder)
