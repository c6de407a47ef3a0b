"""Signs of life for the service manager: as long as the scheduler runs its jobs and nobody waits long to be asked."""

import asyncio
from collections.abc import Callable

from ollama_locate.core.bounds import WATCHDOG_LATE, WATCHDOG_SHARE
from ollama_locate.edge.notify import Notifier

from .log import LOGGER


class Watchdog:
    """A loop that runs is not enough: `beaten` is called by the heartbeat's job, `due` says when the next probe is due.

    A disk that hangs is no reason to be killed: the next start would hang on it as well.
    """

    def __init__(self, notifier: Notifier, due: Callable[[], float | None]) -> None:
        self._notifier, self._due = notifier, due
        self._loop = asyncio.get_running_loop()
        self._beaten_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._complained = False

    def start(self) -> None:
        """Begin, if the manager wants signs of life."""
        if self._notifier.watchdog is not None:
            self._timer = self._loop.call_later(self._notifier.watchdog * WATCHDOG_SHARE, self.start)
            self._look()

    def stop(self) -> None:
        """Say no more."""
        if self._timer is not None:
            self._timer.cancel()

    def beaten(self) -> None:
        """The scheduler has run the heartbeat."""
        self._beaten_at = self._loop.time()

    def _look(self) -> None:
        now, due = self._loop.time(), self._due()
        late = [
            *(["the scheduler does not run its jobs"] if now - self._beaten_at > WATCHDOG_LATE else []),
            *(["servers are due and not asked"] if due is not None and now - due > WATCHDOG_LATE else []),
        ]
        if not late:
            self._notifier.alive()
        elif not self._complained:
            LOGGER.error("internal error: %s; the service manager will start this program again", " and ".join(late))
        self._complained = bool(late)
