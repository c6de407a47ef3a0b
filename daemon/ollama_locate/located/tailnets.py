"""The tailnets of this machine, each with a bus and with looks of its own: one that hangs holds up no other."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from ollama_locate.core.config import Config
from ollama_locate.core.net import Net
from ollama_locate.edge.bus import Bus

from .finder import Finder
from .jobs import Jobs
from .log import LOGGER
from .looks import Looks

Spawn = Callable[[Coroutine[Any, Any, None]], object]


class Hearer(Protocol):
    """Who is told what becomes of the tailnets."""

    def seen(self, *, changed: bool) -> None:
        """One was looked at; whether it is another one now."""

    def bell_told(self) -> None:
        """A tailscaled rings from now on, or does not any more."""


class Tailnets:
    """One for each that the config names. What is asked of all is asked of each."""

    def __init__(self, finder: Finder, jobs: Jobs, spawn: Spawn, hearer: Hearer) -> None:
        self._finder, self._jobs, self._spawn, self._hearer = finder, jobs, spawn, hearer
        self._each: dict[str, _Tailnet] = {}
        self._open = False

    @property
    def ringing(self) -> frozenset[str]:
        """Those whose tailscaled says by itself when something changes."""
        return frozenset(name for name, one in self._each.items() if one.connected)

    def open(self) -> None:
        """Begin to look, and to listen."""
        self._open = True
        self.follow(self._finder.config)

    def close(self) -> None:
        """Listen no more."""
        for one in self._each.values():
            one.close()
        self._each, self._open = {}, False

    def follow(self, config: Config) -> None:
        """Look at those of the config, at once; one that is asked at another socket is another one."""
        if not self._open:
            return
        wanted = {(net.name, net.socket, config.bell(net)): net for net in config.nets}
        for name, one in list(self._each.items()):
            if one.place not in wanted:
                self._each.pop(name).close()
        for (name, *_), net in wanted.items():
            if name not in self._each:
                self._each[name] = _Tailnet(net, config.bell(net), self._finder, self._jobs, self._spawn, self._hearer)
            self._each[name].looks.arm(0.0)

    def at_once(self) -> None:
        """Look as soon as that is not too often, though another look may be planned."""
        for one in self._each.values():
            one.looks.at_once()

    def rearm(self) -> None:
        """The wall clock was set."""
        for one in self._each.values():
            one.looks.rearm()

    def on_doubt(self) -> None:
        """The current server may have failed: it may be its Tailscale that is away."""
        for one in self._each.values():
            one.looks.on_doubt()


class _Tailnet:
    """One of them. `rung` counts the rings, `connected` says whether its tailscaled can ring at all."""

    def __init__(self, net: Net, bell: str, finder: Finder, jobs: Jobs, spawn: Spawn, hearer: Hearer) -> None:
        self.place = (net.name, net.socket, bell)
        self._net, self._finder, self._hearer = net, finder, hearer
        self.rung, self._lost = 0, False
        self.looks = Looks(net, finder, jobs, self, spawn, lambda changed: hearer.seen(changed=changed))
        self._bus = Bus(self._ring, self._told, bell)
        self._running = asyncio.get_running_loop().create_task(self._bus.run())

    @property
    def connected(self) -> bool:
        """Whether tailscaled says by itself when something changes."""
        return self._bus.connected

    def close(self) -> None:
        """Look and listen no more."""
        self._running.cancel()
        self.looks.close()

    def _ring(self) -> None:
        self.rung += 1
        self.looks.soon()

    def _told(self) -> None:
        LOGGER.info(
            "%s%s",
            f"tailnet {self._net.name}: " if self._net.name else "",
            "tailscaled says by itself when the tailnet changes"
            if self.connected
            else "tailscaled cannot be listened to: the tailnet is looked at every `interval`",
        )
        if not self.connected:
            self.looks.soon()
            self._lost = True
        elif self._lost:
            # Tailscaled was restarted, perhaps so quickly that no look saw it away: is everybody still reached?
            self._lost = False
            self._finder.locator.restarted(self._finder.now(), self._net.name)
        self._hearer.bell_told()
