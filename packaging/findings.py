"""What a release check has tried, and how it went: rows of one table."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PATIENCE: Final = 600.0
"""Seconds for one command: an install from sources may compile."""


class FailedError(Exception):
    """It was tried, and is not as it should be. The message says what was seen."""


class NotTriedError(Exception):
    """What it needs is not here. The message says what."""


@dataclass(frozen=True)
class Row:
    """`result`: "ok", "FAILED" or "not tried"."""

    what: str
    result: str
    detail: str
    seconds: float


class Table:
    """Rows in the order in which they were tried, each printed as it comes."""

    def __init__(self) -> None:
        """None yet."""
        self.rows: list[Row] = []

    def attempt(self, what: str, act: Callable[[], str]) -> None:
        """Do it; it returns what is to stand in the table, or raises one of the two errors."""
        began = time.monotonic()
        try:
            result, detail = "ok", act()
        except NotTriedError as error:
            result, detail = "not tried", str(error)
        except FailedError as error:
            result, detail = "FAILED", str(error)
        self.rows.append(Row(what, result, detail, time.monotonic() - began))
        print(self._line(self.rows[-1]), flush=True)

    def conclude(self) -> int:
        """Print how many there were of each; the exit code."""
        count = {result: sum(row.result == result for row in self.rows) for result in ("ok", "FAILED", "not tried")}
        print(f"\n{count['ok']} ok, {count['FAILED']} failed, {count['not tried']} not tried")
        for row in self.rows:
            if row.result != "ok":
                print(self._line(row))
        return 1 if count["FAILED"] or not count["ok"] else 0

    @staticmethod
    def _line(row: Row) -> str:
        return f"{row.result:<10} {row.seconds:6.1f} s  {row.what:<44} {row.detail}"


def ran(
    *words: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None, codes: tuple[int, ...] = (0,)
) -> str:
    """What a command has printed. Raises FailedError, with its last words, where it ends otherwise than it should."""
    try:
        done = subprocess.run(  # noqa: S603 - commands of this file's callers
            words, cwd=cwd, env=env, capture_output=True, text=True, errors="replace", check=False, timeout=PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FailedError(f"{words[0]}: {error}") from None
    if done.returncode not in codes:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise FailedError(f"{Path(words[0]).name} {words[1] if len(words) > 1 else ''}: {' / '.join(said[-3:])}")
    return done.stdout
