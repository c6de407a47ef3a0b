"""How figures of speed are printed: a table with bars, CSV, JSON."""

import argparse
import csv
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from ollama_locate.core.bars import figure, rates
from ollama_locate.core.bounds import SCHEMA
from ollama_locate.core.snapshot import Snapshot, rfc3339
from ollama_locate.core.speed import Speed, is_of

from .show import ago, line, note, table

if TYPE_CHECKING:
    from ollama_locate.core.bench import Job, Stocked
    from ollama_locate.core.generation import Miss

CSV_HEAD: Final = ("server", "model", "digest", "measured_at", "first_token_s", "tokens_per_s", "load_s")


class Row(NamedTuple):
    """A figure, the name of its server, and whether the model there is another one by now."""

    name: str
    speed: Speed
    outdated: bool = False


class Missed(NamedTuple):
    """What could not be measured, and why."""

    job: "Job"
    miss: "Miss"


def run(args: argparse.Namespace, snapshot: Snapshot, have: "Sequence[Stocked]", known: Sequence[Speed]) -> int:
    """`models --speeds`; 1 where there is none."""
    found = rows(known, have, {one.key: one.name for one in snapshot.servers})
    if args.json:
        as_json(found)
    elif args.csv:
        as_csv(found)
    elif found:
        show(found)
    else:
        note("ollama-locate: nothing is measured yet; `ollama-locate models --bench` does that")
        return 1
    return 0


def rows(speeds: Iterable[Speed], stock: "Iterable[Stocked]", names: Mapping[str, str]) -> list[Row]:
    """The figures with the names of their servers, of which `names` has those by their keys.

    A model that its server has no longer, or in another version, makes its figure outdated; a server that does not
    answer says nothing of it.
    """
    here = {(one.server.key, model.name): model.digest for one in stock for model in one.models}
    asked = {one.server.key for one in stock}
    found = []
    for one in speeds:
        digest = here.get((one.server, one.model))
        outdated = one.server in asked and (digest is None or not is_of(one, digest))
        found.append(Row(names.get(one.server, one.server), one, outdated))
    return found


def show(found: Sequence[Row], now: float | None = None) -> None:
    """The table, then the bars of those that are not outdated. In a pipe the table alone."""
    at = time.time() if now is None else now
    body = [
        (
            row.name,
            row.speed.model,
            figure(row.speed.rate),
            _short(row.speed.first_token),
            f"{row.speed.load:.1f} s" if row.speed.load else "-",
            "outdated" if row.outdated else f"{ago(at - row.speed.at)} ago",
        )
        for row in found
    ]
    table(("SERVER", "MODEL", "RATE", "FIRST TOKEN", "LOAD", "MEASURED"), body)
    drawn = [(row.name, row.speed.model, row.speed.rate) for row in found if not row.outdated]
    if sys.stdout.isatty() and drawn:
        line()
        for one in rates(drawn, shutil.get_terminal_size().columns):
            print(one)


def _short(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1.0 else f"{seconds * 1000:.0f} ms"


def as_csv(found: Iterable[Row]) -> None:
    """A row for each server and model, with a head; `load_s` is empty where it was never seen."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(CSV_HEAD)
    for row in found:
        out.writerow(tuple(as_data(row)[word] for word in CSV_HEAD))


def as_json(found: Iterable[Row], missed: Iterable[Missed] = ()) -> None:
    """Figures, and what could not be measured: docs/models.md."""
    data = {
        "schema": SCHEMA,
        "speeds": [as_data(row) | {"key": row.speed.server, "outdated": row.outdated} for row in found],
        "missed": [
            {
                "server": one.job.server.name,
                "key": one.job.server.key,
                "model": one.job.model.name,
                "code": one.miss.why.word,
                "text": one.miss.text,
            }
            for one in missed
        ],
    }
    print(msgspec.json.encode(data).decode())


def as_data(row: Row) -> dict[str, Any]:
    """One figure for programs."""
    one = row.speed
    return {
        "server": row.name,
        "model": one.model,
        "digest": one.digest,
        "measured_at": rfc3339(one.at),
        "first_token_s": round(one.first_token, 4),
        "tokens_per_s": round(one.rate, 2),
        "load_s": round(one.load, 3) if one.load else None,
    }
