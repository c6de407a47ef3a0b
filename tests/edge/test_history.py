"""history.db on a real disk: what can go wrong is a sentence, and nothing that was noted is lost for it."""

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from ollama_locate.core.bounds import HISTORY_KEPT
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.history import Sample, Switch
from ollama_locate.edge import history
from ollama_locate.edge.history import ASIDE, NAME, History, read
from tests.environment import unmeasured

ROOT = Path(__file__).resolve().parents[2]
NOW = time.time()


def switch(at: float = NOW, taken: str = "nas", text: str = "gpu refuses", alive_ago: float | None = 1.5) -> Switch:
    return Switch(
        at, "gpu", "http://100.64.0.2:11434", taken, "http://100.64.0.3:11434", "fresh", "only", text, alive_ago
    )


def sample(at: float = NOW, key: str = "n2:11434", name: str = "gpu") -> Sample:
    return Sample(round(at), key, name, 9.5, 12.25, 20, 19)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "state with a blank, ? and #"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_PATIENCE", 0.1)


def test_what_is_written_is_read_back_the_oldest_first(folder: Path) -> None:
    book = History(folder)
    assert book.write([switch(NOW), switch(NOW - 60, alive_ago=None)], [sample(NOW), sample(NOW - 60)]) is None
    assert book.write([switch(NOW + 1, "pi", "a\x00b 'quoted'; DROP TABLE switches")], []) is None
    switches, samples = read(folder, 0.0)
    assert switches == [
        switch(NOW - 60, alive_ago=None),
        switch(NOW),
        switch(NOW + 1, "pi", "a\x00b 'quoted'; DROP TABLE switches"),
    ]
    assert samples == [sample(NOW - 60), sample(NOW)]


def test_only_what_is_asked_for_is_read(folder: Path) -> None:
    History(folder).write([switch(NOW - 100), switch(NOW)], [sample(NOW - 100), sample(NOW)])
    assert read(folder, NOW - 50) == ([switch(NOW)], [sample(NOW)])


def test_a_server_that_never_answered_has_no_round_trips_and_one_that_was_renamed_has_its_new_name(
    folder: Path,
) -> None:
    silent = Sample(round(NOW), "n9", "silent", None, None, 3, 0)
    History(folder).write([], [silent, sample(name="old")])
    History(folder).write([], [sample(NOW + 1, name="new")])
    assert {one.name for one in read(folder, 0)[1]} == {"silent", "new"}
    assert silent in read(folder, 0)[1]


def test_nobody_else_may_read_it_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        History(folder).write([switch()], [])
        modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()}
    finally:
        os.umask(before)
    assert modes == {NAME: "0o600"}


def test_before_the_first_line_there_is_nothing(folder: Path) -> None:
    assert read(folder, 0) == ([], [])
    assert list(folder.iterdir()) == []


# --- what may be in its place


def truncated(path: Path) -> None:
    History(path.parent).write([switch()] * 200, [sample()])
    path.write_bytes(path.read_bytes()[:6000])


def overwritten(path: Path) -> None:
    History(path.parent).write([switch()] * 200, [sample()])
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:100] + b"\xa5" * (size - 100))


def of_others(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("CREATE TABLE stranger (x); PRAGMA user_version = 1")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(os.urandom(9000)), id="random bytes"),
        pytest.param(lambda path: path.write_text("hello\n" * 500), id="a text"),
        pytest.param(truncated, id="cut off"),
        pytest.param(overwritten, id="overwritten behind its head"),
        pytest.param(of_others, id="another program's tables"),
    ],
)
def test_a_damaged_file_is_set_aside_and_said_and_the_lines_come_through(
    folder: Path, damage: Callable[[Path], object]
) -> None:
    damage(folder / NAME)
    (folder / ASIDE).write_text("an older one, which makes room")
    damaged = (folder / NAME).read_bytes()
    with pytest.raises(StateFolderError, match="cannot read"):
        read(folder, 0)
    said = History(folder).write([switch()], [sample()])
    assert said is not None
    assert "was damaged" in said
    assert f"it is now {ASIDE}, and a new one is begun" in said
    assert (folder / ASIDE).read_bytes()[:100] == damaged[:100]
    assert History(folder).write([switch()], [sample()]) is None
    assert read(folder, 0) == ([switch()], [sample()])


def test_an_empty_file_is_a_new_one(folder: Path) -> None:
    (folder / NAME).touch()
    assert read(folder, 0) == ([], []), "its writer has just begun"
    assert History(folder).write([switch()], []) is None
    assert read(folder, 0) == ([switch()], [])


def precious(path: Path) -> None:
    target = path.with_name("precious")
    target.write_text("mine")
    path.symlink_to(target)


def give_away(path: Path) -> None:
    path.touch()
    os.chown(path, 12345, 12345)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(Path.mkdir, "is a folder; move it away", id="a folder"),
        pytest.param(precious, "cannot write", id="a symlink"),
        pytest.param(lambda path: path.symlink_to(path), "cannot write", id="a symlink to itself"),
        pytest.param(os.mkfifo, "is not a file of yours; move it away", id="a fifo"),
        pytest.param(
            give_away,
            "is not a file of yours",
            id="a file of another owner",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away"),
        ),
    ],
)
def test_what_is_in_its_place_is_a_sentence_and_stays(
    folder: Path, make: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    make(folder / NAME)
    before = (folder / NAME).lstat()
    started = time.monotonic()
    complaint = History(folder).write([switch()], [])
    assert time.monotonic() - started < 0.5
    assert complaint is not None
    assert said in complaint
    assert (folder / NAME).lstat().st_ino == before.st_ino
    assert all(path.read_text() == "mine" for path in folder.glob("precious"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", folder.name]


@pytest.mark.parametrize("make", [Path.mkdir, precious, os.mkfifo], ids=["a folder", "a symlink", "a fifo"])
def test_a_reader_takes_a_regular_file_only(folder: Path, make: Callable[[Path], object]) -> None:
    make(folder / NAME)
    with pytest.raises(StateFolderError, match="is not a regular file"):
        read(folder, 0)


def test_a_reader_does_not_believe_a_folder_that_others_can_write(folder: Path) -> None:
    History(folder).write([switch()], [])
    folder.chmod(0o777)
    with pytest.raises(StateFolderError, match="others can write"):
        read(folder, 0)


def test_a_file_of_a_newer_version_is_left_alone(folder: Path) -> None:
    History(folder).write([switch()], [])
    with contextlib.closing(sqlite3.connect(folder / NAME)) as db:
        db.execute("PRAGMA user_version = 99")
    before = (folder / NAME).read_bytes()
    said = History(folder).write([switch()], [])
    assert said is not None
    assert "was written by a newer version: it is left alone" in said
    assert (folder / NAME).read_bytes() == before
    with pytest.raises(StateFolderError, match="has version 99"):
        read(folder, 0)


def test_a_text_that_is_none_is_a_sentence_for_the_reader(folder: Path) -> None:
    History(folder).write([switch()], [])
    with contextlib.closing(sqlite3.connect(folder / NAME)) as db, db:
        db.execute("UPDATE switches SET text = CAST(x'ff00fe' AS TEXT)")
    with pytest.raises(StateFolderError, match="cannot read"):
        read(folder, 0)


def test_an_unreadable_one_is_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    History(folder).write([switch()], [])

    def refuse(*_: object, **__: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    with pytest.raises(StateFolderError, match="unable to open"):
        read(folder, 0)


# --- the disk, and others at the same time


def test_one_that_somebody_holds_is_tried_again_later_and_nothing_is_lost(folder: Path) -> None:
    book = History(folder)
    book.write([switch(NOW - 1)], [])
    with contextlib.closing(sqlite3.connect(folder / NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        said = book.write([switch()], [sample()])
        assert said == f"cannot write {folder / NAME}: database is locked; it is tried again later"
        assert read(folder, 0) == ([switch(NOW - 1)], [])
        other.execute("ROLLBACK")
    assert book.write([switch()], [sample()]) is None
    assert read(folder, 0) == ([switch(NOW - 1), switch()], [sample()])


FULL = """
import resource, sys
from pathlib import Path
from tests.edge.test_history import switch, sample
from ollama_locate.edge.history import History
folder, limit = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
print(History(folder).write([switch(text="x" * 200)] * 500, [sample()]))
"""


@pytest.mark.parametrize("limit", [0, 4096, 20_000, 60_000])
def test_a_full_disk_is_a_sentence_and_what_was_there_stays(folder: Path, limit: int) -> None:
    first = [switch(NOW - 1)] if limit > 4096 else []
    if first:
        History(folder).write(first, [])
    words = [sys.executable, "-c", FULL, str(folder), str(limit)]
    env = unmeasured() | {"PYTHONPATH": f"{ROOT}:{ROOT / 'daemon'}"}  # what is measured could not be written either
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout.startswith(f"cannot write {folder / NAME}: "), done
    assert done.stdout.endswith("; it is tried again later\n")
    assert History(folder).write([switch()], []) is None, "there is room again"
    assert read(folder, 0)[0] == [*first, switch()]


def test_what_is_older_than_thirty_days_goes(folder: Path) -> None:
    old, young = NOW - HISTORY_KEPT - 3600, NOW - HISTORY_KEPT + 3600
    History(folder).write([switch(old), switch(young)], [sample(old), sample(young)])
    History(folder).write([switch()], [])
    assert read(folder, 0) == ([switch(young), switch()], [sample(young)])


DAY = 86_400.0


def test_a_clock_that_is_a_month_ahead_for_a_while_costs_a_few_days_of_thirty(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [NOW - ago * DAY for ago in range(29, -1, -1)]
    book = History(folder)
    book.write([switch(at) for at in days], [sample(at) for at in days])
    monkeypatch.setattr(history, "time", SimpleNamespace(time=lambda: NOW + 31 * DAY))
    for _ in range(3):
        assert book.write([switch(NOW + 31 * DAY)], [sample(NOW + 31 * DAY)]) is None
    monkeypatch.undo()
    assert book.write([], []) is None
    switches, samples = read(folder, 0)
    assert [one.at for one in switches if one.at <= NOW] == days[3:]
    assert [one.at for one in samples if one.at <= round(NOW)] == [round(at) for at in days[3:]]


def test_after_a_long_holiday_the_past_goes_a_day_with_each_write(folder: Path) -> None:
    book = History(folder)
    book.write([switch(NOW - ago * DAY) for ago in range(60, 40, -1)], [])
    for written in range(1, 22):
        book.write([switch()], [])
        assert len(read(folder, 0)[0]) == max(0, 20 - written) + written, written


PAGES = 64


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(lambda turn: ([], [sample(NOW + turn)] * 300), id="round trips"),
        pytest.param(lambda turn: ([switch(NOW + turn, text="x" * 200)] * 20, []), id="switches"),
        pytest.param(
            lambda turn: ([switch(NOW + turn)] * 5, [sample(NOW + turn, f"n{turn}", "x" * 60)] * 100), id="both"
        ),
        pytest.param(
            lambda turn: ([], [sample(NOW + turn, f"{turn} {one}", "x" * 60) for one in range(50)]),
            id="servers that never come again",
        ),
    ],
)
def test_it_grows_no_larger_than_it_may_and_the_latest_are_kept(
    folder: Path, lines: Callable[[int], tuple[list[Switch], list[Sample]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_PAGES", PAGES)
    monkeypatch.setattr(history, "_ROOM", 0.8)
    book, largest, last = History(folder), 0, 60
    for turn in range(last):
        assert book.write(*lines(turn)) is None, turn
        largest = max(largest, (folder / NAME).stat().st_size)
    assert largest <= PAGES * 4096
    assert [path.name for path in folder.iterdir()] == [NAME], "no journal stays behind"
    switches, samples = read(folder, 0)
    wrote_switches, wrote_samples = lines(last - 1)
    assert switches[len(switches) - len(wrote_switches) :] == wrote_switches
    assert len([one for one in samples if one.at == round(NOW + last - 1)]) == len(wrote_samples)


def test_a_long_list_that_could_not_be_written_for_days_finds_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_PAGES", PAGES)
    book = History(folder)
    for turn in range(60):
        book.write([], [sample(NOW + turn)] * 200)
    waited = [switch(NOW + turn, text="x" * 200) for turn in range(200)]
    assert book.write(waited, []) is None
    assert read(folder, 0)[0] == waited


def test_a_reader_reads_whole_writes_while_a_writer_writes(folder: Path) -> None:
    book, ended, complaints = History(folder), threading.Event(), list[str]()
    book.write([switch()] * 10, [])

    def write() -> None:
        for turn in range(60):
            complaints.extend(filter(None, [book.write([switch(NOW + turn)] * 10, [sample(NOW + turn)])]))
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    counts = []
    while not ended.is_set():
        counts.append(len(read(folder, 0)[0]))
    writer.join()
    assert complaints == []
    assert all(count % 10 == 0 for count in counts)
    assert counts == sorted(counts)
    assert len(read(folder, 0)[0]) == 610
