"""HTTP/1.1 on a socket of our own, read by h11: bounded, no redirects, no proxy."""

import asyncio
import itertools
import socket
from typing import NamedTuple

import h11

from ollama_locate.core.constants import HEAD_MAX_BYTES, VERSION

_CHUNK = 2**16
_HINTS_MAX = 8
_EVENTS_BETWEEN_BREATHS = 256


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    body: bytes


class TooLargeError(Exception):
    """The body is larger than the caller takes."""


class Talk:
    """A connection that carries one request after another.

    `first` holds the first bytes that came, `date` the last answer's `Date` header, empty where it has none.
    """

    def __init__(self, sock: socket.socket, host: str) -> None:
        self._sock, self._host = sock, host
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_MAX_BYTES)
        self.first = b""
        self.date = ""

    @property
    def reusable(self) -> bool:
        """Whether the server lets another request follow."""
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def get(self, target: str, limit: int) -> Answer:
        """GET a path; see `ask`."""
        return await self.ask(target, limit)

    async def ask(self, target: str, limit: int, body: bytes | None = None) -> Answer:
        """GET a path, or POST a JSON body to it; an answer of at most `limit` bytes.

        Raises OSError, h11.ProtocolError or TooLargeError; the caller sets the time.
        """
        loop = asyncio.get_running_loop()
        if self.reusable:
            self._http.start_next_cycle()
        headers = [
            ("Host", self._host),
            ("User-Agent", f"ollama-locate/{VERSION}"),
            ("Accept", "application/json"),
        ]
        if body is not None:
            headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        events = [
            h11.Request(method="GET" if body is None else "POST", target=target, headers=headers),
            *([] if body is None else [h11.Data(body)]),
            h11.EndOfMessage(),
        ]
        await loop.sock_sendall(self._sock, b"".join(self._http.send(event) or b"" for event in events))
        return await self._answer(limit)

    async def _answer(self, limit: int) -> Answer:
        loop = asyncio.get_running_loop()
        status, body, received, hints = 0, bytearray(), 0, 0
        for count in itertools.count():
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                data = await loop.sock_recv(self._sock, _CHUNK)
                received += len(data)
                self.first = self.first or data[:16]
                self._http.receive_data(data)
            elif isinstance(event, h11.Response):
                status = event.status_code
                self.date = dict(event.headers).get(b"date", b"").decode("latin-1")
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return Answer(status, bytes(body))
            elif isinstance(event, h11.InformationalResponse):
                hints += 1
            else:
                raise h11.RemoteProtocolError("the connection ended within the answer")
            if len(body) > limit or received > limit + HEAD_MAX_BYTES + len(body) or hints > _HINTS_MAX:
                raise TooLargeError
            if event is h11.NEED_DATA or count % _EVENTS_BETWEEN_BREATHS == 0:
                # A socket that always has data never lets the loop run: no time limit, no signal, nobody else.
                await asyncio.sleep(0)
        raise TooLargeError
