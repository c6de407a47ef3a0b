"""A listener that notes what it is told, and waits for it."""

import asyncio

from ollama_locate.core.inventory import Model
from ollama_locate.core.outcome import Probe
from ollama_locate.core.patience import Terms
from ollama_locate.core.server import Kind, Server, http_url
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.probe import Prober

NOTHING = ("nothing",)


class Notes:
    def __init__(self) -> None:
        self.events: list[str] = []
        self.probes: dict[str, Probe] = {}
        self.stock: tuple[Model, ...] | None = None
        self.late: tuple[str, ...] | None = NOTHING
        self._changed = asyncio.Event()

    def connected(self, key: str) -> None:
        self.events.append(f"connected {key}")
        self._changed.set()

    def quiet(self, key: str) -> None:
        self.events.append(f"quiet {key}")

    def finish(self, key: str, probe: Probe) -> None:
        self.events.append(f"finish {key}")
        self.probes[key] = probe
        self._changed.set()

    def listed(self, key: str, models: tuple[str, ...] | None) -> None:
        self.events.append(f"listed {key}")
        self.late = models
        self._changed.set()

    def stocked(self, key: str, models: tuple[Model, ...]) -> None:
        self.events.append(f"stocked {key}")
        self.stock = models
        self._changed.set()

    async def until_told(self) -> None:
        async with asyncio.timeout(10):
            await self._changed.wait()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.probes) < count:
                self._changed.clear()
                await self._changed.wait()

    async def until_listed(self) -> None:
        async with asyncio.timeout(10):
            while self.late is NOTHING:
                self._changed.clear()
                await self._changed.wait()

    async def until_stocked(self) -> None:
        async with asyncio.timeout(10):
            while self.stock is None:
                self._changed.clear()
                await self._changed.wait()


def at(host: str, port: int, key: str = "peer", scheme: str = "http") -> Server:
    url = http_url(host, port, scheme)
    return Server(key, key, Kind.STATIC, host, port, url, tls=scheme == "https")


def terms(rtt: float | None = None, *, sure: bool = False, answer_wait: float = 0.5) -> Terms:
    return Terms(rtt, sure, answer_wait)


async def probe(server: Server, timeout: float = 0.5, wire: Wire | None = None, on: Terms | None = None) -> Probe:  # noqa: ASYNC109
    """Probe once; the answer is waited for as long as the connect, unless the terms say otherwise."""
    notes = Notes()
    prober = Prober(notes, timeout, wire)
    prober.probe(server, on or terms(answer_wait=timeout))
    await notes.until(1)
    await prober.stop()
    return notes.probes[server.key]
