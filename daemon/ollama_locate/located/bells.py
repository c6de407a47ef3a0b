"""What tells the daemon that the world has changed: the kernel's network, the clocks, the battery."""

import asyncio
from typing import Protocol

from ollama_locate.core.constants import NETWORK_MIN_GAP, NETWORK_SETTLES, TICK
from ollama_locate.core.disturbance import compare
from ollama_locate.edge import clocks
from ollama_locate.edge.network import Network, way_out
from ollama_locate.edge.power import on_battery

from .log import LOGGER


class Hearer(Protocol):
    """Whom the bells ring for."""

    def look_again(self, *, slept: bool) -> None:
        """This machine's network has changed, or it slept."""

    def interfaces_changed(self) -> None:
        """Interfaces, addresses or routes have changed, if only those of containers."""

    def stood_still(self) -> None:
        """This program was not run for a moment."""

    def clock_stepped(self) -> None:
        """The wall clock was set."""


class Bells:
    """Opened once, closed once."""

    def __init__(self, hearer: Hearer) -> None:
        self._hearer = hearer
        self._loop = asyncio.get_running_loop()
        self._network = Network(self._network_changed)
        self._changed: asyncio.TimerHandle | None = None
        self._changed_at = float("-inf")
        self._way_out = way_out()
        self._read = clocks.read()
        self._tick: asyncio.TimerHandle | None = None

    @staticmethod
    def on_battery() -> bool:
        """Whether this machine runs on its battery. Reads files: for the disk's thread."""
        return on_battery()

    def open(self) -> None:
        """Begin to listen."""
        if not self._network.open():
            LOGGER.info("this system does not say when its network changes; that is seen by the next checks")
        self._read = clocks.read()
        self._tick = self._loop.call_later(TICK, self._compare)

    def close(self) -> None:
        """Listen no more."""
        self._network.close()
        for one in (self._changed, self._tick):
            if one is not None:
                one.cancel()

    def _network_changed(self) -> None:
        """Addresses and routes change in flocks: what they lead to is looked at after a moment."""
        if self._changed is None:
            wait = max(NETWORK_SETTLES, self._changed_at + NETWORK_MIN_GAP - self._loop.time())
            self._changed = self._loop.call_later(wait, self._follow_network)

    def _follow_network(self) -> None:
        self._changed, before, self._way_out = None, self._way_out, way_out()
        self._hearer.interfaces_changed()
        if self._way_out == before:
            return
        self._changed_at = self._loop.time()
        LOGGER.info("this machine's network has changed: everybody is asked again")
        self._hearer.look_again(slept=False)

    def _compare(self) -> None:
        before, self._read = self._read, clocks.read()
        self._tick = self._loop.call_later(TICK, self._compare)
        found = compare(before, self._read, TICK)
        if found is None:
            return
        LOGGER.info("%s", found.text())
        if found.stalled or found.slept:
            self._hearer.stood_still()
        if found.stepped:
            self._hearer.clock_stepped()
        if found.long:
            self._hearer.look_again(slept=True)
