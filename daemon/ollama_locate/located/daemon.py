"""The daemon: three jobs on APScheduler, and what happens when something changed. One thread owns all state.

The jobs: look (at the tailnet), probe (armed for the next server that is due) and heartbeat. APScheduler keeps
wall-clock time; when a server is due is the core's matter, in monotonic time.
"""

import asyncio
import datetime as dt
import logging
import os
import random
import signal
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from ollama_locate.core import cadence
from ollama_locate.core.config import Config, parse_config
from ollama_locate.core.constants import (
    HEARTBEAT,
    LOOK_CPU_SHARE,
    LOOK_ON_DOUBT,
    OPENING_GAP,
    REARM_DELAY,
    REFRESH_MIN_GAP,
    REPORT_MIN_GAP,
    SETTLE_GAP,
)
from ollama_locate.core.errors import LockedError, OperatorError
from ollama_locate.core.pin import Pin
from ollama_locate.core.snapshot import Run, take
from ollama_locate.core.text import shown
from ollama_locate.core.track import Decision, LastGood
from ollama_locate.edge import requests
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.files import StateFolder, read_config
from ollama_locate.edge.lock import Lock
from ollama_locate.edge.pin import read_pin

from .bells import Bells
from .finder import Finder
from .forwarding import Forwarding
from .log import LOGGER
from .publisher import Publisher

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_OVERLAP: Final = 16
_REPORTS_SAID: Final = 3


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
        self._folder, self._config_path = folder, config_path
        self._config_seen = _stamp(config_path)
        self._loop = asyncio.get_running_loop()
        self._pin_trouble = ""
        self._finder = Finder(
            config, self._on_change, self._on_round, wire=wire, last_good=last_good, pin=self._pin_now()
        )
        self._pin_ends: asyncio.TimerHandle | None = None
        self._publisher = Publisher(folder, lock, keep_history=config.history)
        self._forwarding = Forwarding(self._finder, wire or Wire(), folder, self._publisher.on_disk)
        self._bells = Bells(self, config.tailscale_socket)
        self._scheduler = AsyncIOScheduler(
            timezone=dt.UTC,
            executors={"default": AsyncIOExecutor()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._stopped = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._settling: asyncio.TimerHandle | None = None
        self._settled_at = self._details_from = self._look_again_from = float("-inf")
        self._rearming: asyncio.TimerHandle | None = None
        self._armed: float | None = None
        self._look_at: float | None = None
        self._decision: Decision | None = None
        self._rounds = self._refreshes = 0
        self._refresh_asked = self._refresh_all = False
        self._reports_said_at = float("-inf")
        self._refresh_round: int | None = None
        self._refreshed_at = float("-inf")
        self._urgent = self._dirty = self._publishing = self._looking = False
        self._mistake = ""
        self._code = 0
        self._doubted = self._beating = False

    async def run(self) -> int:
        """Serve until a signal; then leave the files as they are. Returns the exit code."""
        for number in _SIGNALS:
            self._loop.add_signal_handler(number, self._stopped.set)
        self._loop.add_signal_handler(signal.SIGHUP, lambda: self.spawn(self._reload()))
        self._loop.add_signal_handler(signal.SIGUSR1, lambda: self.spawn(self._read_requests()))
        self._scheduler.start()
        self._arm_heartbeat()
        self._arm_look(0.0)
        self._probe_due()
        self._bells.open()
        self._await_end_of_pin()
        self.spawn(self._forwarding.follow())
        try:
            await self._stopped.wait()
        finally:
            LOGGER.info("ends; the files in %s stay as they are", self._folder.path)
            self._scheduler.shutdown(wait=False)
            self._bells.close()
            await self._forwarding.stop()
            await self._finder.stop()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for number in _SIGNALS:
                self._loop.remove_signal_handler(number)
            for number in (signal.SIGHUP, signal.SIGUSR1):
                self._loop.add_signal_handler(number, lambda: None)
            await self._publisher.stop()
        return self._code

    # --- the jobs

    def _arm(self, name: str, wait: float, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        when = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=max(0.0, wait))
        trigger = DateTrigger(when, timezone=dt.UTC)
        # A job of ours is one call; APScheduler counts it for a turn longer, and would drop the next with a warning.
        self._scheduler.add_job(job, trigger, id=name, replace_existing=True, max_instances=_OVERLAP)

    def _arm_heartbeat(self) -> None:
        trigger = IntervalTrigger(seconds=HEARTBEAT, timezone=dt.UTC)
        self._scheduler.add_job(self._heartbeat, trigger, id="heartbeat", replace_existing=True)

    def _arm_look(self, wait: float) -> None:
        self._look_at = self._finder.now() + wait
        self._arm("look", wait, self._look)

    def look_soon(self) -> None:
        """Something may have changed in the tailnet: look as soon as that is not too often."""
        soon = max(self._finder.now(), self._look_again_from)
        if not self._looking and (self._look_at is None or soon < self._look_at):
            self._arm_look(soon - self._finder.now())

    async def _look(self) -> None:
        """Look at the tailnet in a task of its own, and arm the next look when it is done."""
        if not self._looking:
            self._looking = True
            self.spawn(self._look_now())

    async def _look_now(self) -> None:
        cpu, rung = 0.0, self._bells.rung
        try:
            before = self._finder.locator.roster.look
            cpu = await self._finder.look()
            self._dirty = self._dirty or before != self._finder.locator.roster.look
        finally:
            self._looking = False
            jitter = random.uniform(-1, 1)  # noqa: S311 - no secret
            away = self._finder.locator.roster.away
            interval, rings = self._finder.config.interval, self._bells.connected
            self._look_again_from = self._finder.now() + cpu * LOOK_CPU_SHARE
            self._arm_look(cadence.look_wait(interval, cpu, jitter, away=away, rings=rings))
        if self._bells.rung != rung:
            self.look_soon()
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
        """In a task of its own: APScheduler calls a job that is cancelled at the end an error."""
        if not self._beating:
            self._beating = True
            self.spawn(self._beat()).add_done_callback(self._has_beaten)

    def _has_beaten(self, _: asyncio.Task[None]) -> None:
        self._beating = False

    async def _beat(self) -> None:
        """Touch `verdict`, unless what the files say could not be brought up to date: that is tried again."""
        await self._reload_if_changed()
        await self._follow_pin()
        await self._forwarding.follow()
        self._finder.locator.sentinel.on_battery = await self._publisher.on_disk(self._bells.on_battery)
        if self._publisher.complaint:
            self._on_change(news=True)
        else:
            await self._publisher.touch()
        await self._read_requests()
        if self._publisher.history_due():
            await self._publisher.flush()

    # --- what disturbs this machine

    def clock_stepped(self) -> None:
        """APScheduler's jobs are due by the wall clock, and readers compare the heartbeat with it."""
        self._arm_heartbeat()
        self._arm_look(max(0.0, (self._look_at or 0.0) - self._finder.now()))
        self._armed = None
        self._rearm()
        if not self._publisher.complaint:
            self.spawn(self._publisher.touch())

    def look_again(self, *, slept: bool) -> None:
        """The network, or all the world, may be another one: everybody is asked again."""
        now = self._finder.now()
        if slept:
            self._finder.locator.resume(now)
            self._arm_heartbeat()
        else:
            self._finder.locator.recheck(now)
        self._arm_look(max(0.0, self._look_again_from - now))
        self._armed = None
        self._probe_due()
        self._on_change()

    def stood_still(self) -> None:
        """Probes may have failed because nobody read their answers."""
        self._finder.locator.stalled(self._finder.now())

    def bell_told(self) -> None:
        """Tailscaled rings by itself from now on, or does not any more."""
        if not self._bells.connected:
            self.look_soon()
        self._on_change(news=True)

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
        if asked is not None and asked <= number and not self._finder.locator.board.wavering():
            self._refresh_round = None
            self._refreshes += 1
            self._urgent = True
        self._on_change(news=True)

    def _settle(self) -> None:
        """Decide; publish when the decision is another one, or when a round is over."""
        now = self._finder.now()
        self._settling, self._settled_at = None, now
        self._look_on_doubt()
        decision = self._finder.locator.decide(now)
        if decision is None:
            self._settling = self._loop.call_later(OPENING_GAP, self._settle)
            return
        self._finder.watch()
        self._forwarding.check()
        self._urgent = self._urgent or decision != self._decision
        self._decision = decision
        if self._publishing or not (self._urgent or self._dirty):
            return
        if self._urgent or now >= self._details_from:
            self._publishing = True
            self.spawn(self._publish())
        else:
            self._settling = self._loop.call_at(self._details_from, self._settle)

    def _look_on_doubt(self) -> None:
        """The current server failed: is it Tailscale that is away? Once for each doubt that lasts."""
        doubted, self._doubted = self._doubted, self._finder.locator.board.in_doubt()
        if self._doubted and not doubted:
            self._loop.call_later(LOOK_ON_DOUBT, self._look_if_doubted)

    def _look_if_doubted(self) -> None:
        if self._doubted:
            self.look_soon()

    async def _publish(self) -> None:
        """Write what is true now; what changes meanwhile is settled afterwards.

        Details alone are written no more often than 100 times what that costs: of 10,000 peers, every 20 s.
        """
        began = time.thread_time()
        self._urgent = self._dirty = False
        try:
            if self._decision is not None:
                forward = self._forwarding.forward
                run = Run(
                    os.getpid(),
                    self._rounds,
                    self._refreshes,
                    tuple(one for one in (self._mistake, self._pin_trouble, self._forwarding.trouble) if one),
                    rings=self._bells.connected,
                    forward=forward.url if forward is not None else None,
                )
                templates = self._finder.config.variables
                snapshot = take(self._finder.locator, self._decision, templates, self._finder.clock(), run)
                cost = time.thread_time() - began
                await self._publisher.publish(snapshot)
                self._details_from = self._finder.now() + (cost + self._publisher.cost) * LOOK_CPU_SHARE
        except LockedError as error:
            LOGGER.error("%s; this one ends", error)
            self._code = 1
            self._stopped.set()
        finally:
            self._publishing = False
        if self._urgent or self._dirty:
            self._on_change()
        elif self._publisher.switched():
            await self._publisher.flush()

    # --- requests, config, tasks

    async def _read_requests(self) -> None:
        """On SIGUSR1, and with each heartbeat in case that signal was lost."""
        await self._follow_pin()
        found, refused = await self._publisher.on_disk(requests.receive, self._folder)
        if refused:
            LOGGER.warning("%d files in requests/ were no requests of yours; removed", refused)
        reported = [one.url for one in found if one.kind == "failed"]
        self._follow_reports(reported)
        self._refresh_all = self._refresh_all or len(reported) < len(found)
        if found and not self._refresh_asked:
            self._refresh_asked = True
            wait = max(0.0, self._refreshed_at + REFRESH_MIN_GAP - self._finder.now())
            self._loop.call_later(wait, lambda: self.spawn(self._refresh()))

    def _follow_reports(self, urls: list[str]) -> None:
        """A flood of them is said in a few lines: one reading in REPORT_MIN_GAP, and of that the first ones."""
        now = self._finder.now()
        quiet = now - self._reports_said_at < REPORT_MIN_GAP
        for place, url in enumerate(urls):
            known = self._finder.locator.report(url, now)
            level = logging.DEBUG if quiet or place >= _REPORTS_SAID else logging.INFO
            text = "" if known else ": no such server"
            LOGGER.log(level, "a program reports that %s failed it%s", shown(url), text)
        if urls and not quiet:
            self._reports_said_at = now

    async def _refresh(self) -> None:
        """Look again: at a server that was reported, or at the config, the tailnet and every server."""
        everybody, self._refresh_all = self._refresh_all, False
        self._refresh_asked, self._refreshed_at = False, self._finder.now()
        if everybody:
            await self._reload_if_changed()
            await self._finder.look()
            self._finder.locator.recheck(self._finder.now())
        self._probe_due()
        self._refresh_round = self._finder.number
        if self._finder.idle():
            self._on_round(self._refresh_round)

    async def _reload_if_changed(self) -> None:
        if await self._publisher.on_disk(_stamp, self._config_path) != self._config_seen:
            await self._reload()

    async def _reload(self) -> None:
        self._config_seen = await self._publisher.on_disk(_stamp, self._config_path)
        try:
            raw = await self._publisher.on_disk(read_config, self._config_path)
            config = parse_config(raw, str(self._config_path))
        except OperatorError as error:
            self._mistake = f"{error}; the old config stays in force"
            LOGGER.error("%s", self._mistake)
            self._on_change(news=True)
            return
        self._mistake = ""
        LOGGER.info("config read again: %s", self._config_path)
        LOGGER.setLevel(config.log_level.upper())
        self._finder.reconfigure(config, self._finder.pin)
        self._publisher.keep_history = config.history
        await self._forwarding.follow()
        self._bells.reconnect(config.tailscale_socket)
        self._arm_look(0.0)
        self._probe_due()
        self._on_change(news=True)

    # --- the pin

    def _pin_now(self) -> Pin | None:
        """The pin that lies there. One that cannot be read is said once, and is no pin."""
        try:
            pin, trouble = read_pin(self._folder.path, time.time()), ""
        except OperatorError as error:
            pin, trouble = None, str(error)
        if trouble and trouble != self._pin_trouble:
            LOGGER.error("%s", trouble)
        self._pin_trouble = trouble
        return pin

    async def _follow_pin(self) -> None:
        pin = await self._publisher.on_disk(self._pin_now)
        before = self._finder.pin
        if pin == before:
            return
        if pin is not None:
            LOGGER.info("%s (%s) is pinned", shown(pin.name), pin.url)
        elif before is not None:
            LOGGER.info("%s is pinned no longer", shown(before.name))
        self._finder.reconfigure(self._finder.config, pin)
        self._await_end_of_pin()
        self._probe_due()
        self._on_change(news=True)

    def _await_end_of_pin(self) -> None:
        if self._pin_ends is not None:
            self._pin_ends.cancel()
        pin = self._finder.pin
        if pin is not None and pin.until is not None:
            wait = max(0.0, pin.until - time.time()) + 0.01
            self._pin_ends = self._loop.call_later(wait, lambda: self.spawn(self._follow_pin()))

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do it beside everything else; a mistake in it is logged, and the daemon goes on."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

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
