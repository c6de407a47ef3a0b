"""The daemon: three jobs on APScheduler, and what happens when something changed. One thread owns all state.

The jobs: look (at the tailnet), probe (armed for the next server that is due) and heartbeat. APScheduler keeps
wall-clock time; when a server is due is the core's matter, in monotonic time.
"""

import asyncio
import datetime as dt
import os
import random
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar, TypeVarTuple

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from ollama_locate.core import cadence, render
from ollama_locate.core.changes import changes
from ollama_locate.core.config import Config, parse_config
from ollama_locate.core.constants import (
    HEARTBEAT,
    OPENING_GAP,
    REARM_DELAY,
    REFRESH_MIN_GAP,
    SETTLE_GAP,
)
from ollama_locate.core.errors import LockedError, OperatorError
from ollama_locate.core.snapshot import Run, Snapshot, take
from ollama_locate.core.track import Decision, LastGood
from ollama_locate.edge import requests
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.files import StateFolder, read_config
from ollama_locate.edge.lock import Lock

from .finder import Finder
from .log import LOGGER

Words = TypeVarTuple("Words")
Result = TypeVar("Result")

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Daemon:
    """Runs until SIGTERM or SIGINT. `config_path` is read again when it changes, on SIGHUP and on refresh."""

    def __init__(
        self,
        folder: StateFolder,
        lock: Lock,
        config: Config,
        config_path: Path,
        *,
        wire: Wire | None = None,
        last_good: LastGood | None = None,
    ) -> None:
        self._folder, self._lock, self._config_path = folder, lock, config_path
        self._config_seen = _stamp(config_path)
        self._loop = asyncio.get_running_loop()
        self._finder = Finder(config, self._on_change, self._on_round, wire=wire, last_good=last_good)
        self._scheduler = AsyncIOScheduler(
            timezone=dt.UTC,
            executors={"default": AsyncIOExecutor()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        # One thread for all that touches the disk: it may be slow, and nothing there is done twice at once.
        self._disk = ThreadPoolExecutor(1, "disk")
        self._stopped = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._settling: asyncio.TimerHandle | None = None
        self._settled_at = float("-inf")
        self._rearming: asyncio.TimerHandle | None = None
        self._armed: float | None = None
        self._decision: Decision | None = None
        self._said: Snapshot | None = None
        self._rounds = self._refreshes = 0
        self._refresh_asked = False
        self._refresh_round: int | None = None
        self._refreshed_at = float("-inf")
        self._dirty = self._publishing = self._looking = False
        self._complaint = self._mistake = ""
        self._code = 0
        self._doubted = False
        self._look_again_from = float("-inf")

    async def run(self) -> int:
        """Serve until a signal; then leave the files as they are. Returns the exit code."""
        for number in _SIGNALS:
            self._loop.add_signal_handler(number, self._stopped.set)
        self._loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self._reload()))
        self._loop.add_signal_handler(signal.SIGUSR1, lambda: self._spawn(self._read_requests()))
        self._scheduler.start()
        self._scheduler.add_job(self._heartbeat, IntervalTrigger(seconds=HEARTBEAT, timezone=dt.UTC), id="heartbeat")
        self._arm("look", 0.0, self._look)
        self._probe_due()
        try:
            await self._stopped.wait()
        finally:
            LOGGER.info("ends; the files in %s stay as they are", self._folder.path)
            self._scheduler.shutdown(wait=False)
            await self._finder.stop()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for number in _SIGNALS:
                self._loop.remove_signal_handler(number)
            for number in (signal.SIGHUP, signal.SIGUSR1):
                self._loop.add_signal_handler(number, lambda: None)
            self._disk.shutdown(wait=False)
        return self._code

    # --- the jobs

    def _arm(self, name: str, wait: float, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        when = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=max(0.0, wait))
        self._scheduler.add_job(job, DateTrigger(when, timezone=dt.UTC), id=name, replace_existing=True)

    async def _look(self) -> None:
        """Look at the tailnet in a task of its own, and arm the next look when it is done."""
        if not self._looking:
            self._looking = True
            self._spawn(self._look_now())

    async def _look_now(self) -> None:
        cpu = 0.0
        try:
            await self._reload_if_changed()
            before = self._finder.locator.roster.look
            cpu = await self._finder.look()
            self._dirty = self._dirty or before != self._finder.locator.roster.look
        finally:
            self._looking = False
            jitter = random.uniform(-1, 1)  # noqa: S311 - no secret
            away = self._finder.locator.roster.away
            wait = cadence.look_wait(self._finder.config.interval, cpu, jitter, away=away)
            self._look_again_from = self._finder.now() + cadence.look_wait(0.0, cpu, 0.0, away=False)
            self._arm("look", wait, self._look)
        self._probe_due()
        self._on_change()

    async def _probe(self) -> None:
        """Outside the job: APScheduler drops a job that is armed for the past while it still runs."""
        self._armed = None
        self._loop.call_soon(self._probe_due)

    def _probe_due(self) -> int:
        number = self._finder.probe_due()
        self._rearm()
        return number

    def _rearm(self) -> None:
        """Set the probe job to when the core wants it, unless it is set to no later than that already."""
        self._rearming = None
        due = self._finder.locator.next_due()
        if self._finder.full():
            return  # a result will arm it
        if due is not None and (self._armed is None or due < self._armed):
            self._armed = due
            self._arm("probe", due - self._finder.now(), self._probe)

    async def _heartbeat(self) -> None:
        """Touch `verdict`, unless what the files say could not be brought up to date: that is tried again."""
        if self._complaint:
            self._on_change(news=True)
        else:
            await self._on_disk(self._folder.touch, "verdict")
        await self._read_requests()

    # --- what follows a result

    def _on_change(self, *, news: bool = False) -> None:
        """Decide soon; `news`: and publish, whatever is decided."""
        self._dirty = self._dirty or news
        if self._settling is None:
            wait = max(0.0, self._settled_at + SETTLE_GAP - self._finder.now())
            self._settling = self._loop.call_later(wait, self._settle)
        if self._rearming is None:
            self._rearming = self._loop.call_later(REARM_DELAY, self._rearm)

    def _on_round(self, number: int) -> None:
        self._rounds += 1
        asked = self._refresh_round
        if asked is not None and asked <= number and not self._finder.locator.wavering():
            self._refresh_round = None
            self._refreshes += 1
        self._on_change(news=True)

    def _settle(self) -> None:
        """Decide; publish when the decision is another one, or when a round is over."""
        self._settling, self._settled_at = None, self._finder.now()
        self._look_on_doubt()
        decision = self._finder.locator.decide(self._finder.now())
        if decision is None:
            self._settling = self._loop.call_later(OPENING_GAP, self._settle)
            return
        self._dirty = self._dirty or decision != self._decision
        self._decision = decision
        if self._dirty and not self._publishing:
            self._publishing = True
            self._spawn(self._publish())

    def _look_on_doubt(self) -> None:
        """The current server failed: is it Tailscale that is away? Once for each doubt, and not too often."""
        doubted, self._doubted = self._doubted, self._finder.locator.in_doubt()
        if self._doubted and not doubted and self._finder.now() >= self._look_again_from:
            self._arm("look", 0.0, self._look)

    async def _publish(self) -> None:
        """Write what is true now, until nothing changed meanwhile. The disk may be slow: it has its own thread."""
        try:
            while self._dirty and self._decision is not None:
                self._dirty = False
                snapshot = take(
                    self._finder.locator,
                    self._decision,
                    self._finder.config.variables,
                    self._finder.clock(),
                    Run(os.getpid(), self._rounds, self._refreshes, (self._mistake,) if self._mistake else ()),
                )
                if await self._write(snapshot):
                    for level, sentence in changes(self._said, snapshot):
                        LOGGER.log(level, "%s", sentence)
                    self._said = snapshot
        finally:
            self._publishing = False

    async def _write(self, snapshot: Snapshot) -> bool:
        try:
            await self._on_disk(self._to_disk, snapshot)
            self._complain("")
        except LockedError as error:
            LOGGER.error("%s; this one ends", error)
            self._code = 1
            self._stopped.set()
        except OperatorError as error:
            self._complain(str(error))
        else:
            return True
        return False

    async def _on_disk(self, work: Callable[[*Words], Result], *words: *Words) -> Result:
        return await self._loop.run_in_executor(self._disk, work, *words)

    def _to_disk(self, snapshot: Snapshot) -> None:
        if self._folder.renew():
            self._lock.renew(self._folder)
        self._folder.publish(render.files(snapshot), render.SOURCED)
        self._folder.touch("verdict")

    def _complain(self, sentence: str) -> None:
        """Say a trouble once, and once that it is over."""
        if sentence != self._complaint:
            if sentence:
                LOGGER.error("%s", sentence)
            else:
                LOGGER.info("the files can be written again")
            self._complaint = sentence

    # --- requests, config, tasks

    async def _read_requests(self) -> None:
        """On SIGUSR1, and with each heartbeat in case that signal was lost."""
        kinds, refused = await self._on_disk(requests.receive, self._folder)
        if refused:
            LOGGER.warning("%d files in requests/ were no requests of yours; removed", refused)
        if "refresh" in kinds and not self._refresh_asked:
            self._refresh_asked = True
            wait = max(0.0, self._refreshed_at + REFRESH_MIN_GAP - self._finder.now())
            self._loop.call_later(wait, lambda: self._spawn(self._refresh()))

    async def _refresh(self) -> None:
        """Look again at everything: the config, the tailnet, every server."""
        self._refresh_asked, self._refreshed_at = False, self._finder.now()
        await self._reload_if_changed()
        await self._finder.look()
        self._finder.locator.recheck(self._finder.now())
        self._probe_due()
        self._refresh_round = self._finder.number
        if self._finder.idle():
            self._on_round(self._refresh_round)

    async def _reload_if_changed(self) -> None:
        if await self._on_disk(_stamp, self._config_path) != self._config_seen:
            await self._reload()

    async def _reload(self) -> None:
        self._config_seen = await self._on_disk(_stamp, self._config_path)
        try:
            config = parse_config(await self._on_disk(read_config, self._config_path), str(self._config_path))
        except OperatorError as error:
            self._mistake = f"{error}; the old config stays in force"
            LOGGER.error("%s", self._mistake)
            self._on_change(news=True)
            return
        self._mistake = ""
        LOGGER.info("config read again: %s", self._config_path)
        LOGGER.setLevel(config.log_level.upper())
        self._finder.reconfigure(config)
        self._arm("look", 0.0, self._look)
        self._probe_due()
        self._on_change(news=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOGGER.error("internal error; the daemon goes on", exc_info=error)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is changed: its time, size and inode."""
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_mtime_ns, info.st_size, info.st_ino
