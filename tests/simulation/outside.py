"""What the real loop touches, on the virtual network: the prober, the sentinel's connection, tailscaled, the kernel."""

import asyncio
from collections.abc import Callable, Iterable
from random import Random
from typing import Protocol

from msgspec.structs import replace

from ollama_locate.core.constants import SYN_PATIENCE_KNOWN, SYN_PROVISIONAL
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.patience import Terms
from ollama_locate.core.server import Server
from ollama_locate.core.tailnet import Absence, Unavailable
from ollama_locate.edge.probe import Listener
from ollama_locate.edge.sentinel import Warden
from ollama_locate.edge.tailscale import Look

from . import library
from .nature import LOOK_CPU, Act, Nature

LOOK_TAKES = 0.02
LOOK_HANGS = 5.0
HANGS = 0.3
"""Of the looks at a tailscaled that restarts, so many hang until they are given up."""

RECONNECTS = (0.1, 2.0)
"""The bus is had again this long after tailscaled listens again."""


class Prober:
    """Stands in for edge/probe.py: the same calls, answered by the virtual network."""

    def __init__(self, listener: Listener, timeout: float, nature: Nature, asked: Callable[[], None]) -> None:
        self.timeout = timeout
        self._listener, self._nature, self._asked = listener, nature, asked
        self._loop = asyncio.get_running_loop()
        self._flights: dict[str, tuple[float, list[asyncio.TimerHandle]]] = {}

    def probe(self, server: Server, terms: Terms) -> None:
        """Begin a probe."""
        key, sent = server.key, self._loop.time()
        assert key not in self._flights, "nobody is asked twice at once"
        connected, ends, probe = self._nature.path(key).probe(sent, self._nature.shift, terms)
        handles = [self._loop.call_at(sent + ends, self._finish, key, probe)]
        if connected is not None:
            handles.append(self._loop.call_at(sent + connected, self._listener.connected, key))
        if (ends if connected is None else connected) > SYN_PROVISIONAL:
            handles.append(self._loop.call_at(sent + SYN_PROVISIONAL, self._listener.quiet, key))
        self._flights[key] = sent, handles
        self._asked()

    def _finish(self, key: str, probe: Probe) -> None:
        del self._flights[key]
        if not key.startswith("stranger"):
            self._nature.note(probe.outcome.word, key)
        if probe.outcome is Outcome.ALIVE:
            probe = replace(probe, models=library.names(key))
        self._listener.finish(key, probe)
        if probe.outcome is Outcome.ALIVE:
            self._listener.stocked(key, library.stock(key, self._loop.time() + self._nature.shift))

    def list_again(self) -> None:
        """There is no list here."""

    def keep(self, keys: Iterable[str]) -> None:
        """Nothing is remembered of models here."""

    def lose_all(self) -> None:
        """What is under way is never heard of again."""
        for key, (sent, handles) in list(self._flights.items()):
            _cancel(handles)
            end = max(self._loop.time(), sent + SYN_PATIENCE_KNOWN)
            handle = self._loop.call_at(end, self._finish, key, Probe(Outcome.SILENT, sent))
            self._flights[key] = sent, [handle]

    async def stop(self) -> None:
        """End all probes."""
        for _, handles in self._flights.values():
            _cancel(handles)
        self._flights.clear()


def _cancel(handles: list[asyncio.TimerHandle]) -> None:
    for handle in handles:
        handle.cancel()


class _Host(Protocol):
    @property
    def now(self) -> float:
        """Its monotonic seconds."""

    @property
    def shift(self) -> float:
        """How far the world's clock is ahead of them."""

    def after(self, seconds: float, act: Act, *args: object) -> None:
        """Do it later."""


class Post:
    """Where the sentinel's connection meets its warden; keeps a record on the way."""

    def __init__(self, host: _Host, warden: Warden, nature: Nature) -> None:
        self._host, self._warden, self._nature = host, warden, nature
        self.after = host.after

    @property
    def now(self) -> float:
        """The machine's monotonic seconds."""
        return self._host.now

    @property
    def shift(self) -> float:
        """How far the world's clock is ahead of them."""
        return self._nature.shift

    def watching(self, key: str) -> None:
        """It stands."""
        self._nature.note("sentinel stands", key)
        self._warden.watching(key)

    def unwatchable(self, key: str) -> None:
        """It could not be had."""
        self._nature.note("sentinel refused", key)
        self._warden.unwatchable(key)

    def lost(self, key: str, alive_at: float) -> None:
        """It has ended."""
        self._nature.note("sentinel lost", key)
        self._warden.lost(key, alive_at)


async def look(nature: Nature, rng: Random) -> Look:
    """Stands in for `tailscale status --json`. One that asks a tailscaled which restarts may hang."""
    if nature.away is Absence.NOT_RUNNING and rng.random() < HANGS:
        await asyncio.sleep(LOOK_HANGS)
        return Look(Unavailable(Absence.HUNG), LOOK_CPU)
    await asyncio.sleep(LOOK_TAKES)
    return Look(nature.look(), LOOK_CPU)


class Bus:
    """Stands in for tailscaled's bus: rings while tailscaled runs, is cut off with it, and is had again soon after."""

    def __init__(self, rings: Callable[[], None], told: Callable[[], None], nature: Nature, rng: Random) -> None:
        self._rings, self._told, self._nature, self._rng = rings, told, nature, rng
        self.connected = False

    async def run(self) -> None:
        """Until it is cancelled."""
        if self._nature.world.rings:
            self._connect()
        else:
            self._told()
        await asyncio.get_running_loop().create_future()

    def happened(self) -> None:
        """Something has changed in the tailnet, or with tailscaled."""
        if not self._nature.world.rings:
            return
        if self._nature.away is Absence.NOT_RUNNING:
            if self.connected:
                self.connected = False
                self._told()
        elif self.connected:
            self._rings()
        else:
            wait = self._rng.uniform(*RECONNECTS)
            asyncio.get_running_loop().call_later(wait, self._connect)

    def _connect(self) -> None:
        if not self.connected and self._nature.away is not Absence.NOT_RUNNING:
            self.connected = True
            self._told()
            self._rings()


class Network:
    """Stands in for the kernel's word about this machine's network. `way_out` is where it leads to."""

    def __init__(self) -> None:
        self._changed: Callable[[], None] | None = None
        self._times = 0

    def __call__(self, changed: Callable[[], None]) -> "Network":
        """As the class in edge/network.py is made."""
        self._changed = changed
        return self

    def open(self) -> bool:
        """It tells."""
        return True

    def close(self) -> None:
        """No more."""
        self._changed = None

    def change(self) -> None:
        """Another network, told in two pieces as kernels do."""
        self._times += 1
        for _ in range(2):
            if self._changed is not None:
                self._changed()

    def way_out(self) -> tuple[str, ...]:
        """The addresses that packets leave by."""
        return (f"192.168.{self._times % 250}.2", "")
