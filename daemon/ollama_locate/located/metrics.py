"""The metrics in the daemon: written after what is published and with each heartbeat, in the history's thread."""

import asyncio
import contextlib
import os
import time
from pathlib import Path

from ollama_locate.core.bounds import METRICS_FILE_MODE, METRICS_MIN_GAP
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.metrics import FIRST, Counters, text
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.edge import textfile

from .finder import Finder
from .log import LOGGER
from .publisher import Publisher


class Metrics:
    """Writes where the config says. `trouble` is what is wrong, empty if nothing; it is tried again each time.

    The file goes when the daemon ends and when the config wants it no more: a collector would take what it says for
    true for ever.
    """

    def __init__(self, finder: Finder, publisher: Publisher) -> None:
        self.trouble = ""
        self._finder, self._publisher = finder, publisher
        self._snapshot: Snapshot | None = None
        self._switches = 0
        self._written: Path | None = None
        self._wrote_at = float("-inf")
        self._busy = self._due = False

    async def published(self, snapshot: Snapshot) -> None:
        """Write this; if neither the decision nor the place is another one, not so soon after the last writing."""
        before, self._snapshot = self._snapshot, snapshot
        was, now = before.decision if before else None, snapshot.decision
        self._switches += was is not None and was.endpoint != now.endpoint
        changed = was is None or (was.endpoint, was.verdict) != (now.endpoint, now.verdict)
        changed = changed or bool(self.trouble) or self._path() != self._written
        if changed or time.monotonic() - self._wrote_at >= METRICS_MIN_GAP:
            await self.beat()

    async def beat(self) -> None:
        """Write what was published last, with the time. A disk that hangs gets no second call; one more follows it."""
        self._due = True
        if self._busy:
            return
        self._busy = True
        try:
            while self._due:
                self._due = False
                await self._write(self._path())
        finally:
            self._busy = False

    async def _write(self, path: Path | None) -> None:
        if self._written is not None and self._written != path:
            await self._take_away()
        if path is None:
            self.trouble = ""
        elif self._snapshot is not None:
            self._written, self._wrote_at = path, time.monotonic()
            data = text(self._snapshot, Counters(self._switches), time.time())
            try:
                await self._publisher.aside(textfile.write, _target(path), data)
            except OperatorError as error:
                self._complain(str(error))
            else:
                self._complain("")

    async def stop(self) -> None:
        """Take the file away; whoever ends the daemon does not wait for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._take_away()

    async def _take_away(self) -> None:
        if self._written is not None:
            path, self._written = self._written, None
            await self._publisher.aside(textfile.remove, _target(path))

    def _path(self) -> Path | None:
        configured = self._finder.config.metrics
        return Path(os.path.expanduser(configured)) if configured else None  # noqa: PTH111 - raises without a home

    def _complain(self, sentence: str) -> None:
        if sentence != self.trouble:
            if sentence:
                LOGGER.warning("%s; it is tried again", sentence)
            else:
                LOGGER.info("the metrics can be written again")
            self.trouble = sentence


def _target(path: Path) -> textfile.Target:
    return textfile.Target("metrics.textfile", path, METRICS_FILE_MODE, FIRST.encode())
