"""One request and its answer, followed as they pass by: h11 reads along, and not a byte is changed."""

from collections.abc import Iterable
from typing import Final

import h11

from ollama_locate.core.bounds import FORWARD_HEAD_MAX

_BODILESS: Final = frozenset({204, 304})


class NotHttpError(Exception):
    """What the client or the server says is not HTTP/1.1; the text says what is wrong."""


class Cycle:
    """Fed both ways. `opaque`: it became a tunnel (an upgrade, pipelined requests), and ends with its connection.

    `last`: one of the two has said that the connection ends with this answer, whose status is `status`.
    A body of a known length is counted, not read: `request_left` and `answer_left` bytes of it are still to come.
    """

    def __init__(self) -> None:
        self.request: h11.Request | None = None
        self.request_done = self.answer_begun = self.answer_done = self.opaque = self.last = False
        self.request_left = self.answer_left = self.status = 0
        self._client = h11.Connection(h11.SERVER, max_incomplete_event_size=FORWARD_HEAD_MAX)
        self._server = h11.Connection(h11.CLIENT, max_incomplete_event_size=FORWARD_HEAD_MAX)

    @property
    def over(self) -> bool:
        """Whether the request and its answer are whole, so that the next request may go to another server."""
        return self.request_done and self.answer_done and not self.opaque

    def from_client(self, data: bytes) -> None:
        """Bytes of the request. Raises NotHttpError."""
        if self.opaque:
            return
        if self.request_left:
            self.skip_request(len(data))
            return
        if self.request_done:
            self.opaque = True  # the next request, before this one was answered
            return
        try:
            self._client.receive_data(data)
            self._read_request()
        except h11.RemoteProtocolError as error:
            raise NotHttpError(str(error)) from None

    def from_server(self, data: bytes) -> None:
        """Bytes of the answer; empty when the connection has ended. Raises NotHttpError.

        It has begun once a whole head has come, an informational one included.
        """
        if self.opaque:
            self.answer_begun = self.answer_begun or bool(data)
            return
        if self.answer_left:
            self.skip_answer(len(data))
            return
        try:
            self._server.receive_data(data)
            self._read_answer()
        except h11.RemoteProtocolError as error:
            raise NotHttpError(str(error)) from None

    def skip_request(self, count: int) -> None:
        """So many bytes of a counted body have passed."""
        self.request_left -= count
        self.request_done = self.request_left <= 0
        self.opaque = self.opaque or self.request_left < 0

    def skip_answer(self, count: int) -> None:
        """The same of the answer's."""
        self.answer_left -= count
        self.answer_done = self.answer_left <= 0
        self.opaque = self.opaque or self.answer_left < 0

    def _read_request(self) -> None:
        while True:
            event = self._client.next_event()
            if isinstance(event, h11.Request):
                self.request = event
                self.last = _ends(event.http_version, event.headers)
                self.opaque = event.method == b"CONNECT" or bool(header(event, b"upgrade"))
                # For the reader of the answer only the method counts: HEAD's has no body.
                self._server.send(h11.Request(method=event.method, target=b"/", headers=[(b"host", b"-")]))
                self._server.send(h11.EndOfMessage())
                length = _length(event.headers)
                if length:
                    self.request_left = length
                    self.skip_request(len(self._client.trailing_data[0]))
                    return
            elif isinstance(event, h11.EndOfMessage):
                self.request_done = True
                self.opaque = self.opaque or bool(self._client.trailing_data[0])
                return
            elif event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return

    def _read_answer(self) -> None:
        while True:
            event = self._server.next_event()
            self.answer_begun = self.answer_begun or isinstance(event, h11.InformationalResponse | h11.Response)
            if isinstance(event, h11.Response):
                self.status = event.status_code
                self.last = self.last or _ends(event.http_version, event.headers)
                length = _length(event.headers)
                if length and self._has_body(event.status_code):
                    self.answer_left = length
                    self.skip_answer(len(self._server.trailing_data[0]))
                    return
            elif isinstance(event, h11.EndOfMessage):
                self.answer_done = True
                return
            elif event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return

    def _has_body(self, status: int) -> bool:
        asked = self.request.method if self.request is not None else b""
        return asked != b"HEAD" and status not in _BODILESS


def _length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """The length of a body, None where it is sent in chunks or until the end; h11 has checked both headers."""
    found = None
    for name, value in headers:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            found = int(value)
    return found


def _ends(version: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the connection ends with this message (RFC 9112, section 9.3)."""
    said = b",".join(value.lower() for name, value in headers if name == b"connection")
    return b"close" in said or version < b"1.1"


def header(request: h11.Request, wanted: bytes) -> str:
    """The first header of this (lower-case) name, empty where there is none."""
    return next((value.decode("latin-1") for name, value in request.headers if name == wanted), "")
