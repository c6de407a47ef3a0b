"""The real daemon lives in a virtual world: its scheduler, finder, publisher and files; nothing of it is replaced.

Only what is outside is: the prober, the sentinel's connection, tailscaled, the kernel's bells and the clocks.
"""

import logging
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from ollama_locate.core import render
from ollama_locate.core.config import Config, parse_config
from ollama_locate.core.constants import REPORT_WINDOW, SLEEP
from ollama_locate.core.track import Track, Verdict
from ollama_locate.edge.lock import Lock
from ollama_locate.edge.requests import Request
from ollama_locate.located import bells, finder, tailnets
from ollama_locate.located.daemon import Daemon

from . import budgets, clock, outside
from .clock import VirtualLoop
from .folder import Folder
from .nature import Act, Nature
from .pulse import Pulse
from .referee import Accounts, ViolationError
from .sentinel import Sentinel
from .world import World

STALLS = (0.5, 25.0)
BAD_CONFIG = "sentinel = maybe\n"
_FAST = Path("/dev/shm")


class Life:
    """One run of one world from one seed."""

    def __init__(self, world: World, seed: int, days: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loop = VirtualLoop()
        self._rng = Random(f"life {world.name} {seed}")
        self.nature = Nature(world, seed, days, self, self._rng)
        self.referee = self.nature.referee
        self._failure: BaseException | None = None
        self._patch = monkeypatch
        self._network = outside.Network()
        self._bus: outside.Bus | None = None
        self._prober: outside.Prober | None = None
        self._sentinel: Sentinel | None = None
        self._daemon: Daemon | None = None
        self._config, self._rewritten = Path(), 0
        self._stalled_at = self._reported_at = float("-inf")
        looks = budgets.LOOKS_RUNG if world.rings else budgets.LOOKS
        self.heart = Pulse("the heartbeat", budgets.HEARTBEATS, self)
        self._looks, self._probes = Pulse("a look", looks, self), Pulse("a probe", budgets.PROBES, self)
        self._expect_more()

    def _expect_more(self) -> None:
        """What only a real loop can get wrong."""
        nature, world = self.nature, self.nature.world
        woken = {spell.start for spell in nature.fate.sleeps}
        lines: list[tuple[float, Act, tuple[object, ...]]] = []
        lines += [(spell.end, self._network.change, ()) for spell in nature.fate.path if spell.start in woken]
        for a_day, act in ((world.stalls, self._stall), (world.requests, self._ask), (world.rewrites, self._rewrite)):
            lines += [(at, act, ()) for at in nature.now_and_then(a_day)]
        nature.expect(lines)

    # --- the run

    def run(self) -> Accounts:
        """Live through all the days."""
        place = Path(tempfile.mkdtemp(prefix="located-", dir=_FAST if _FAST.is_dir() else None))
        log = _Log(self._failed)
        loggers = [logging.getLogger(name) for name in ("ollama_locate", "apscheduler")]
        for logger in loggers:
            logger.addHandler(log)
        try:
            self._live(place)
        finally:
            for logger in loggers:
                logger.removeHandler(log)
            shutil.rmtree(place)
        self.referee.finish(self.now)
        return self.referee.accounts

    def _live(self, place: Path) -> None:
        self._config = place / "config.toml"
        self._config.write_text(self._text())
        config = parse_config(self._config.read_bytes(), str(self._config))
        assert config.settings() == self.nature.settings()
        folder = Folder(place / "state", self)
        lock = Lock(folder)
        try:
            self._seams()
            code = clock.run(self.loop, self._serve(folder, lock, config))
        finally:
            lock.release()
            folder.close()
        if self._failure is not None:
            raise self._failure
        assert code == 0
        if self.nature.world.history:
            folder.check_history()

    async def _serve(self, folder: Folder, lock: Lock, config: Config) -> int:
        self.loop.set_exception_handler(lambda _, context: self._failed(context.get("exception"), str(context)))
        self._daemon = Daemon(folder, lock, config, self._config)
        self._await_the_world()
        return await self._daemon.run()

    def _seams(self) -> None:
        nature, patch, rng = self.nature, self._patch.setattr, self._rng
        clock.patch(self._patch, lambda: self.now, lambda: self.now + nature.shift, nature.wall)

        def prober(listener: Any, timeout: float, *_: object) -> outside.Prober:
            self._prober = outside.Prober(listener, timeout, nature, self._probes.beat)
            return self._prober

        def sentinel(warden: Any, _wire: object) -> Sentinel:
            self._sentinel = Sentinel(outside.Post(self, warden, nature), nature.paths, rng)
            return self._sentinel

        def bus(rings: Callable[[], None], told: Callable[[], None], _path: str) -> outside.Bus:
            self._bus = outside.Bus(rings, told, nature, rng)
            return self._bus

        async def look(*_: object) -> Any:
            self._looks.beat()
            return await outside.look(nature, rng)

        patch(finder, "Prober", prober)
        patch(finder, "Sentinel", sentinel)
        patch(finder, "tailscale", SimpleNamespace(look=look))
        patch(tailnets, "Bus", bus)
        patch(bells, "Network", self._network)
        patch(bells, "way_out", self._network.way_out)
        patch(bells, "on_battery", lambda: False)

    def _await_the_world(self) -> None:
        end = self.nature.days * budgets.DAY
        self.loop.call_at(min(self.nature.upcoming, end) - self.nature.shift, self._the_world_goes_on, end)

    def _the_world_goes_on(self, end: float) -> None:
        nature = self.nature
        while nature.upcoming <= min(end, self.now + nature.shift + 1e-6):
            nature.happen()
        if self.now + nature.shift < end - 1e-6:
            self._await_the_world()
            return
        for pulse in (self.heart, self._looks, self._probes):
            pulse.check()
        self.loop.signal(signal.SIGTERM)

    def _failed(self, error: BaseException | None, text: str) -> None:
        """The first failure ends the run."""
        if self._failure is not None:
            return
        if not isinstance(error, ViolationError):
            try:
                self.referee.fail(self.now, f"{text}: {error!r}")
            except ViolationError as violation:
                violation.__cause__ = error
                error = violation
        self._failure = error
        self.loop.signal(signal.SIGTERM)

    # --- a machine, as the world sees it

    @property
    def now(self) -> float:
        """Its monotonic seconds."""
        return self.loop.time()

    @property
    def shift(self) -> float:
        """How far the world's clock is ahead of them."""
        return self.nature.shift

    @property
    def sentinel(self) -> Sentinel:
        """Its connection to the chosen server."""
        assert self._sentinel is not None
        return self._sentinel

    @property
    def daemon(self) -> Daemon:
        """What runs on it."""
        assert self._daemon is not None
        return self._daemon

    def after(self, seconds: float, act: Act, *args: object) -> None:
        """Do it later, by its own time."""
        self.loop.call_later(seconds, act, *args)

    def track(self, key: str) -> Track:
        """What it knows of a server."""
        return self.daemon._finder.locator.tracks[key]

    def rung(self) -> None:
        """Something has changed in the tailnet, or with tailscaled."""
        if self._bus is not None:
            self._bus.happened()

    def stepped(self) -> None:
        """Its wall clock was set."""
        self.after(budgets.RESUMES, self._check_resumed, "a step", self.now, [self.heart])

    def suspended(self) -> None:
        """What was under way is lost."""
        if self._prober is not None:
            self._prober.lose_all()
        self._slept_from = self.now + self.nature.shift

    def woken(self) -> None:
        """It is run again."""
        if self.now + self.nature.shift - self._slept_from >= SLEEP:
            self.after(budgets.RESUMES, self._check_resumed, "a sleep", self.now, [self._looks, self._probes])

    def _check_resumed(self, what: str, since: float, pulses: list[Pulse]) -> None:
        away = self.nature.away is not None or self.daemon._finder.locator.roster.away
        for pulse in pulses:
            idle = pulse.last < since and not (pulse is self._probes and away)
            if idle and self._stalled_at < since:
                self.referee.fail(self.now, f"{pulse.name} did not come after {what}")

    # --- what else happens to it

    def _stall(self) -> None:
        """This program is not run for a while: what came meanwhile may have been read, or not."""
        seconds = self._rng.uniform(*STALLS)
        self.nature.note("stands still", f"{seconds:.1f} s")
        self.loop.stand_still(seconds)
        self._stalled_at = self.now
        if self._rng.random() < 0.5 and self._prober is not None:
            self._prober.lose_all()
        self.referee.excuse(seconds)
        for pulse in (self.heart, self._looks, self._probes):
            pulse.last += seconds

    def _ask(self) -> None:
        """A program asks for a refresh, or says that a server failed it; one signal of five is lost."""
        if self.now - self._reported_at < 2 * REPORT_WINDOW or self._rng.random() < 0.5:
            request = Request("refresh")
        else:
            self._reported_at = self.now
            request = Request("failed", url=self._rng.choice(self.nature.urls()))
        self.nature.note("is asked", request.kind)
        box = self._config.parent / "state/requests"
        box.mkdir(mode=0o700, exist_ok=True)
        (box / f"{request.kind}-{self.now}").write_bytes(msgspec.json.encode(request))
        if self._rng.random() < 0.8:
            self.loop.signal(signal.SIGUSR1)
        self.after(budgets.REFRESHED, self._check_refreshed, self.daemon._refreshes)

    def _check_refreshed(self, before: int) -> None:
        if self.daemon._refreshes == before:
            self.referee.fail(self.now, "a request was not answered")

    def _rewrite(self) -> None:
        """The user edits the config: the sentinel off and on; and a mistake now and then, which changes nothing."""
        self._rewritten += 1
        self.nature.note("config", self._rewritten)
        self._config.write_text(BAD_CONFIG if self._rewritten % 3 == 0 else self._text())

    def _text(self) -> str:
        world = self.nature.world
        return (
            f"# {self._rewritten}\n"
            f"prefer = {msgspec.json.encode(self.nature.prefer()).decode()}\n"
            f'local = "{"auto" if world.local else "off"}"\n'
            f"sentinel = {'false' if self._rewritten % 2 else 'true'}\n"
            f"history = {'true' if world.history else 'false'}\n"
        )

    # --- what it writes

    def published(self, url: str, verdict: Verdict, state: bytes) -> bool:
        """The files say this now; returns whether they said something else before."""
        key = None if verdict is Verdict.NONE else self.nature.key_at(url)
        moved = self.referee.decided(key, verdict, "files", self.now)
        snapshot = render.read_snapshot(state)
        self.referee.models(snapshot.best, self.now, self.now + self.nature.shift)
        if moved and snapshot.decision.since > snapshot.written_at:
            self.referee.fail(self.now, "chosen later than written")
        return moved


class _Log(logging.Handler):
    """Whatever is an internal error ends the run; a user's mistake in the config does not."""

    def __init__(self, failed: Callable[[BaseException | None, str], None]) -> None:
        super().__init__(logging.WARNING)
        self._told = failed

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None or record.name.startswith("apscheduler"):
            self._told(error, record.getMessage())
