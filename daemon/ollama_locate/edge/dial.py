"""TCP connects, by the thousand at once, and their round trips.

Callbacks, not tasks: a silent peer costs two sockets and one timer at a time, and holds no slot.
"""

import asyncio
import errno
import os
import socket
import struct
import sys
from collections.abc import Callable
from typing import Final, NamedTuple

from ollama_locate.core.constants import SYN_HEDGE, SYN_PROVISIONAL
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.socks5 import Proxy

# struct tcp_info: 8 bytes of flags, then 32-bit fields; tcpi_rtt is at byte 68 (linux/tcp.h).
_TCP_INFO_RTT: Final = struct.Struct("68xI")
_SILENT: Final = frozenset({errno.ETIMEDOUT, errno.EHOSTDOWN})
SAYS_NO: Final = {
    errno.ECONNREFUSED: (Outcome.REFUSED, ""),
    # It stood, and was reset before anybody looked: the process was killed, or what accepts for it found it dead.
    errno.ECONNRESET: (Outcome.EMPTY, "it closed the connection"),
}


Connected = Callable[[socket.socket | None, int, float], None]
"""Told once: a socket and its round trip in seconds, or None and an errno."""


class Attempt:
    """One connect under way."""

    def __init__(self, loop: asyncio.AbstractEventLoop, host: str, port: int, done: Connected) -> None:
        self._loop, self._done = loop, done
        self._sock: socket.socket | None = None
        self._cancelled = False
        self._sent = loop.time()
        try:
            self._sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
            self._sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
            code = self._sock.connect_ex((host, port))
        except OSError as error:
            code = error.errno or errno.EIO
        if code in (0, errno.EINPROGRESS) and self._sock is not None:
            try:
                loop.add_writer(self._sock.fileno(), self._ready)
            except OSError as error:
                loop.call_soon(self._finish, error.errno or errno.EIO)
        else:
            loop.call_soon(self._finish, code)

    def cancel(self) -> None:
        """Forget it; nobody is told."""
        self._cancelled = True
        if self._sock is not None:
            self._loop.remove_writer(self._sock.fileno())
            self._sock.close()
        self._sock = None

    def _ready(self) -> None:
        if self._sock is not None:
            self._loop.remove_writer(self._sock.fileno())
            self._finish(self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def _finish(self, code: int) -> None:
        if self._cancelled:
            return
        sock, self._sock = self._sock, None
        if code and sock is not None:
            sock.close()
            sock = None
        self._done(sock, code, 0.0 if sock is None else round_trip(sock, self._loop.time() - self._sent))


def round_trip(sock: socket.socket, wall: float) -> float:
    """Seconds from SYN to SYN-ACK: the kernel's own figure where there is one, else the wall clock's.

    The wall clock includes the wait until this loop looked at the socket: 0.8 ms at a thousand peers
    (benchmarks/RESULTS.md), the kernel's does not. It is never longer than the wall clock's.
    """
    if sys.platform != "linux":
        return wall
    try:
        (micros,) = _TCP_INFO_RTT.unpack(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_RTT.size))
    except (OSError, struct.error):  # a kernel that only looks like Linux
        return wall
    return min(wall, micros / 1e6) if micros else wall


class Wire:
    """Where connects leave this program; the demo and the simulation put another one here."""

    def attempt(self, host: str, port: int, done: Connected) -> Attempt:
        """Begin a connect to an IP address."""
        return Attempt(asyncio.get_running_loop(), host, port, done)

    def via(self, proxy: Proxy | None) -> "Wire":
        """The wire through this proxy; None: this one."""
        if proxy is None:
            return self
        from .socks import Through  # noqa: PLC0415 - it is a wire itself; and few have a proxy

        return Through(self, proxy)

    def says(self, error: int) -> str:
        """The words for a failure that a connect was told."""
        return os.strerror(error)

    async def burst(self, host: str, port: int, count: int, patience: float) -> list[float]:
        """The round trips of `count` connects at once, in seconds.

        It ends when all have come, or when three times as much time has passed as the first one took: a
        lost SYN would be sent again after a second only.
        """
        loop = asyncio.get_running_loop()
        started, samples, ended = loop.time(), list[float](), loop.create_future()
        left = count

        def end() -> None:
            if not ended.done():
                ended.set_result(None)

        def done(sock: socket.socket | None, _error: int, rtt: float) -> None:
            nonlocal left
            left -= 1
            if sock is not None:
                sock.close()
                if not samples:
                    loop.call_later(2 * (loop.time() - started) + 0.001, end)
                samples.append(rtt)
            if left == 0:
                end()

        attempts = [self.attempt(host, port, done) for _ in range(count)]
        timer = loop.call_later(patience, end)
        try:
            await ended
        finally:
            timer.cancel()
            for attempt in attempts:
                attempt.cancel()
        return samples


class Waits(NamedTuple):
    """Seconds until a dial is given up, and until its second SYN."""

    patience: float
    hedge: float = SYN_HEDGE


class Dial:
    """A connect to one peer, with a second SYN by a second socket, since the first is lost on an idle tunnel."""

    def __init__(
        self,
        wire: Wire,
        address: tuple[str, int],
        waits: Waits,
        opened: Callable[[socket.socket], None],
        failed: Callable[[Outcome, str], None],
        quiet: Callable[[], None],
    ) -> None:
        self._wire, self._address = wire, address
        self._opened, self._failed = opened, failed
        loop = asyncio.get_running_loop()
        self._loop, self._sent = loop, loop.time()
        self._heard = 0
        self._attempts = [wire.attempt(*address, self._done)]
        steps = [(waits.hedge, self._hedge), (SYN_PROVISIONAL, quiet), (waits.patience, self._give_up)]
        self._steps = iter(sorted(steps, key=lambda step: step[0]))
        self._timer = self._next_timer()

    def cancel(self) -> None:
        """Forget it; nobody is told."""
        self._timer.cancel()
        for attempt in self._attempts:
            attempt.cancel()

    def _next_timer(self) -> asyncio.TimerHandle:
        """One timer at a time: most dials end before the first."""
        after, step = next(self._steps)
        return self._loop.call_at(self._sent + after, self._step, step)

    def _step(self, step: Callable[[], None]) -> None:
        if step != self._give_up:
            self._timer = self._next_timer()
        step()

    def _hedge(self) -> None:
        self._attempts.append(self._wire.attempt(*self._address, self._done))

    def _done(self, sock: socket.socket | None, error: int, rtt: float) -> None:  # noqa: ARG002 - first contact is no sample
        self._heard += 1
        if sock is None and error not in SAYS_NO and self._heard < len(self._attempts):
            return  # the other socket is still out
        self.cancel()
        if sock is not None:
            self._opened(sock)
        elif error in SAYS_NO:
            self._failed(*SAYS_NO[error])
        else:
            outcome = Outcome.SILENT if error in _SILENT else Outcome.ERROR
            self._failed(outcome, self._wire.says(error))

    def _give_up(self) -> None:
        self.cancel()
        self._failed(Outcome.SILENT, "")
