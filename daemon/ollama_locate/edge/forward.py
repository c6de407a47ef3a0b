"""The stable address: each request that comes to it goes to the best server of that moment, byte for byte."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from ollama_locate.core.bounds import (
    FORWARD_BACKLOG,
    FORWARD_CHUNK,
    FORWARD_CONNECTIONS,
    FORWARD_DIAL,
    FORWARD_HEAD,
    FORWARD_HEDGE_SHARE,
    FORWARD_IDLE,
    FORWARD_KEEP_COUNT,
    FORWARD_KEEP_IDLE,
    FORWARD_KEEP_INTERVAL,
    FORWARD_SERVERS,
    FORWARD_STAGGER,
    FORWARD_STAGGER_ROUND_TRIPS,
)
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.forward import Forward, is_own_host
from ollama_locate.core.server import Server
from ollama_locate.core.socks5 import Proxy

from .behind import Behind
from .connect import connect
from .cycle import Cycle, NotHttpError, header
from .dial import Wire
from .exchange import Budget, End, Exchange, Upstream
from .pump import Pump

_ACCEPT_AGAIN: Final = 0.5


class Target(NamedTuple):
    """A server to ask: its key, its IP address and port; its round trip in seconds, None if it is not known.

    `socks5` is what leads to it, None: the kernel. `proxied`: the server where it stands behind a proxy of its own, so
    that requests do not pass as they are.
    """

    key: str
    host: str
    port: int
    rtt: float | None = None
    socks5: Proxy | None = None
    proxied: Server | None = None

    @property
    def patience(self) -> float:
        """Seconds until the next best is tried beside it."""
        return max(FORWARD_STAGGER, FORWARD_STAGGER_ROUND_TRIPS * (self.rtt or 0.0))


class Chooser(Protocol):
    """Who knows the servers."""

    def targets(self) -> Sequence[Target]:
        """Whom to ask, the best first."""

    def doubted(self, key: str) -> None:
        """This one could not be reached, or ended without an answer: it shall be checked."""


class Forwarder:
    """Listens once it is opened; `connections` are open now, and at most `limit`."""

    def __init__(self, forward: Forward, chooser: Chooser, wire: Wire, limit: int = FORWARD_CONNECTIONS) -> None:
        self.forward = forward
        self.behind = Behind()
        self.budget, self._limit = Budget(), min(limit, FORWARD_CONNECTIONS)
        self._chooser, self._wire = chooser, wire
        self._loop = asyncio.get_running_loop()
        self._scratch = memoryview(bytearray(FORWARD_CHUNK))
        self._sock: socket.socket | None = None
        self._connections: dict[asyncio.Task[None], _Connection] = {}

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def open(self) -> None:
        """Begin to listen. Raises OperatorError."""
        host, port = self.forward.host, self.forward.port
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
            sock.bind((host, port))
            sock.listen(FORWARD_BACKLOG)
        except OSError as error:
            sock.close()
            raise OperatorError(f"the forward cannot listen on {host}:{port}: {error.strerror}") from None
        self._sock = sock
        self._listen()

    async def close(self) -> None:
        """Listen no more, and end all connections."""
        if self._sock is not None:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.behind.close()

    def asked(self) -> set[str]:
        """The keys of the servers to which connections are open."""
        return {key for one in self._connections.values() if (key := one.asks) is not None}

    def left(self, key: str) -> None:
        """This server is down: requests that it has not begun to answer go to another one."""
        for connection in self._connections.values():
            connection.left(key)

    def _listen(self) -> None:
        if self._sock is not None and len(self._connections) < self._limit:
            self._loop.add_reader(self._sock.fileno(), self._accept)

    def _accept(self) -> None:
        if self._sock is None:
            return
        try:
            client, _ = self._sock.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:  # out of descriptors: whoever comes waits in the kernel's queue
            self._loop.remove_reader(self._sock.fileno())
            self._loop.call_later(_ACCEPT_AGAIN, self._listen)
            return
        client.setblocking(False)  # noqa: FBT003 - the standard library's signature
        connection = _Connection(client, self, self._chooser, self._wire, self._scratch)
        task = self._loop.create_task(connection.serve())
        self._connections[task] = connection
        task.add_done_callback(self._ended)
        if len(self._connections) >= self._limit:
            self._loop.remove_reader(self._sock.fileno())

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._connections[task]
        self._listen()


class _Connection:
    """One client, with one request after the other."""

    def __init__(
        self, client: socket.socket, owner: Forwarder, chooser: Chooser, wire: Wire, scratch: memoryview
    ) -> None:
        self._client, self._owner, self._chooser, self._wire, self._scratch = client, owner, chooser, wire, scratch
        self._upstream: Upstream | None = None
        self._exchange: Exchange | None = None
        self._tried: list[str] = []

    @property
    def asks(self) -> str | None:
        """The key of the server to which a connection is open."""
        return self._upstream.key if self._upstream is not None else None

    def left(self, key: str) -> None:
        """This server is down."""
        if self._upstream is None or self._upstream.key != key:
            return
        if self._exchange is not None:
            self._exchange.abandon()
        else:
            self._drop()

    async def serve(self) -> None:
        """Until one of the two has had enough."""
        try:
            self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            more = b""
            while (found := await self._head(more)) is not None:
                head, cycle = found
                exchange = self._exchange = Exchange(self._client, head, cycle, self._scratch, self._owner.budget)
                try:
                    goes_on = await self._answer(exchange)
                finally:
                    exchange.close()
                more, self._exchange = exchange.next, None
                if not goes_on:
                    return
        except (OSError, TimeoutError):
            pass
        finally:
            self._drop()
            self._client.close()

    def _drop(self) -> None:
        if self._upstream is not None:
            self._upstream.close()
            self._upstream = None

    async def _head(self, data: bytes) -> tuple[bytes, Cycle] | None:
        """The head of the next request and what came with it; None where there is none that can be asked."""
        pump, cycle, head = Pump(self._client, self._client, self._scratch), Cycle(), b""
        try:
            async with asyncio.timeout(FORWARD_IDLE):
                piece = data or await pump.receive()
            async with asyncio.timeout(FORWARD_HEAD):
                while piece:
                    head += piece
                    cycle.from_client(piece)
                    if cycle.request is not None:
                        break
                    piece = await pump.receive()
        except NotHttpError as error:
            await self._say("400 Bad Request", f"that is no HTTP/1.1: {error}")
            return None
        if cycle.request is None:
            return None
        if not is_own_host(header(cycle.request, b"host"), self._owner.forward):
            await self._say("403 Forbidden", "the Host header names another machine: use this one's address")
            return None
        return head, cycle

    async def _answer(self, exchange: Exchange) -> bool:
        """Ask one server after the other; returns whether the client may ask more."""
        self._tried = []
        while (upstream := await self._connected()) is not None:
            end = await exchange.ask(upstream)
            if end is End.DONE:
                return True
            self._drop()
            if exchange.mistake and not exchange.cycle.answer_begun:
                await self._say("400 Bad Request", f"that is no HTTP/1.1: {exchange.mistake}")
                return False
            if end is End.CLOSED:
                return False
            if upstream.fresh:  # else it may have closed what was idle, just now
                self._doubt(upstream.key)
            if not exchange.askable:
                if not exchange.cycle.answer_begun:
                    await self._say("502 Bad Gateway", "the server ended the connection without an answer")
                return False
        await self._say("502 Bad Gateway", "no Ollama server can be reached now; `ollama-locate why` says more")
        return False

    async def _connected(self) -> Upstream | None:
        """A connection to the best server that was not tried: the one that is there, or a new one."""
        targets = [one for one in self._chooser.targets()[:FORWARD_SERVERS] if one.key not in self._tried]
        if self._upstream is not None:
            if targets and self._upstream.key == targets[0].key and not self._upstream.ended():
                self._upstream = self._upstream._replace(fresh=False)
                return self._upstream
            self._drop()
        self._upstream = await self._first(targets)
        return self._upstream

    async def _first(self, targets: list[Target]) -> Upstream | None:
        """A connection to the best that accepts; one that lets us wait is not waited for alone."""
        dials: dict[asyncio.Task[Upstream | None], Target] = {}
        found: Upstream | None = None
        try:
            while found is None and (targets or dials):
                if targets:
                    target = targets.pop(0)
                    dials[asyncio.ensure_future(self._dial(target))] = target
                wait = max(one.patience for one in dials.values()) if targets else None
                done, _ = await asyncio.wait(dials, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                for task in [one for one in dials if one in done]:
                    target, upstream = dials.pop(task), task.result()
                    if upstream is None:
                        self._doubt(target.key)
                    elif found is None:
                        found = upstream
                    else:
                        upstream.close()
            for target in dials.values():
                self._chooser.doubted(target.key)
            return found
        finally:
            for task in dials:
                task.cancel()
            await asyncio.gather(*dials, return_exceptions=True)

    def _doubt(self, key: str) -> None:
        self._tried.append(key)
        self._chooser.doubted(key)

    async def _dial(self, target: Target) -> Upstream | None:
        hedge = target.patience * FORWARD_HEDGE_SHARE
        sock = await connect(self._wire.via(target.socks5), target.host, target.port, FORWARD_DIAL, hedge)
        if sock is None:
            return None
        with contextlib.suppress(OSError):
            _prepare(sock)
        if target.proxied is None:
            return Upstream(target.key, sock)
        reached = await self._owner.behind.reach(target.proxied, sock)
        return None if reached is None else Upstream(target.key, reached[0], dress=reached[1])

    async def _say(self, status: str, sentence: str) -> None:
        """An answer of the forward itself, in the form of Ollama's own."""
        body = b'{"error":"ollama-locate: ' + sentence.replace('"', "'").encode() + b'"}'
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().sock_sendall(
                self._client, head.encode() + b"Connection: close\r\n\r\n" + body
            )


def _prepare(sock: socket.socket) -> None:
    """No waiting to fill a packet, as tokens are small; and keep-alives, as a dead server is silent."""
    tcp = socket.IPPROTO_TCP
    sock.setsockopt(tcp, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    idle = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))
    if idle is not None:
        sock.setsockopt(tcp, idle, FORWARD_KEEP_IDLE)
    sock.setsockopt(tcp, socket.TCP_KEEPINTVL, FORWARD_KEEP_INTERVAL)
    sock.setsockopt(tcp, socket.TCP_KEEPCNT, FORWARD_KEEP_COUNT)
