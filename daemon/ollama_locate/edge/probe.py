"""One verb: is there a live Ollama? Three round trips: the connect, the version, a burst of connects.

The list of models travels on the first connection while the burst is out. A probe never raises.
"""

import asyncio
import socket
import time
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Protocol

import h11

from ollama_locate.core.answer import judge_no_http, judge_version
from ollama_locate.core.bounds_models import SHOWS_AT_A_TIME
from ollama_locate.core.constants import (
    BURST,
    SURE_ATTEMPTS,
    SURE_GAP,
    SYN_HEDGE,
    SYN_PATIENCE_KNOWN,
    SYN_PATIENCE_ROUND_TRIPS,
    TAGS_PATIENCE_MIN,
    VERSION_MAX_BYTES,
)
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.inventory import Model, usable
from ollama_locate.core.latency import of_burst
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.patience import Terms
from ollama_locate.core.server import NOTHING, Kind, Server, authority_of, prefix_of
from ollama_locate.core.text import shown

from .access import Access, access
from .dial import Dial, Waits, Wire
from .resolve import is_address, resolve
from .stock import Ask, Stock
from .talk import Answer, Talk, TooLargeError

if TYPE_CHECKING:
    import httpx


class Listener(Protocol):
    """Who is told what becomes of the probes, by the server's key."""

    def connected(self, key: str) -> None:
        """The connection stands."""

    def quiet(self, key: str) -> None:
        """Silent for so long that it is called silent for now."""

    def finish(self, key: str, probe: Probe) -> None:
        """The probe has ended."""

    def listed(self, key: str, models: tuple[str, ...] | None) -> None:
        """The list of models came after that; None where it did not."""

    def stocked(self, key: str, models: tuple[Model, ...]) -> None:
        """What is installed and loaded there, where that is news."""


class Prober:
    """Probes servers, any number at once. `timeout` (seconds) bounds the connect, and later the list of models.

    `shows`: of how many models a check may ask what they can do; `abilities`: whether it may at all.
    """

    def __init__(
        self, listener: Listener, timeout: float, wire: Wire | None = None, list_patience: float = TAGS_PATIENCE_MIN
    ) -> None:
        self.timeout = timeout
        self.list_patience = list_patience
        self.shows = SHOWS_AT_A_TIME
        self.abilities = True
        self._secure: dict[str, tuple[Access, httpx.AsyncClient]] = {}
        self._listener = listener
        self._wire = wire or Wire()
        self._dials: dict[str, Dial] = {}
        self._stocks: dict[str, Stock] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def probe(self, server: Server, terms: Terms) -> None:
        """Begin a probe; the server's known round trip bounds the wait for its SYN-ACK."""
        patience = self.timeout
        if terms.rtt is not None:
            patience = min(patience, max(SYN_PATIENCE_KNOWN, SYN_PATIENCE_ROUND_TRIPS * terms.rtt))
        waits = Waits(patience + SURE_GAP, SURE_GAP) if terms.sure else Waits(patience, SYN_HEDGE)
        if server.kind is not Kind.STATIC or is_address(server.host):
            self._dial(server, server.host, terms, waits)
        else:
            self._spawn(self._resolve(server, terms, waits))

    def stock(self, key: str) -> Stock:
        """What is known of a server's models."""
        stock = self._stocks.setdefault(key, Stock())
        stock.shows = self.shows if self.abilities else 0
        return stock

    def list_again(self) -> None:
        """Ask for lists of models with the next checks, however long they are."""
        for stock in self._stocks.values():
            stock.list_again()

    def keep(self, keys: Iterable[str]) -> None:
        """Forget the models of all servers but these."""
        for key in self._stocks.keys() - set(keys):
            del self._stocks[key]

    async def settled(self, patience: float) -> None:
        """Wait until nothing is asked any more; `patience` seconds at the most."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)

    async def stop(self) -> None:
        """End all probes; nobody is told."""
        for dial in self._dials.values():
            dial.cancel()
        self._dials.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _, secure in self._secure.values():
            await secure.aclose()

    async def secure(self, server: Server, access: Access) -> "httpx.AsyncClient":
        """The client for a static https server, kept while its files say the same; one for all that have none.

        An SSL context takes 40 ms.
        """
        from .https import client  # noqa: PLC0415 - httpx only for who has a static https server

        key = server.key if server.needs != NOTHING else ""
        if key in self._secure and self._secure[key][0] == access:
            return self._secure[key][1]
        old = self._secure.pop(key, None)
        self._secure[key] = access, client(self.timeout, access)
        if old is not None:
            await old[1].aclose()
        return self._secure[key][1]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _resolve(self, server: Server, terms: Terms, waits: Waits) -> None:
        sent = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self.timeout):
                address = await resolve(server.host, server.port)
        except (OSError, ValueError, TimeoutError) as error:
            detail = f"its name is not known: {shown(str(error)) or 'no answer'}"
            self._listener.finish(server.key, Probe(Outcome.ERROR, sent, detail))
            return
        self._dial(server, address, terms, waits)

    def _dial(self, server: Server, address: str, terms: Terms, waits: Waits) -> None:
        key, sent = server.key, asyncio.get_running_loop().time()

        def opened(sock: socket.socket) -> None:
            del self._dials[key]
            self._listener.connected(key)
            task = self._spawn(_Conversation(self, server, address, sent, terms.answer_wait).run(sock))
            # Not in the conversation itself: one that is cancelled before its first step would leave it open.
            task.add_done_callback(lambda _: sock.close())

        def failed(outcome: Outcome, detail: str) -> None:
            del self._dials[key]
            given_up = terms.sure and outcome is Outcome.SILENT and not detail
            attempts = SURE_ATTEMPTS if given_up else 1
            self._listener.finish(key, Probe(outcome, sent, detail, attempts=attempts))

        self._dials[key] = Dial(
            self._wire.via(server.socks5),
            (address, server.port),
            waits,
            opened,
            failed,
            lambda: self._listener.quiet(key),
        )

    @property
    def wire(self) -> Wire:
        """Where the connects leave."""
        return self._wire

    @property
    def listener(self) -> Listener:
        """Who is told."""
        return self._listener


class _Conversation:
    """What follows when a connection stands."""

    def __init__(self, prober: Prober, server: Server, address: str, sent: float, patience: float) -> None:
        self._prober, self._server, self._address, self._sent = prober, server, address, sent
        self._patience = patience
        self._answered_after: float | None = None

    async def run(self, sock: socket.socket) -> None:
        try:
            needed = await access(self._server.needs)
            if self._server.tls:
                await self._over_tls(needed)
            else:
                url = self._server.url
                await self._over(Talk(sock, authority_of(url), prefix_of(url), needed.headers))
        except OperatorError as error:
            self._finish(Outcome.ERROR, detail=shown(str(error)))
        except Exception as error:  # noqa: BLE001 - a probe never raises: whatever a server did is an outcome
            self._finish(Outcome.ERROR, detail=shown(f"{type(error).__name__}: {error}"))

    async def _over(self, talk: Talk) -> None:
        asked = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._patience):
                answer = await talk.get(_version(self._server), VERSION_MAX_BYTES)
        except TimeoutError:
            if talk.first:
                self._finish(Outcome.ERROR, detail=f"its answer did not end within {self._patience:.1f} s")
            else:
                self._finish(Outcome.BUSY, detail=f"nothing within {self._patience:.1f} s")
            return
        except TooLargeError:
            self._finish(Outcome.NOT_OLLAMA, detail="its answer to /api/version is too large")
            return
        except (OSError, h11.RemoteProtocolError) as error:
            if talk.first:
                self._finish(*judge_no_http(talk.first))
            else:
                self._finish(Outcome.EMPTY, detail="it closed the connection" if _closed(error) else "")
            return
        self._answered_after = asyncio.get_running_loop().time() - asked
        await self._judge(answer, self._plainly(talk))

    async def _judge(self, answer: Answer, ask: Ask) -> None:
        outcome, detail, version = judge_version(answer.status, answer.body, answer.age, self._server.needs.headers)
        if outcome is not Outcome.ALIVE:
            self._finish(outcome, detail=detail)
            return
        stock, loop = self._prober.stock(self._server.key), asyncio.get_running_loop()
        listing = asyncio.ensure_future(stock.list(ask, loop.time()))
        try:
            wire = self._prober.wire.via(self._server.socks5)
            samples = await wire.burst(self._address, self._server.port, BURST, SYN_PATIENCE_KNOWN)
            rtt, spread = of_burst(samples)
            await asyncio.wait({listing}, timeout=max(self._prober.list_patience, rtt or 0.0))
            in_time = listing.done()
            models = _names(listing.result()) if in_time else None
            self._finish(outcome, rtt=rtt, spread=spread, version=version, models=models)
            if not in_time:
                self._prober.listener.listed(self._server.key, _names(await listing))
        finally:
            listing.cancel()
        if self._server.kind is Kind.SELF_CHECK:
            return  # this machine is asked already
        if (found := await stock.take(ask, version, loop.time())) is not None:
            self._prober.listener.stocked(self._server.key, found)

    def _plainly(self, talk: Talk) -> Ask:
        """Requests on the connection that stands, as long as the server lets one follow another."""

        async def ask(target: str, limit: int, body: bytes | None = None) -> Answer | None:
            try:
                async with asyncio.timeout(self._prober.timeout):
                    return await talk.ask(target, limit, body)
            except (OSError, TimeoutError, TooLargeError, h11.ProtocolError):
                return None

        return ask

    async def _over_tls(self, needed: Access) -> None:
        from .https import get  # noqa: PLC0415 - httpx only for who has a static https server

        secure, url = await self._prober.secure(self._server, needed), self._server.url
        timeout = self._prober.timeout
        answer = await get(secure, url + _version(self._server), VERSION_MAX_BYTES, timeout)
        if isinstance(answer, str):
            self._finish(Outcome.ERROR, detail=answer)
            return

        async def ask(target: str, limit: int, body: bytes | None = None) -> Answer | None:
            said = await get(secure, url + target, limit, timeout, body)
            return None if isinstance(said, str) else said

        await self._judge(answer, ask)

    def _finish(
        self,
        outcome: Outcome,
        detail: str = "",
        *,
        rtt: float | None = None,
        spread: float = 0.0,
        version: str = "",
        models: tuple[str, ...] | None = None,
    ) -> None:
        after = self._answered_after
        probe = Probe(outcome, self._sent, detail, rtt, spread, version, models, connected=True, answer=after)
        self._prober.listener.finish(self._server.key, probe)


def _version(server: Server) -> str:
    """What is asked for; of a proxy with a query that no cache has an answer to, as one would hide that Ollama died."""
    return f"/api/version?now={time.time_ns()}" if server.proxied else "/api/version"


def _names(models: tuple[Model, ...] | None) -> tuple[str, ...] | None:
    return None if models is None else usable(models)


def _closed(error: Exception) -> bool:
    return isinstance(error, (ConnectionError, h11.RemoteProtocolError))
