"""The job that sends probes: armed for the next server that is due, as the core says it."""

import asyncio

from ollama_locate.core.bounds import REARM_DELAY

from .finder import Finder
from .jobs import Jobs


class Probes:
    """Due times are monotonic, and the job is armed by the wall clock."""

    def __init__(self, finder: Finder, jobs: Jobs) -> None:
        self._finder, self._jobs = finder, jobs
        self._loop = asyncio.get_running_loop()
        self._armed: float | None = None
        self._rearming: asyncio.TimerHandle | None = None
        self._stopped = False

    def stop(self) -> None:
        """Arm nothing any more."""
        self._stopped = True

    def begin(self) -> None:
        """Send those that are due."""
        self._finder.probe_due()
        self._arm()

    def rearm(self) -> None:
        """The same, and arm the job anew: the clock by which it is due may have been set."""
        self._armed = None
        self.begin()

    def rearm_soon(self) -> None:
        """Something has changed; more may follow at once."""
        if self._rearming is None:
            self._rearming = self._loop.call_later(REARM_DELAY, self._arm)

    def next_due(self) -> float | None:
        """When the next probe is due; None while all descriptors are taken."""
        return None if self._finder.full() else self._finder.locator.next_due()

    async def _job(self) -> None:
        """Outside the job: APScheduler drops a job that is armed for the past while it still runs."""
        self._armed = None
        self._loop.call_soon(self.begin)

    def _arm(self) -> None:
        """Set the job to when the core wants it, unless it is set to no later than that already."""
        self._rearming = None
        due = self.next_due()
        if due is not None and not self._stopped and (self._armed is None or due < self._armed):
            self._armed = due
            self._jobs.once("probe", due - self._finder.now(), self._job)
