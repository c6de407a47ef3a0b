"""Whom the sentinel watches: one idle connection, held open to the chosen server, whose end is the first sign."""

import math
from collections.abc import Collection

import msgspec

from .constants import SENTINEL_IDLE, SENTINEL_IDLE_BATTERY, SENTINEL_RETRY, SENTINEL_RETRY_MAX, SENTINEL_STEADY
from .server import Server
from .socks5 import Proxy


class Watch(msgspec.Struct, frozen=True, gc=False):
    """Where a connection is to be held; `idle` seconds of silence before the first keep-alive."""

    key: str
    host: str
    port: int
    idle: float
    socks5: Proxy | None = None


class Sentinel:
    """Learns who closes idle connections though it lives, and leaves those alone for longer and longer.

    `ended` is the key whose connection has ended and that has not answered a probe since.
    """

    def __init__(self) -> None:
        self.on = True
        self.on_battery = False
        self._ended: str | None = None
        self._stands: tuple[str, float] | None = None
        self._closings: dict[str, int] = {}
        self._refusals: dict[str, int] = {}
        self._again: dict[str, float] = {}

    def wanted(self, server: Server, now: float) -> Watch | None:
        """The connection to hold for this server; None while it is left alone, or is to show itself first."""
        if not self.on or server.key == self._ended or now < self._again.get(server.key, now):
            return None
        idle = SENTINEL_IDLE_BATTERY if self.on_battery else SENTINEL_IDLE
        return Watch(server.key, server.host, server.port, idle, server.socks5)

    def again(self, server: Server) -> float | None:
        """When it is tried again, None where no time is set."""
        return self._again.get(server.key) if self.on else None

    def stands(self, key: str, now: float) -> None:
        """The connection stands."""
        self._stands = key, now
        self._refusals.pop(key, None)

    def holds(self, key: str) -> bool:
        """Whether the connection to this one stands."""
        return self._stands is not None and self._stands[0] == key

    def ended(self, key: str, now: float) -> None:
        """The connection stood, and has ended."""
        if self._stands is not None and self._stands[0] == key and now - self._stands[1] >= SENTINEL_STEADY:
            self._closings.pop(key, None)
        self._ended, self._stands = key, None

    def refused(self, key: str, now: float) -> None:
        """The connection could not be had."""
        self._leave_alone(self._refusals, key, now)

    def answered(self, key: str, now: float) -> None:
        """A probe found it alive; if its connection had ended before, that end meant nothing."""
        if key == self._ended:
            self._ended = None
            self._leave_alone(self._closings, key, now)

    def fell(self, key: str) -> None:
        """It is down, so that the end was a true sign."""
        if key == self._ended:
            self._ended = None

    def closes_idle(self, key: str) -> bool:
        """Whether it has closed connections more than once though it lived."""
        return self._closings.get(key, 0) > 1

    def keep(self, keys: Collection[str]) -> None:
        """Forget servers that are gone."""
        for known in (self._closings, self._refusals, self._again):
            for key in known.keys() - set(keys):
                del known[key]

    def _leave_alone(self, counts: dict[str, int], key: str, now: float) -> None:
        times = counts[key] = counts.get(key, 0) + 1
        self._again[key] = now + min(SENTINEL_RETRY_MAX, SENTINEL_RETRY * math.exp2(min(times - 1, 16)))
