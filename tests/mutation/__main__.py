"""`make mutate`: how many small mistakes in the core would the tests notice?"""

import argparse
import ast
import hashlib
import json
import os
import pickle
import sys
import tempfile
import time
from pathlib import Path

import pytest

from . import cold
from .operators import Mutant, mutants
from .report import Result, explained, report
from .session import CORE, PROPERTIES, Fate, Reached, Session, forked

LEFT_OUT = frozenset({"constants", "bounds", "bounds_models"})
"""Figures with a reason each, to which the tests refer by name: that a figure is right is not for a table to say."""

TABLES = "tests/core"


def main() -> int:
    """1 where too many mutants survive, or an explanation is out of date."""
    options = _parser().parse_args()
    began = time.monotonic()
    trees, found = _found(options.files)
    if options.again:
        lines = map(json.loads, Path(options.again).read_text(encoding="utf-8").splitlines())
        alive = {(line["file"], line["change"]) for line in lines if line["fate"] == Fate.SURVIVED.name}
        found = [one for one in found if (Path(one.file).name, one.key) in alive]
    chosen = found if options.sample is None else sorted(found, key=_lot)[: options.sample]
    inside = [one for one in chosen if one.owner is not None]
    outside = [one for one in chosen if one.owner is None]
    fates, reached, files = _run_session(inside, options)
    results = [Result(mutant, fate) for mutant, fate in zip(inside, fates, strict=True)]
    _note(results, options.json)
    groups = {file: cold.groups_for(file, reached, files) for file in trees}
    jobs = [cold.job(one, trees[one.file], groups[one.file]) for one in outside]
    fates = list(forked(jobs, options.workers, "imports"))
    results += [Result(mutant, fate) for mutant, fate in zip(outside, fates, strict=True)]
    _note(results, options.json)
    if any(result.fate is Fate.BROKEN for result in results):
        sys.exit("mutation: the runner itself failed, see above")
    whole = options.sample is None and not options.again
    return report(results, explained(), options.bar, time.monotonic() - began, whole=whole)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("files", nargs="*", help="of the core, without .py; all where none is given")
    parser.add_argument("--sample", type=int, help="so many mutants, the same ones each time")
    parser.add_argument("--properties", action="store_true", help="let them judge too: a survivor costs some 7 s more")
    parser.add_argument("--bar", type=float, default=90.0, help="percent to be killed of those that are not explained")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", help="a file for what became of each")
    parser.add_argument("--again", help="such a file: only those that survived then")
    return parser


def _note(results: list[Result], file: str | None) -> None:
    lines = (
        {"file": file, "line": one.mutant.lines.start, "change": change, "fate": one.fate.name}
        for one in results
        for file, change in [one.name]
    )
    if file:
        Path(file).write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def _found(names: list[str]) -> tuple[dict[str, ast.Module], list[Mutant]]:
    trees = {}
    for path in sorted(CORE.glob("*.py")):
        if path.stem not in LEFT_OUT and (not names or path.stem in names):
            trees[str(path)] = ast.parse(path.read_text(encoding="utf-8"))
    return trees, [mutant for file, tree in trees.items() for mutant in mutants(file, tree)]


def _lot(mutant: Mutant) -> bytes:
    """As if drawn, yet the same each time, and the same after a change elsewhere."""
    return hashlib.sha256(f"{Path(mutant.file).name} {mutant.key}".encode()).digest()


def _run_session(inside: list[Mutant], options: argparse.Namespace) -> tuple[list[Fate], Reached, list[str]]:
    """In a process of its own, so that this one stays without any import of ours."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "session")

        def job() -> int:
            session = Session(inside, options.workers)
            tests = [TABLES, PROPERTIES] if options.properties else [TABLES]
            pytest.main([*cold.OPTIONS, *tests], plugins=[session])
            told.write_bytes(pickle.dumps((session.fates, session.reached, session.files)))
            return 0

        if next(forked([job], 1, "session")) is not Fate.SURVIVED:
            sys.exit("mutation: no session")
        fates, reached, files = pickle.loads(told.read_bytes())  # noqa: S301 -- our own child
    if len(fates) != len(inside):
        sys.exit("mutation: the session ended before its end")
    return fates, reached, files


if __name__ == "__main__":
    sys.exit(main())
