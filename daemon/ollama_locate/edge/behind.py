"""The forward's way to a server behind a proxy: what its requests wear, and TLS, of which the rest sees nothing."""

import asyncio
import contextlib
import re
import socket
import ssl
from typing import Final, NamedTuple
from urllib.parse import unquote

import h11

from ollama_locate.core.bounds import FORWARD_CHUNK, FORWARD_TLS
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.server import Server, authority_of, prefix_of

from .access import Access, access
from .cycle import NotHttpError, header

_HEAD_ENDS: Final = re.compile(rb"\n\r?\n")
_TO_UPGRADE: Final = frozenset({b"connection", b"upgrade", b"http2-settings"})


class Dress(NamedTuple):
    """What makes a request one for this server: its name, its path, the user's headers in the place of the client's."""

    authority: str
    prefix: str
    headers: tuple[tuple[str, str], ...]

    def put_on(self, data: bytes, request: h11.Request, *, pipelined: bool) -> bytes:
        """A request whose whole head is in `data`, as it is to be sent. Raises NotHttpError.

        What leaves the path, or might be read as more than one request, would use the user's token for something else
        than Ollama.
        """
        target = request.target.decode("latin-1")
        path = target.partition("?")[0]
        while (once := unquote(path)) != path:  # some proxies read an escape twice
            path = once
        parts = {part.partition(";")[0] for part in path.replace("\\", "/").split("/")}  # `..;` is `..` to servlets
        if not path.startswith("/") or request.method == b"CONNECT" or {".", ".."} & parts:
            raise NotHttpError("the target is no path, or leaves it")
        upgrades = bool(header(request, b"upgrade"))
        if pipelined and not upgrades:
            raise NotHttpError("a second request came before the first was answered")
        end = _HEAD_ENDS.search(data)
        rest = data[end.end() :] if end else b""
        lines = [b"%s %s%s HTTP/%s" % (request.method, self.prefix.encode(), request.target, request.http_version)]
        ours = {b"host": (b"Host", self.authority.encode())}
        ours |= {name.lower().encode(): (name.encode(), value.encode()) for name, value in self.headers}
        dropped = ours.keys() | (_TO_UPGRADE if upgrades else frozenset())
        said = [(name, value) for name, value in request.headers.raw_items() if name.lower() not in dropped]
        closing = [(b"Connection", b"close")] if upgrades else []
        lines += [b"%s: %s" % one for one in (*ours.values(), *said, *closing)]
        return b"\r\n".join(lines) + b"\r\n\r\n" + rest


class Behind:
    """Connections to servers behind proxies. Its contexts, which take 40 ms, are kept: one for each authority."""

    def __init__(self) -> None:
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._bridges: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """End what still runs."""
        for task in self._bridges:
            task.cancel()
        await asyncio.gather(*self._bridges, return_exceptions=True)

    async def reach(self, server: Server, sock: socket.socket) -> tuple[socket.socket, Dress] | None:
        """Of a connected socket one on which plain HTTP is spoken; None where it cannot be had, and all is closed."""
        try:
            needed = await access(server.needs)
            if server.tls:
                sock = await self._secured(server, sock, needed)
        except (OSError, OperatorError):
            sock.close()
            return None
        except asyncio.CancelledError:
            sock.close()
            raise
        return sock, Dress(authority_of(server.url), prefix_of(server.url), needed.headers)

    async def _secured(self, server: Server, sock: socket.socket, needed: Access) -> socket.socket:
        if needed.ca not in self._contexts:
            self._contexts[needed.ca] = await asyncio.to_thread(_context, needed)
        reader, writer = await asyncio.open_connection(
            sock=sock,
            ssl=self._contexts[needed.ca],
            server_hostname=server.host,
            ssl_handshake_timeout=FORWARD_TLS,
            limit=FORWARD_CHUNK,
        )
        near, far = socket.socketpair()
        near.setblocking(False)  # noqa: FBT003 - the standard library's signature
        task = asyncio.get_running_loop().create_task(_bridge(reader, writer, far))
        self._bridges.add(task)
        task.add_done_callback(self._bridges.discard)
        return near


def _context(needed: Access) -> ssl.SSLContext:
    from .https import trust  # noqa: PLC0415 - httpx only for who has a static https server

    context = trust(needed)
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _bridge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, far: socket.socket) -> None:
    """Move what comes both ways. Either end ends both: a server must stop to generate when its client has gone."""
    inner, outer = await asyncio.open_connection(sock=far, limit=FORWARD_CHUNK)
    ways = {asyncio.ensure_future(_copy(inner, writer)), asyncio.ensure_future(_copy(reader, outer))}
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        writer.transport.abort()
        outer.close()  # what the server has said last is delivered before


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(FORWARD_CHUNK):
            writer.write(piece)
            await writer.drain()
