"""The sentinel's connection on the virtual network: it stands, and ends as the kernel would end it."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Protocol

from ollama_locate.core.constants import SENTINEL_IDLE, SYN_HEDGE, TIMEOUT
from ollama_locate.core.sentinel import Watch

from .network import Path
from .timeline import State

SILENCE = (1.1, 3.0)
"""After so many seconds of silence the kernel ends the connection."""

NOTICES_END = 0.002
"""An event loop sees the end of a connection this much after the packet."""


class Warden(Protocol):
    """The machine that holds it."""

    @property
    def now(self) -> float:
        """Its monotonic seconds."""

    @property
    def shift(self) -> float:
        """How far the world's clock is ahead of them."""

    def after(self, seconds: float, act: Callable[..., None], *args: object) -> None:
        """Do it later."""

    def watching(self, key: str) -> None:
        """It stands."""

    def unwatchable(self, key: str) -> None:
        """It could not be had."""

    def lost(self, key: str, alive_at: float) -> None:
        """It has ended."""


class Sentinel:
    """At most one connection. `serial` tells events of the present one from those of connections let go."""

    def __init__(self, warden: Warden, paths: Mapping[str, Path], rng: Random) -> None:
        self._warden, self._paths, self._rng = warden, paths, rng
        self._wanted: Watch | None = None
        self._serial = 0
        self._silences = 0
        self.stands_on: str | None = None

    @property
    def idle(self) -> bool:
        """Whether nobody is to be watched."""
        return self._wanted is None

    def watch(self, wanted: Watch | None) -> None:
        """Hold a connection to this server, and to no other."""
        if wanted == self._wanted:
            return
        self._drop()
        self._wanted = wanted
        if wanted is not None:
            path, at = self._paths[wanted.key], self._warden.now + self._warden.shift
            stands = path.connect(at, TIMEOUT, SYN_HEDGE)
            if stands is None:
                stands = TIMEOUT, False
            self._warden.after(stands[0], self._dialled, self._serial, stands[1])

    def stop(self) -> None:
        """Let go; nobody is told."""
        self._drop()

    def _drop(self) -> None:
        self._serial += 1
        self._wanted = self.stands_on = None

    def _dialled(self, serial: int, stands: bool) -> None:  # noqa: FBT001 - an event's argument
        if serial != self._serial or self._wanted is None:
            return
        key = self._wanted.key
        if not stands:
            self._drop()
            self._warden.unwatchable(key)
            return
        self.stands_on = key
        self._warden.watching(key)
        path = self._paths[key]
        if path.loss:
            # One keep-alive that is lost is enough: the next, a second later, finds the time-out past.
            self._warden.after(self._rng.expovariate(path.loss / SENTINEL_IDLE) + 3.0, self._end, serial, 3.0)
        self.changed(key)

    def changed(self, key: str) -> None:
        """This server is in another phase."""
        if key != self.stands_on:
            return
        self._silences += 1
        phase = self._paths[key].timeline.phase
        if phase.state in (State.KILLED, State.CLOSED):
            self._warden.after(phase.rtt / 2 + NOTICES_END, self._end, self._serial, 0.0)
        elif phase.state is State.SILENT:
            self._warden.after(self._rng.uniform(*SILENCE), self._silent, self._serial, self._silences)

    def _silent(self, serial: int, silences: int) -> None:
        if silences == self._silences:
            self._end(serial, SILENCE[1])

    def _end(self, serial: int, ago: float) -> None:
        if serial == self._serial and self.stands_on is not None:
            key = self.stands_on
            self._drop()
            self._warden.lost(key, self._warden.now - ago)
