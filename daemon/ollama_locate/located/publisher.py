"""What is published goes through here: the files, the log, the history. A thread for the disk, which may be slow."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from ollama_locate.core import render
from ollama_locate.core.bounds import HISTORY_FLUSH, HISTORY_MIN_GAP, HISTORY_WAITING_MAX
from ollama_locate.core.changes import changes
from ollama_locate.core.errors import LockedError, OperatorError
from ollama_locate.core.history import Sample, Sampler, Switch, switch
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.edge.files import StateFolder
from ollama_locate.edge.history import History
from ollama_locate.edge.lock import Lock
from ollama_locate.edge.templates import hooks, templates

from .log import LOGGER

Words = TypeVarTuple("Words")
Result = TypeVar("Result")


class Publisher:
    """Writes snapshots, one after the other. `complaint` is what is wrong with the files, empty if nothing.

    `cost` is the CPU time of the last writing, in seconds.
    """

    def __init__(self, folder: StateFolder, lock: Lock, *, keep_history: bool) -> None:
        self.complaint = ""
        self.keep_history = keep_history
        self.cost = 0.0
        self._folder, self._lock = folder, lock
        self._loop = asyncio.get_running_loop()
        # Nothing on the disk is done twice at once.
        self._disk = ThreadPoolExecutor(1, "disk")
        # The history may wait for a reader's lock: nobody who asks for the endpoint shall wait with it.
        self._archive = ThreadPoolExecutor(1, "history")
        self._said: Snapshot | None = None
        self._closers: set[str] = set()
        self._history, self._sampler = History(folder.path), Sampler()
        self._switches: list[Switch] = []
        self._samples: list[Sample] = []
        self._flushed_at = self._loop.time() - HISTORY_MIN_GAP
        self._sampled_at = self._loop.time()
        self._history_complaint = ""

    async def on_disk(self, work: Callable[[*Words], Result], *words: *Words) -> Result:
        """Do something in the thread for the disk."""
        return await self._loop.run_in_executor(self._disk, work, *words)

    async def aside(self, work: Callable[[*Words], Result], *words: *Words) -> Result:
        """Do something on the disk that nobody who asks for the endpoint shall wait for."""
        return await self._loop.run_in_executor(self._archive, work, *words)

    async def publish(self, snapshot: Snapshot) -> None:
        """Write it, then say in the log what has changed. Raises LockedError if another daemon has the folder."""
        try:
            self.cost = await self.on_disk(self._to_disk, snapshot)
        except LockedError:
            raise
        except OperatorError as error:
            self._complain(str(error))
            return
        self._complain("")
        for level, sentence in changes(self._said, snapshot):
            LOGGER.log(level, "%s", sentence)
        self._say_who_closes_idle(snapshot)
        self._note(snapshot)
        self._said = snapshot

    async def touch(self) -> None:
        """Let readers see that the daemon lives."""
        await self.on_disk(self._folder.touch, "verdict")

    async def stop(self) -> None:
        """Write the rest of the history."""
        if self._switches or self._samples or self._sampler:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):  # whoever ends the daemon waits
                    await self.flush(all_of_it=True)
        self._archive.shutdown(wait=False)
        self._disk.shutdown(wait=False)

    def _say_who_closes_idle(self, snapshot: Snapshot) -> None:
        """Once for each server: nobody who reads the log wants to know how often."""
        decision = snapshot.decision
        if decision.sentinel == "closes_idle" and decision.server is not None and decision.server not in self._closers:
            self._closers.add(decision.server)
            LOGGER.info("%s closes idle connections: that it died is seen by its checks only", decision.name)

    def _to_disk(self, snapshot: Snapshot) -> float:
        began = time.thread_time()
        if self._folder.renew():
            self._lock.renew(self._folder)
        self._folder.publish(render.files(snapshot, templates()) | hooks(self._folder.path), render.SOURCED)
        self._folder.touch("verdict")
        return time.thread_time() - began

    def _complain(self, sentence: str) -> None:
        """Say a trouble once, and once that it is over."""
        if sentence != self.complaint:
            if sentence:
                LOGGER.error("%s", sentence)
            else:
                LOGGER.info("the files can be written again")
            self.complaint = sentence

    # --- the history

    def _note(self, snapshot: Snapshot) -> None:
        if not self.keep_history:
            return
        now = time.time()
        if (found := switch(self._said, snapshot, now)) is not None:
            self._switches.append(found)
        self._sampler.take(snapshot, now)

    def switched(self) -> bool:
        """Whether a switch is to be written at once; one of many waits for the heartbeat."""
        return bool(self._switches) and self._loop.time() - self._flushed_at >= HISTORY_MIN_GAP

    def history_due(self) -> bool:
        """Whether what was noted is to be written with this heartbeat: round trips in batches."""
        return self.switched() or (bool(self._sampler) and self._loop.time() - self._sampled_at >= HISTORY_FLUSH)

    async def flush(self, *, all_of_it: bool = False) -> None:
        """Write what was noted. What cannot be written is kept, up to a bound, for the next time."""
        now = self._loop.time()
        if all_of_it or now - self._sampled_at >= HISTORY_FLUSH:
            self._samples += self._sampler.drain()
            self._sampled_at = now
        self._flushed_at = now
        switches, samples = self._switches, self._samples
        self._switches, self._samples = [], []
        complaint: str | None = "the history was not written"
        try:
            complaint = await self._loop.run_in_executor(self._archive, self._history.write, switches, samples)
        finally:
            if complaint:
                self._switches = (switches + self._switches)[-HISTORY_WAITING_MAX:]
                self._samples = (samples + self._samples)[-HISTORY_WAITING_MAX:]
        if complaint and complaint != self._history_complaint:
            LOGGER.warning("%s", complaint)
        self._history_complaint = complaint or ""
