"""Connects through a SOCKS5 proxy on this machine: tailscaled's, where it has no network interface."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable

from ollama_locate.core import socks5
from ollama_locate.core.socks5 import Proxy

from .dial import Attempt, Connected, Wire


class Through(Wire):
    """A wire of which each connect goes through the proxy; `wire` leads to the proxy."""

    def __init__(self, wire: Wire, proxy: Proxy) -> None:
        self._wire, self._proxy = wire, proxy

    def attempt(self, host: str, port: int, done: Connected) -> Attempt:
        """Begin a connect to an IP address."""
        return _Attempt(self._wire, self._proxy, socks5.request(host, port), done)

    def says(self, error: int) -> str:
        """The words for a failure."""
        return socks5.says(error) or os.strerror(error)


class _Attempt(Attempt):
    """One connect under way. No more is read than the proxy's own words: what follows is the server's.

    The round trip is the time from the request to the reply, by this loop's clock: it has the proxy's own work in it,
    and not the way to the proxy.
    """

    def __init__(self, wire: Wire, proxy: Proxy, request: bytes, done: Connected) -> None:
        self._loop, self._request, self._done = asyncio.get_running_loop(), request, done
        self._sock: socket.socket | None = None
        self._read, self._wanted = b"", 0
        self._then: Callable[[bytes], None] = self._greeted
        self._asked = self._took = 0.0
        self._door = wire.attempt(*proxy, self._at_the_door)

    def cancel(self) -> None:
        """Forget it; nobody is told."""
        self._door.cancel()
        if self._sock is not None:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _at_the_door(self, sock: socket.socket | None, _error: int, _rtt: float) -> None:
        if sock is None:
            self._done(None, socks5.AWAY, 0.0)
            return
        self._sock = sock
        try:
            self._loop.add_reader(sock.fileno(), self._readable)
        except OSError as error:
            self._end(error.errno or errno.EIO)
            return
        self._say(socks5.GREETING, socks5.METHOD_BYTES, self._greeted)

    def _say(self, data: bytes, wanted: int, then: Callable[[bytes], None]) -> None:
        """Send so few bytes that they go at once, and wait for so many."""
        self._expect(wanted, then)
        try:
            if self._sock is None or self._sock.send(data) != len(data):
                self._end(socks5.ENDED)
        except OSError:
            self._end(socks5.ENDED)

    def _expect(self, wanted: int, then: Callable[[bytes], None]) -> None:
        self._read, self._wanted, self._then = b"", wanted, then

    def _readable(self) -> None:
        if self._sock is None:
            return
        try:
            data = self._sock.recv(self._wanted - len(self._read))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._end(socks5.ENDED)
            return
        self._read += data
        if len(self._read) == self._wanted:
            self._then(self._read)

    def _greeted(self, method: bytes) -> None:
        if not socks5.accepts(method):
            self._end(socks5.STRANGER)
            return
        self._asked = self._loop.time()
        self._say(self._request, socks5.HEAD_BYTES, self._replied)

    def _replied(self, head: bytes) -> None:
        self._took = self._loop.time() - self._asked
        if code := socks5.judge(head):
            self._end(code)
        elif (left := socks5.left_over(head)) is None:
            self._end(socks5.STRANGER)
        else:
            self._expect(left, lambda _: self._end(0))

    def _end(self, code: int) -> None:
        sock, self._sock = self._sock, None
        if sock is None:
            return
        self._loop.remove_reader(sock.fileno())
        if code:
            sock.close()
            self._done(None, code, 0.0)
        else:
            self._done(sock, 0, self._took)
