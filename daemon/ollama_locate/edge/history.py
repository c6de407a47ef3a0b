"""history.db in the state folder: SQLite, opened only to write or to read a few lines, and closed again."""

import contextlib
import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ollama_locate.core.bounds import HISTORY_FORGOTTEN, HISTORY_KEPT, HISTORY_MAX_BYTES
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.history import Sample, Switch

from .files import FILE_MODES, check_owner

if TYPE_CHECKING:
    import sqlite3

NAME: Final = "history.db"
ASIDE: Final = "history.db.damaged"
_VERSION: Final = 1
_PATIENCE: Final = 2.0
"""Seconds for another program that holds it, a reader with a long look."""

_PAGE: Final = 4096
_PAGES: Final = HISTORY_MAX_BYTES // _PAGE
_ROOM: Final = 0.95
_THIN_AT_MOST: Final = 20
_LINE_MORE: Final = 48
"""Bytes that a line takes besides its texts."""

_MICROS: Final = 1000.0

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS switches (
  at REAL NOT NULL, left TEXT NOT NULL, left_url TEXT NOT NULL, taken TEXT NOT NULL, taken_url TEXT NOT NULL,
  verdict TEXT NOT NULL, reason TEXT NOT NULL, text TEXT NOT NULL, alive_ago REAL
);
CREATE TABLE IF NOT EXISTS servers (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS samples (
  at INTEGER NOT NULL, server INTEGER NOT NULL, low INTEGER, high INTEGER, asked INTEGER NOT NULL,
  answered INTEGER NOT NULL
);
"""


class History:
    """The writer's side; one thread. sqlite3 is imported with the first line that is written."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def write(self, switches: Sequence[Switch], samples: Sequence[Sample]) -> str | None:
        """Add these lines, drop what is older than 30 days or beyond 10 MB; returns what is wrong, None: nothing.

        A file that is damaged is set aside, and a new one begun.
        """
        import sqlite3  # noqa: PLC0415 - 1 MiB, for the writing only

        try:
            return self._add(switches, samples)
        except StateFolderError as error:
            return str(error)
        except sqlite3.OperationalError as error:  # locked, full, not writable: the file itself may be whole
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # its tables are not ours
                return self._set_aside(error)
            return f"cannot write {self._path}: {error}; it is tried again later"
        except sqlite3.DatabaseError as error:
            return self._set_aside(error)
        except OSError as error:
            return f"cannot write {self._path}: {error.strerror}; it is tried again later"

    def _add(self, switches: Sequence[Switch], samples: Sequence[Sample]) -> str | None:
        _own_file(self._path)
        with contextlib.closing(_open(f"{self._path.as_uri()}?mode=rw")) as db:
            db.execute(f"PRAGMA max_page_count = {_PAGES}")
            if (found := _version(db)) > _VERSION:
                return f"{self._path} was written by a newer version: it is left alone (move it away to begin anew)"
            if found == 0:
                db.execute("PRAGMA journal_mode = WAL")
                db.executescript(_TABLES)
                db.execute(f"PRAGMA user_version = {_VERSION}")
            db.execute("PRAGMA synchronous = NORMAL")
            with db:
                _forget(db, time.time() - HISTORY_KEPT)
            _make_room(db, _pages(switches, samples))
            with db:
                db.executemany("INSERT INTO switches VALUES (?,?,?,?,?,?,?,?,?)", [_row(one) for one in switches])
                _insert(db, samples)
        return None

    def _set_aside(self, error: Exception) -> str:
        """Keep the damaged file for whoever wants to look, one of them; its journal belongs to it."""
        aside = self._path.with_name(ASIDE)
        try:
            self._path.rename(aside)
            for end in ("-wal", "-shm"):
                self._path.with_name(NAME + end).unlink(missing_ok=True)
        except OSError as trouble:
            return f"{self._path} is damaged ({error}), and cannot be moved: {trouble.strerror}"
        return f"{self._path} was damaged ({error}); it is now {aside.name}, and a new one is begun"


def read(folder: Path, since: float) -> tuple[list[Switch], list[Sample]]:
    """What was noted since then (epoch seconds), the oldest first. Raises StateFolderError."""
    import sqlite3  # noqa: PLC0415 - for `ollama-locate history` only

    path = folder / NAME
    try:
        check_owner(folder, folder.stat())
        if not stat.S_ISREG(path.lstat().st_mode):
            raise StateFolderError(f"{path} is not a regular file")
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise StateFolderError(f"cannot read {path}: {error.strerror}") from None
    try:
        with contextlib.closing(_reading(path)) as db:
            if (found := _version(db)) == 0:
                return [], []  # its writer has just begun
            if found != _VERSION:
                raise StateFolderError(f"{path} has version {found}, this program reads {_VERSION}")
            rows = db.execute("SELECT * FROM switches WHERE at >= ? ORDER BY at", (since,))
            switches = [Switch(*row) for row in rows]
            rows = db.execute(
                "SELECT samples.at, key, name, low, high, asked, answered FROM samples"
                " JOIN servers ON servers.id = samples.server WHERE samples.at >= ? ORDER BY samples.at",
                (since,),
            )
            samples = [
                Sample(at, key, name, _milliseconds(low), _milliseconds(high), asked, answered)
                for at, key, name, low, high, asked, answered in rows
            ]
    except sqlite3.Error as error:
        raise StateFolderError(f"cannot read {path}: {error}; the daemon sets a damaged one aside") from None
    return switches, samples


def _reading(path: Path) -> "sqlite3.Connection":
    """Another user's file, or one on a read-only disk, cannot have the shared memory that a journal needs."""
    import sqlite3  # noqa: PLC0415 - as above

    db = _open(f"{path.as_uri()}?mode=ro")
    try:
        _version(db)
    except sqlite3.OperationalError:
        db.close()
        return _open(f"{path.as_uri()}?mode=ro&immutable=1")
    return db


def _open(uri: str) -> "sqlite3.Connection":
    import sqlite3  # noqa: PLC0415 - as above

    return sqlite3.connect(uri, uri=True, timeout=_PATIENCE)


def _own_file(path: Path) -> None:
    """Make it, for who may enter the folder; raise StateFolderError or OSError unless it is a file of one's own."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(path, flags, 0o600)
    except IsADirectoryError:
        raise StateFolderError(f"{path} is a folder; move it away") from None
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode) or info.st_uid != os.geteuid():
            raise StateFolderError(f"{path} is not a file of yours; move it away")
        os.fchmod(fd, path.parent.stat().st_mode & FILE_MODES)
    finally:
        os.close(fd)


def _version(db: "sqlite3.Connection") -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _row(one: Switch) -> tuple[object, ...]:
    texts = (one.left, one.left_url, one.taken, one.taken_url, one.verdict, one.reason, one.text)
    return (one.at, *texts, one.alive_ago)


def _insert(db: "sqlite3.Connection", samples: Sequence[Sample]) -> None:
    latest = {one.key: one.name for one in samples}
    db.executemany(
        "INSERT INTO servers (key, name) VALUES (?,?) ON CONFLICT (key) DO UPDATE SET name = excluded.name"
        " WHERE name != excluded.name",
        latest.items(),
    )
    db.executemany(
        "INSERT INTO samples VALUES (?, (SELECT id FROM servers WHERE key = ?), ?, ?, ?, ?)",
        [(round(s.at), s.key, _micros(s.low), _micros(s.high), s.asked, s.answered) for s in samples],
    )


def _forget(db: "sqlite3.Connection", before: float) -> None:
    """Drop what is older; of each table the oldest day at the most, as the clock that says so may be wrong."""
    for table in ("switches", "samples"):
        oldest = f"(SELECT min(at) FROM {table})"  # noqa: S608 - one of two constant words
        db.execute(f"DELETE FROM {table} WHERE at < min(?, {oldest} + ?)", (before, HISTORY_FORGOTTEN))  # noqa: S608 - as above


def _pages(switches: Sequence[Switch], samples: Sequence[Sample]) -> int:
    """How many pages these lines may take."""
    texts = sum(len(str(word).encode(errors="replace")) for one in switches for word in _row(one))
    names = sum(2 * len(one.key) + 4 * len(one.name) for one in {one.key: one for one in samples}.values())
    return (texts + names + _LINE_MORE * (len(switches) + len(samples))) // _PAGE


def _make_room(db: "sqlite3.Connection", coming: int) -> None:
    """While the file would be almost as large as it may be, drop the oldest tenth, and servers without any line."""
    for _ in range(_THIN_AT_MOST):
        pages, free = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "freelist_count"))
        if pages - free + coming < _PAGES * _ROOM:
            return
        with db:
            # Switches are few, and what a person looks for: they go when no round trip is left.
            for table in ["samples" if db.execute("SELECT 1 FROM samples LIMIT 1").fetchone() else "switches"]:
                tenth = "SELECT max(1, (max(rowid) - min(rowid)) / 10) + min(rowid) FROM"
                db.execute(f"DELETE FROM {table} WHERE rowid <= ({tenth} {table})")  # noqa: S608 - as above
            db.execute("DELETE FROM servers WHERE id NOT IN (SELECT server FROM samples)")


def _micros(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds * _MICROS)


def _milliseconds(micros: int | None) -> float | None:
    return None if micros is None else micros / _MICROS
