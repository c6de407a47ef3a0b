"""Virtual time for the real loop: an event loop that jumps to its next timer, and every clock that the daemon reads.

The three clocks are those of a machine: monotonic (the loop's, stands still in sleep), boot (with sleep), the
wall's (with sleep, and with whoever sets it).
"""

import asyncio
import datetime as dt
import random
import selectors
from collections.abc import Callable, Coroutine
from contextvars import Context
from types import SimpleNamespace
from typing import Any, TypeVar, TypeVarTuple

import apscheduler.schedulers.base
import apscheduler.triggers.interval
import pytest

from ollama_locate.core.disturbance import Reading
from ollama_locate.edge import history
from ollama_locate.located import bells, daemon, finder, jobs, looks, publisher, wishes

Words = TypeVarTuple("Words")
Returned = TypeVar("Returned")

DISK = 0.0005
"""What the disk takes for anything, in seconds of virtual time."""

TURN = 0.00002
"""What one turn of the loop takes: if no time passed, a job armed a rounding too early would be run again for ever."""

CPU = 0.0005
"""What any piece of work is said to cost in CPU time: measured time would make each run another one."""


class _Selector(selectors.SelectSelector):
    """Nothing outside ever becomes ready; instead of waiting the clock is set forward."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("nobody waits for anything: the daemon has fallen asleep for ever")
        self.now += max(0.0, timeout) + TURN
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """No thread, no signal, no waiting. What would go to the disk's thread is done in turn, a little later."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self._on_signal: dict[int, Callable[[], object]] = {}
        self._disk_free = 0.0

    def time(self) -> float:
        return self._virtual.now

    def stand_still(self, seconds: float) -> None:
        """This program is not run for so long."""
        self._virtual.now += seconds

    def signal(self, number: int) -> None:
        """Somebody sends it."""
        self._on_signal[number]()

    # --- what asyncio would do with threads and signals

    def add_signal_handler(self, sig: int, callback: Callable[[*Words], object], *args: *Words) -> None:
        self._on_signal[sig] = lambda: callback(*args)

    def remove_signal_handler(self, sig: int) -> bool:
        return self._on_signal.pop(sig, None) is not None

    def call_soon_threadsafe(
        self, callback: Callable[[*Words], object], *args: *Words, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(
        self, executor: object, func: Callable[[*Words], Returned], *args: *Words
    ) -> asyncio.Future[Returned]:
        done: asyncio.Future[Returned] = self.create_future()

        def work() -> None:
            asyncio._set_running_loop(None)  # a thread has none, and may block
            try:
                result = func(*args)
            except Exception as error:  # noqa: BLE001 - the same as a thread's: it is for who waits
                if not done.cancelled():
                    done.set_exception(error)
                return
            finally:
                asyncio._set_running_loop(self)
            if not done.cancelled():
                done.set_result(result)

        assert executor is not None, "only the disk has a thread"
        self._disk_free = max(self.time(), self._disk_free) + DISK
        self.call_at(self._disk_free, work)
        return done


def run(loop: VirtualLoop, main: Coroutine[Any, Any, int]) -> int:
    """Until it has ended."""
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()


def patch(
    monkeypatch: pytest.MonkeyPatch, now: Callable[[], float], boot: Callable[[], float], wall: Callable[[], float]
) -> None:
    """Let all that the daemon and APScheduler ask for the time follow these; and let chance follow a seed.

    Only names in the modules that ask are replaced, never the clocks themselves: pytest needs them.
    """
    spent = 0.0

    def thread_time() -> float:
        nonlocal spent
        spent += CPU
        return spent

    class Datetime(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
            return dt.datetime.fromtimestamp(wall(), tz)

    clock = SimpleNamespace(time=wall, thread_time=thread_time)
    for module in (daemon, finder, publisher, history, wishes):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(bells, "clocks", SimpleNamespace(read=lambda: Reading(now(), boot(), wall())))
    calendar = SimpleNamespace(datetime=Datetime, timedelta=dt.timedelta, UTC=dt.UTC)
    monkeypatch.setattr(jobs, "dt", calendar)
    for module in (apscheduler.schedulers.base, apscheduler.triggers.interval):
        monkeypatch.setattr(module, "datetime", Datetime)
    chance = random.Random(0)
    for module in (looks, finder):
        monkeypatch.setattr(module, "random", chance)
