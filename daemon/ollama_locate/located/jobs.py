"""APScheduler as it is used here: each job is one call at a time, armed anew after it. It keeps wall-clock time."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable, Coroutine
from typing import Any, Final

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

Job = Callable[[], Coroutine[Any, Any, None]]
_OVERLAP: Final = 16
"""A job of ours is one call; APScheduler counts it for a turn longer, and would drop the next with a warning."""


class Jobs:
    """Arming a job again replaces what it was armed for."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone=dt.UTC,
            executors={"default": AsyncIOExecutor()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Begin to call."""
        self._scheduler.start()

    async def stop(self) -> None:
        """Call no more; what was called in this turn is let through: APScheduler logs a cancelled job as an error."""
        self._scheduler.pause()
        await asyncio.sleep(0)
        self._scheduler.shutdown(wait=False)

    def once(self, name: str, wait: float, job: Job) -> None:
        """Call it once, `wait` seconds from now."""
        when = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=max(0.0, wait))
        trigger = DateTrigger(when, timezone=dt.UTC)
        self._scheduler.add_job(job, trigger, id=name, replace_existing=True, max_instances=_OVERLAP)

    def drop(self, name: str) -> None:
        """Do not call it, if it was to be called."""
        with contextlib.suppress(JobLookupError):
            self._scheduler.remove_job(name)

    def every(self, name: str, seconds: float, job: Job, first: float) -> None:
        """Call it `first` seconds from now, and then every so many seconds."""
        trigger = IntervalTrigger(seconds=seconds, timezone=dt.UTC)
        at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=first)
        self._scheduler.add_job(job, trigger, id=name, replace_existing=True, next_run_time=at, max_instances=_OVERLAP)
