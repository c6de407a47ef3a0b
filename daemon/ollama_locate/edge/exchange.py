"""One request, asked of one server after the other until one begins to answer; its answer goes back as it comes."""

import asyncio
import contextlib
import socket
from collections.abc import Coroutine
from enum import Enum
from typing import NamedTuple

from ollama_locate.core.answer import PROXY_REFUSES
from ollama_locate.core.bounds import FORWARD_EARLY, FORWARD_KEPT_MAX, FORWARD_REPLAY_MAX
from ollama_locate.core.forward import may_replay

from .behind import Dress
from .cycle import Cycle, NotHttpError
from .pump import Pump


class End(Enum):
    """How an exchange ended."""

    DONE = "the answer is whole"
    CLOSED = "one of the two has ended the connection, or must"
    LOST = "the server ended without a byte of an answer"


class Upstream(NamedTuple):
    """A connection to a server, by the server's key; not `fresh` when it has carried a request before.

    `dress`: what requests wear there, None where they pass as they are.
    """

    key: str
    sock: socket.socket
    fresh: bool = True
    dress: Dress | None = None

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


class Budget:
    """How many bytes of requests are kept by all exchanges together, and how many may be."""

    def __init__(self) -> None:
        self._kept = 0

    def take(self, count: int) -> bool:
        """Whether so many more can be kept; they are taken then."""
        if self._kept + count > FORWARD_KEPT_MAX:
            return False
        self._kept += count
        return True

    def give_back(self, count: int) -> None:
        """They are kept no more."""
        self._kept -= count


class Exchange:
    """A request whose head has come from the client, with what came after it; it is kept while it can be asked again.

    `next` is what the client has sent after it.
    """

    def __init__(self, client: socket.socket, head: bytes, cycle: Cycle, scratch: memoryview, budget: Budget) -> None:
        self._client, self.cycle, self._scratch, self._budget = client, cycle, scratch, budget
        self._kept, self._whole = bytearray(head), budget.take(len(head))
        self._taken = len(head) if self._whole else 0
        request = cycle.request
        self._harmless = request is not None and may_replay(request.method, request.target)
        self._abandoned: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._client_gone = self._all_sent = self._dressed = False
        self.mistake = ""
        self.next = b""

    def close(self) -> None:
        """Keep nothing any more."""
        self._forget()

    def abandon(self) -> None:
        """The server is known to be lost: if it has not begun to answer, ask another one."""
        if not self._abandoned.done():
            self._abandoned.set_result(None)

    @property
    def askable(self) -> bool:
        """Whether another server can be asked: nothing was answered, all that came is kept, and it does no harm."""
        client = not self._client_gone and not self.mistake
        return client and self._harmless and self._whole and not self.cycle.answer_begun

    async def ask(self, upstream: Upstream) -> End:
        """Ask this server. `mistake` is then what is wrong with the request, empty if nothing."""
        self._abandoned = asyncio.get_running_loop().create_future()
        self.cycle, self._all_sent = Cycle(), False
        first = bytes(self._kept)
        self.cycle.from_client(first)
        self._dressed = upstream.dress is not None
        if upstream.dress is not None and self.cycle.request is not None:
            try:
                first = upstream.dress.put_on(first, self.cycle.request, pipelined=self.cycle.opaque)
            except NotHttpError as error:
                self.mistake = str(error)
                return End.CLOSED
        up = asyncio.ensure_future(self._requesting(upstream.sock, first))
        down = asyncio.ensure_future(self._answering(upstream.sock))
        try:
            await asyncio.wait((down, self._abandoned), return_when=asyncio.FIRST_COMPLETED)
            if not down.done() and not self.askable:
                await asyncio.wait((down,))
            end = down.result() if down.done() else End.LOST
            if end is End.DONE and not (self.cycle.request_done and self._all_sent):
                # It was answered before it had all come: what is still on its way belongs to this request.
                await asyncio.wait((up,), timeout=FORWARD_EARLY)
                return End.CLOSED
            return end
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _requesting(self, server: socket.socket, first: bytes) -> None:
        """The client's way. Goes on reading after the request: that the client has gone must stop the server."""
        pump = Pump(self._client, server, self._scratch)
        try:
            await pump.send(first)
            self._all_sent = True
            while await self._request_piece(pump):
                pass
        except NotHttpError as error:
            self.mistake = str(error)
        except OSError:
            pass
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    async def _request_piece(self, pump: Pump) -> bool:
        if self.cycle.request_left and not self._whole:
            self._client_gone = not await pump.body(self.cycle.request_left, self.cycle.skip_request)
            return not self._client_gone
        try:
            piece = await pump.receive()
        except OSError:
            piece = b""
        if self.cycle.over:
            # The answer is whole meanwhile: this belongs to the next exchange.
            self.next, self._client_gone = piece, not piece
            return False
        if not piece:
            self._client_gone = True
            return False
        self._all_sent = False
        self.cycle.from_client(piece)
        if self._dressed and self.cycle.opaque:
            raise NotHttpError("a second request came before the first was answered")
        self._keep(piece)
        await pump.send(piece)
        self._all_sent = True
        return True

    def _keep(self, piece: bytes) -> None:
        fits = not self.cycle.answer_begun and len(self._kept) < FORWARD_REPLAY_MAX
        if self._whole and fits and self._budget.take(len(piece)):
            self._taken += len(piece)
            self._kept += piece
        else:
            self._forget()

    def _forget(self) -> None:
        self._whole = False
        self._kept.clear()
        self._budget.give_back(self._taken)
        self._taken = 0

    async def _answering(self, server: socket.socket) -> End:
        """The server's way. Nothing is sent on before it is known to be an answer."""
        pump, held, passed = Pump(server, self._client, self._scratch), b"", False
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
            try:
                self.cycle.from_server(piece)
            except NotHttpError:
                return End.CLOSED if self.cycle.answer_begun else End.LOST
            if not self.cycle.answer_begun:
                held += piece
                continue
            if not passed and self._is_refused():
                return End.LOST
            passed = True
            if not await _moved(pump.send(held + piece)):
                return End.CLOSED
            held = b""
        return End.CLOSED if self.cycle.last else End.DONE

    def _is_refused(self) -> bool:
        """Whether a proxy has answered in the place of Ollama, and another server can be asked instead."""
        if not (self._dressed and self.cycle.status in PROXY_REFUSES):
            return False
        self.cycle.answer_begun = False  # nothing of it has reached the client
        self.cycle.answer_begun = not self.askable
        return not self.cycle.answer_begun


async def _moved(moving: Coroutine[object, object, object]) -> bool:
    """Whether it went through: `False` and an error of a socket are an end."""
    try:
        return await moving is not False
    except OSError:
        return False
