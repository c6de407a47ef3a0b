"""One request, asked of one server after the other until one begins to answer; its answer goes back as it comes."""

import asyncio
import contextlib
import socket
from collections.abc import Coroutine
from enum import Enum
from typing import NamedTuple

from ollama_locate.core.constants import FORWARD_EARLY, FORWARD_REPLAY_MAX
from ollama_locate.core.forward import may_replay

from .cycle import Cycle, NotHttpError
from .pump import Pump


class End(Enum):
    """How an exchange ended."""

    DONE = "the answer is whole"
    CLOSED = "one of the two has ended the connection, or must"
    LOST = "the server ended without a byte of an answer"


class Upstream(NamedTuple):
    """A connection to a server, by the server's key; not `fresh` when it has carried a request before."""

    key: str
    sock: socket.socket
    fresh: bool = True

    def ended(self) -> bool:
        """Whether the server has closed it while it was idle, or has said something that nobody asked for."""
        try:
            self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        """Give it back."""
        self.sock.close()


class Exchange:
    """A request whose head has come from the client, with what came after it; it is kept while it can be asked again.

    `next` is what the client has sent after it.
    """

    def __init__(self, client: socket.socket, head: bytes, cycle: Cycle, scratch: memoryview) -> None:
        self._client, self.cycle, self._scratch = client, cycle, scratch
        self._kept, self._whole = bytearray(head), True
        request = cycle.request
        self._harmless = request is not None and may_replay(request.method, request.target)
        self._abandoned: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._client_gone = False
        self.next = b""

    def abandon(self) -> None:
        """The server is known to be lost: if it has not begun to answer, ask another one."""
        if not self._abandoned.done():
            self._abandoned.set_result(None)

    @property
    def askable(self) -> bool:
        """Whether another server can be asked: nothing was answered, all that came is kept, and it does no harm."""
        return self._harmless and self._whole and not self.cycle.answer_begun and not self._client_gone

    async def ask(self, upstream: Upstream) -> End:
        """Ask this server. Raises NotHttpError where it answers with something else."""
        self._abandoned = asyncio.get_running_loop().create_future()
        self.cycle = Cycle()
        self.cycle.from_client(bytes(self._kept))
        up = asyncio.ensure_future(self._requesting(upstream.sock))
        down = asyncio.ensure_future(self._answering(upstream.sock))
        try:
            await asyncio.wait((down, self._abandoned), return_when=asyncio.FIRST_COMPLETED)
            if not down.done() and not self.askable:
                await asyncio.wait((down,))
            end = down.result() if down.done() else End.LOST
            if end is End.DONE and not self.cycle.request_done:
                await asyncio.wait((up,), timeout=FORWARD_EARLY)
                return End.CLOSED
            return end
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _requesting(self, server: socket.socket) -> None:
        """The client's way. Goes on reading after the request: that the client has gone must stop the server."""
        pump = Pump(self._client, server, self._scratch)
        with contextlib.suppress(OSError, NotHttpError):
            await pump.send(bytes(self._kept))
            while await self._request_piece(pump):
                pass
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    async def _request_piece(self, pump: Pump) -> bool:
        if self.cycle.request_left and not self._whole:
            self._client_gone = not await pump.body(self.cycle.request_left, self.cycle.skip_request)
            return not self._client_gone
        piece = await pump.receive()
        if self.cycle.over:
            # The answer is whole meanwhile: this belongs to the next exchange.
            self.next, self._client_gone = piece, not piece
            return False
        if not piece:
            self._client_gone = True
            return False
        self.cycle.from_client(piece)
        self._keep(piece)
        await pump.send(piece)
        return True

    def _keep(self, piece: bytes) -> None:
        self._whole = self._whole and not self.cycle.answer_begun and len(self._kept) < FORWARD_REPLAY_MAX
        if self._whole:
            self._kept += piece
        else:
            self._kept.clear()

    async def _answering(self, server: socket.socket) -> End:
        """The server's way."""
        pump = Pump(server, self._client, self._scratch)
        while not self.cycle.answer_done or self.cycle.opaque:
            if self.cycle.answer_left:
                if not await _moved(pump.body(self.cycle.answer_left, self.cycle.skip_answer)):
                    return End.CLOSED
                continue
            try:
                piece = await pump.receive()
            except OSError:
                piece = b""
            if not piece:
                return End.CLOSED if self.cycle.answer_begun or self._client_gone else End.LOST
            self.cycle.from_server(piece)
            if not await _moved(pump.send(piece)):
                return End.CLOSED
        return End.CLOSED if self.cycle.last else End.DONE


async def _moved(moving: Coroutine[object, object, object]) -> bool:
    """Whether it went through: `False` and an error of a socket are an end."""
    try:
        return await moving is not False
    except OSError:
        return False
