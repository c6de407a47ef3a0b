"""The daemon: three jobs on APScheduler, and what happens when something changed. One thread owns all state.

The jobs: look (at the tailnet), probe (armed for the next server that is due) and heartbeat. APScheduler keeps
wall-clock time; when a server is due is the core's matter, in monotonic time.
"""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ollama_locate.core.bounds import HEARTBEAT, OPENING_GAP, SETTLE_GAP
from ollama_locate.core.changes import headline
from ollama_locate.core.config import Config
from ollama_locate.core.constants import LOOK_CPU_SHARE
from ollama_locate.core.errors import LockedError
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.taking import Run, take
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.files import StateFolder
from ollama_locate.edge.lock import Lock
from ollama_locate.edge.notify import Notifier

from .bells import Bells
from .commands import Commands
from .feeds import Feeds
from .finder import Finder
from .following import Following
from .forwarding import Forwarding
from .jobs import Jobs
from .log import LOGGER
from .mailbox import Mailbox
from .mdns import OnLan
from .metrics import Metrics
from .on_change import OnChange
from .probes import Probes
from .publisher import Publisher
from .tailnets import Tailnets
from .tasks import Tasks
from .watchdog import Watchdog
from .wishes import Wishes

if TYPE_CHECKING:
    from ollama_locate.core.track import Decision

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_LAST_WORDS: Final = 0.5
"""Seconds for a publication that is under way when the end comes: it takes milliseconds, but the disk may hang."""


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
        before: Snapshot | None = None,
    ) -> None:
        self._folder = folder
        self._loop = asyncio.get_running_loop()
        self._tasks = Tasks()
        self._spawn = self._tasks.spawn
        self._publisher = Publisher(folder, lock, keep_history=config.history)
        self._wishes = Wishes(config, config_path, folder.path, self._publisher.on_disk)
        self._finder = Finder(self._wishes.followed, self._on_change, self._on_round, wire=wire, before=before)
        mailbox = Mailbox(
            folder,
            self._finder,
            self._publisher.on_disk,
            lambda everybody: self._spawn(self._refresh(everybody=everybody)),
        )
        self._following = Following(self._wishes, mailbox, self._publisher, self._spawn, self._follow)
        self._forwarding = Forwarding(self._finder, wire or Wire(), folder, self._publisher.on_disk)
        self._lan = OnLan(self._finder, wire or Wire(), self._spawn, self._came_or_went)
        self._metrics = Metrics(self._finder, self._publisher)
        self._commands = Commands()
        self._on_changes = OnChange(before.decision if before else None, self._commands, self._spawn)
        self._feeds = Feeds(self._finder, self._publisher, self._commands, self._spawn)
        self._bells = Bells(self)
        self._jobs = Jobs()
        self._probes = Probes(self._finder, self._jobs)
        self._tailnets = Tailnets(self._finder, self._jobs, self._spawn, self)
        self._notifier = Notifier()
        self._watchdog = Watchdog(self._notifier, self._probes.next_due)
        self._stopped = asyncio.Event()
        self._settling: asyncio.TimerHandle | None = None
        self._settled_at = self._details_from = float("-inf")
        self._decision: Decision | None = None
        self._publication: asyncio.Task[None] | None = None
        self._beat_at = self._finder.now() + HEARTBEAT
        self._rounds = self._refreshes = 0
        self._refresh_round: int | None = None
        self._urgent = self._dirty = self._publishing = False
        self._code = 0
        self._beating = False

    async def run(self) -> int:
        """Serve until a signal; then leave the files as they are. Returns the exit code."""
        for number in _SIGNALS:
            self._loop.add_signal_handler(number, self._stopped.set)
        self._loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self._reload()))
        self._loop.add_signal_handler(signal.SIGUSR1, lambda: self._spawn(self._following.read()))
        self._jobs.start()
        self._arm_heartbeat()
        self._probes.begin()
        self._tailnets.open()
        self._bells.open()
        self._watchdog.start()
        self._following.await_end_of_pin()
        self._spawn(self._forwarding.follow())
        self._lan.follow()
        try:
            await self._stopped.wait()
        finally:
            LOGGER.info("ends; the files in %s stay as they are", self._folder.path)
            self._notifier.stopping()
            self._watchdog.stop()
            self._probes.stop()
            await self._jobs.stop()
            self._bells.close()
            self._tailnets.close()
            await self._forwarding.stop()
            await self._lan.stop()
            await self._finder.stop()
            self._commands.stop()
            if self._publication is not None:
                # What is being written is published: the history shall have it too.
                await asyncio.wait({self._publication}, timeout=_LAST_WORDS)
            await self._tasks.stop()
            for number in _SIGNALS:
                self._loop.remove_signal_handler(number)
            for number in (signal.SIGHUP, signal.SIGUSR1):
                self._loop.add_signal_handler(number, lambda: None)
            await self._metrics.stop()
            await self._publisher.stop()
            self._notifier.close()
        return self._code

    # --- the jobs

    def _arm_heartbeat(self) -> None:
        """When it is due: clocks that step often shall not put it off for ever."""
        wait = max(0.0, self._beat_at - self._finder.now())
        self._jobs.every("heartbeat", HEARTBEAT, self._heartbeat, wait)

    def _came_or_went(self) -> None:
        """Of the LAN."""
        self._probes.begin()
        self._on_change(news=True)

    def seen(self, *, changed: bool) -> None:
        """A tailnet was looked at."""
        self._dirty = self._dirty or changed
        self._probes.begin()
        self._on_change()

    async def _heartbeat(self) -> None:
        """In a task of its own: APScheduler calls a job that is cancelled at the end an error."""
        self._watchdog.beaten()
        self._beat_at = self._finder.now() + HEARTBEAT
        if not self._beating:
            self._beating = True
            self._spawn(self._beat()).add_done_callback(self._has_beaten)

    def _has_beaten(self, _: asyncio.Task[None]) -> None:
        self._beating = False

    async def _beat(self) -> None:
        """Touch `verdict`, unless what the files say could not be brought up to date: that is tried again."""
        self._spawn(self._forwarding.follow())
        self._lan.follow()
        self._finder.locator.sentinel.on_battery = await self._publisher.on_disk(self._bells.on_battery)
        if self._publisher.complaint:
            self._on_change(news=True)
        else:
            await self._publisher.touch()
            self._spawn(self._metrics.beat())
            self._feeds.beat()
        await self._following.read()
        if self._publisher.history_due():
            await self._publisher.flush()

    # --- what disturbs this machine

    def clock_stepped(self) -> None:
        """APScheduler's jobs are due by the wall clock, and readers compare the heartbeat with it."""
        self._arm_heartbeat()
        self._tailnets.rearm()
        self._probes.rearm()
        if not self._publisher.complaint:
            self._spawn(self._publisher.touch())

    def look_again(self, *, slept: bool) -> None:
        """The network, or all the world, may be another one: everybody is asked again."""
        now = self._finder.now()
        if slept:
            self._finder.locator.resume(now)
            self._arm_heartbeat()
        else:
            self._finder.locator.moved(now)
        self._tailnets.at_once()
        self._probes.rearm()
        self._on_change()

    def interfaces_changed(self) -> None:
        """Perhaps another LAN, or one more."""
        self._lan.follow()

    def stood_still(self) -> None:
        """Probes may have failed because nobody read their answers."""
        self._finder.locator.stalled(self._finder.now())

    def bell_told(self) -> None:
        """A tailscaled rings by itself from now on, or does not any more."""
        self._probes.begin()
        self._on_change(news=True)

    # --- what follows a result

    def _on_change(self, *, news: bool = False) -> None:
        """Decide soon; `news`: and publish, whatever is decided."""
        self._dirty = self._dirty or news
        self._settle_at(max(self._finder.now(), self._settled_at + SETTLE_GAP))
        self._probes.rearm_soon()

    def _settle_at(self, when: float) -> None:
        """Decide then, or earlier where that is set: details may wait long, and what is urgent not for them."""
        if self._settling is not None:
            if self._settling.when() <= when:
                return
            self._settling.cancel()
        self._settling = self._loop.call_at(when, self._settle)

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
        if self._stopped.is_set():
            return
        self._tailnets.on_doubt()
        decision = self._finder.locator.decide(now)
        if decision is None:
            self._settle_at(now + OPENING_GAP)
            return
        self._finder.watch()
        self._forwarding.check()
        self._lan.check()
        self._urgent = self._urgent or decision != self._decision
        self._decision = decision
        if self._publishing or not (self._urgent or self._dirty):
            return
        if self._urgent or now >= self._details_from:
            self._publishing = True
            self._publication = self._spawn(self._publish())
        else:
            self._settle_at(self._details_from)

    async def _publish(self) -> None:
        """Write what is true now; what changes meanwhile is settled afterwards.

        Details alone are written no more often than 100 times what that costs: of 10,000 peers, every 20 s.
        """
        began = time.thread_time()
        self._urgent = self._dirty = False
        try:
            if self._decision is not None:
                finder, forward = self._finder, self._forwarding.forward
                run = Run(
                    os.getpid(),
                    self._rounds,
                    self._refreshes,
                    self._problems(),
                    rings=self._tailnets.ringing,
                    forward=forward.url if forward is not None else None,
                )
                snapshot = take(finder.locator, self._decision, finder.config.variables, finder.clock(), run)
                cost = time.thread_time() - began
                await self._publisher.publish(snapshot)
                self._notifier.status(self._publisher.complaint or headline(snapshot))
                if not self._publisher.complaint:
                    self._on_changes.published(snapshot.decision, self._finder.config.on_change)
                    self._feeds.published(snapshot)
                    self._spawn(self._metrics.published(snapshot))
                if not snapshot.decision.provisional:
                    # With a trouble as well: to be ended for a full disk, and started again, would help nobody.
                    self._notifier.ready()
                self._details_from = self._finder.now() + (cost + self._publisher.cost) * LOOK_CPU_SHARE
        except LockedError as error:
            LOGGER.error("%s; this one ends", error)
            self._code = 1
            self._stopped.set()
        except Exception:
            # Whatever it was: what lies there is not what is known, so that nobody shall take it for fresh.
            self._publisher.complaint = self._publisher.complaint or "what is known cannot be published"
            raise
        finally:
            self._publishing = False
        if self._urgent or self._dirty:
            self._on_change()
        elif self._publisher.switched():
            await self._publisher.flush()

    def _problems(self) -> tuple[str, ...]:
        alone = filter(None, (self._forwarding.trouble, self._metrics.trouble))
        return (*self._wishes.troubles, *self._lan.troubles, *alone, *self._feeds.troubles)

    # --- what the user wants

    async def _refresh(self, *, everybody: bool) -> None:
        """Look again: at a server that was reported, or at the config, the tailnet and every server."""
        if everybody:
            await self._finder.look_at_all()
            self._finder.prober.list_again()
            self._finder.locator.recheck(self._finder.now())
        self._probes.begin()
        self._refresh_round = self._finder.number
        if self._finder.idle():
            self._on_round(self._refresh_round)

    async def _reload(self) -> None:
        self._notifier.reloading()
        await self._following.follow(anyway=True)
        self._notifier.reloaded()

    def _follow(self, *, config: bool) -> None:
        """Do as the user wants now; `config`: by another config."""
        self._finder.follow(self._wishes.followed)
        if config:
            self._publisher.keep_history = self._wishes.config.history
            self._spawn(self._forwarding.follow())
            self._lan.follow()
            self._tailnets.follow(self._wishes.config)
        self._probes.begin()
        self._on_change(news=True)
