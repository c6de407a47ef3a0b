"""A pytest session that collects once, finds out which test reaches which line, and forks for each mutant."""

import gc
import os
import pickle
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from pathlib import Path
from typing import NoReturn

import coverage
import pytest
from hypothesis import Phase, settings

from .operators import Mutant
from .swap import Living, living, swap

ROOT = Path(__file__).parents[2]
CORE = ROOT / "daemon" / "ollama_locate" / "core"
PROPERTIES = "tests/properties/"

PATIENCE, PATIENCE_MIN = 10.0, 3.0
"""A test may take so many times the CPU seconds that it took without a mutant, and at least so many."""
MEMORY = 2 * 2**30
"""A mutant that collects without end gets a MemoryError, not this machine's memory."""

NOT_OF_THE_CORE = frozenset({"home", "blocked", "no_thread_stays", "tmp_path", "monkeypatch"})
"""Fixtures of all tests that guard files, loops and threads: the core has none, and they take longer than its tests."""


class Fate(IntEnum):
    """What became of a mutant, as its process says it. A signal is a time-out."""

    SURVIVED = 0
    BROKEN = 3
    KILLED = 10
    BY_PROPERTY = 11
    TIMED_OUT = 12


Reached = dict[str, dict[int, list[int]]]
"""File -> line -> the numbers of the tests that reach it."""


class Session:
    """The plugin. `mutants` are of functions; `fates` is filled while pytest "runs the tests"."""

    def __init__(self, mutants: Sequence[Mutant], workers: int) -> None:
        self._mutants, self._workers = mutants, workers
        self._failed = False
        self._times: list[float] = []
        self._functions: Living = {}
        self.fates: list[Fate] = []
        self.reached: Reached = {}
        self.files: list[str] = []
        """The file of each test, by its number."""

    def pytest_sessionstart(self) -> None:
        """A counterexample is enough: nobody looks at it, so it need not become small."""
        settings.register_profile("mutation", settings.default, phases=(Phase.explicit, Phase.generate))
        settings.load_profile("mutation")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = [lightened(item) for item in session.items if not item.get_closest_marker("skip")]
        self.files = [str(item.path.relative_to(ROOT)) for item in items]
        mapped = self._map(items)
        if mapped is None:
            return True
        self.reached, self._times = mapped
        self._functions = living(str(CORE))
        gc.collect()
        gc.freeze()
        jobs: list[Callable[[], int]] = [self._job(one, items) for one in self._mutants]
        self.fates = list(forked(jobs, self._workers, "functions"))
        return True

    def _job(self, mutant: Mutant, items: list[pytest.Item]) -> Callable[[], int]:
        def job() -> int:
            swap(mutant, self._functions)
            return self._judge([(number, items[number]) for number in self.against(mutant)])

        return job

    def against(self, mutant: Mutant) -> list[int]:
        """The tests that reach a mutant: those of its own file first, properties last, quick ones before slow ones."""
        lines = self.reached.get(mutant.file, {})
        numbers = {number for line in mutant.lines for number in lines.get(line, [])}
        own = f"test_{Path(mutant.file).stem}.py"

        def order(number: int) -> tuple[bool, bool, float]:
            file = self.files[number]
            return file.startswith(PROPERTIES), not file.endswith(own), self._times[number]

        return sorted(numbers, key=order)

    def _judge(self, chosen: list[tuple[int, pytest.Item]]) -> Fate:
        for place, (number, item) in enumerate(chosen):
            following = chosen[place + 1][1] if place + 1 < len(chosen) else None
            signal.setitimer(signal.ITIMER_PROF, max(PATIENCE_MIN, PATIENCE * self._times[number]))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                return Fate.BY_PROPERTY if self.files[number].startswith(PROPERTIES) else Fate.KILLED
        return Fate.SURVIVED

    def _map(self, items: list[pytest.Item]) -> tuple[Reached, list[float]] | None:
        """In a process of its own, so that nothing that a test leaves in an object hides a mutant."""
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reading)
            _ends(lambda: self._trace(items, writing))
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        if os.waitpid(child, 0)[1] or not said:
            return None
        reached, times = pickle.loads(said)  # noqa: S301 -- our own child
        return reached, times

    def _trace(self, items: list[pytest.Item], writing: int) -> int:
        tracer = coverage.Coverage(data_file=None, config_file=False, include=[f"{CORE}/*"])
        times = []
        for number, item in enumerate(items):
            began = time.process_time()
            tracer.start()
            tracer.switch_context(str(number))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=dict(enumerate(items)).get(number + 1))
            tracer.stop()
            times.append(time.process_time() - began)
            if self._failed:
                print(f"{item.nodeid} fails without any mutant", file=sys.stderr)
                return Fate.BROKEN
        data = tracer.get_data()
        reached = {
            file: {line: [int(name) for name in names if name] for line, names in data.contexts_by_lineno(file).items()}
            for file in data.measured_files()
        }
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump((reached, times), pipe)
        return 0


def lightened(item: pytest.Item) -> pytest.Item:
    """The same test without the fixtures that it does not ask for and the core does not need."""
    names: list[str] = getattr(item, "fixturenames", [])
    asked = set(getattr(item, "_fixtureinfo").argnames)  # noqa: B009 -- pytest has no public name for it
    names[:] = [name for name in names if name in asked or name not in NOT_OF_THE_CORE or "tmp_path" in asked]
    return item


def forked(jobs: Iterable[Callable[[], int]], workers: int, what: str) -> Iterator[Fate]:
    """Each job in a process of its own, `workers` at a time; the fates are in the order of the jobs."""
    jobs = list(jobs)
    fates: dict[int, Fate] = {}
    running: dict[int, int] = {}
    began = time.monotonic()
    for number, job in enumerate(jobs):
        if (child := os.fork()) == 0:
            _ends(job)
        running[child] = number
        while len(running) >= workers or (running and number + 1 == len(jobs)):
            ended, status = os.wait()
            code = os.waitstatus_to_exitcode(status)
            fates[running.pop(ended)] = Fate(code) if code in set(Fate) else Fate.TIMED_OUT
            if len(jobs) > 1 and (len(fates) % 100 == 0 or len(fates) == len(jobs)):
                print(f"{what}: {len(fates)} of {len(jobs)}, {time.monotonic() - began:.0f} s", file=sys.stderr)
    yield from (fates[number] for number in range(len(jobs)))


def _ends(job: Callable[[], int]) -> NoReturn:
    """A child never returns into the parent's code, whatever the mutant raises."""
    code = int(Fate.KILLED)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        code = job()
    except MemoryError:
        code = int(Fate.TIMED_OUT)
    except (Exception, pytest.exit.Exception, SystemExit):  # noqa: BLE001 -- it ends here, with a code
        traceback.print_exc()
        code = int(Fate.BROKEN)
    finally:
        os._exit(code)
