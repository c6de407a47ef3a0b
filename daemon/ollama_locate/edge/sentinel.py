"""The sentinel's connection: idle, with keep-alives by the kernel. Its end is the first sign that a server died."""

import asyncio
import contextlib
import socket
import struct
import sys
from typing import Final, Protocol

from ollama_locate.core.constants import SENTINEL_COUNT, SENTINEL_INTERVAL, SENTINEL_USER_TIMEOUT, TIMEOUT
from ollama_locate.core.sentinel import Watch

from .connect import connect
from .dial import Wire

# struct tcp_info: tcpi_last_ack_recv, in milliseconds, is at byte 56 (linux/tcp.h).
_TCP_INFO_LAST_ACK: Final = struct.Struct("56xI")
_MAC_KEEPALIVE: Final = 0x10
"""TCP_KEEPALIVE of macOS, which Python names since 3.12 only."""


class Warden(Protocol):
    """Who is told what becomes of the connection, by the server's key."""

    def watching(self, key: str) -> None:
        """It stands."""

    def unwatchable(self, key: str) -> None:
        """It could not be had."""

    def lost(self, key: str, alive_at: float) -> None:
        """It stood, and has ended; `alive_at` (monotonic) is when the server's kernel last answered, 0 if unknown."""


class Sentinel:
    """Holds one connection, to whom `watch` names; the same again changes nothing."""

    def __init__(self, warden: Warden, wire: Wire) -> None:
        self._warden, self._wire = warden, wire
        self._loop = asyncio.get_running_loop()
        self._watched: Watch | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._sock: socket.socket | None = None

    def watch(self, wanted: Watch | None) -> None:
        """Hold a connection to this server, and to no other."""
        if wanted == self._watched:
            return
        self.stop()
        if wanted is not None:
            self._watched = wanted
            self._dialling = self._loop.create_task(self._dial(wanted))

    def stop(self) -> None:
        """Let go; nobody is told."""
        self._watched = None
        if self._dialling is not None:
            self._dialling.cancel()
            self._dialling = None
        if self._sock is not None:
            self._loop.remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None

    async def _dial(self, wanted: Watch) -> None:
        sock = await connect(self._wire.via(wanted.socks5), wanted.host, wanted.port, TIMEOUT)
        if sock is None:
            self._give_up(wanted.key)
            return
        self._hold(sock, wanted)

    def _hold(self, sock: socket.socket, wanted: Watch) -> None:
        try:
            keep_alive(sock, wanted.idle)
        except OSError:  # it has ended already
            sock.close()
            self._give_up(wanted.key)
            return
        self._sock = sock
        self._loop.add_reader(sock.fileno(), self._readable)
        self._warden.watching(wanted.key)

    def _give_up(self, key: str) -> None:
        """Nobody is watched now: the same may be asked for again."""
        self._watched = None
        self._warden.unwatchable(key)

    def _readable(self) -> None:
        """Nothing was asked, so that whatever comes is the end: FIN, RST, a time-out, or bytes of a stranger."""
        if self._sock is None or self._watched is None:
            return
        # What a proxy ends says nothing of the server's own kernel.
        key, alive_at = self._watched.key, 0.0 if self._watched.socks5 else self._loop.time()
        try:
            self._sock.recv(1)
        except (BlockingIOError, InterruptedError):
            return
        except ConnectionResetError:
            pass  # its kernel lives, and says that the process does not
        except OSError:
            alive_at = 0.0 if self._watched.socks5 else self._last_ack()
        self.stop()
        self._warden.lost(key, alive_at)

    def _last_ack(self) -> float:
        """When the other kernel last answered a keep-alive; where this one does not say, the beginning of time."""
        if sys.platform != "linux" or self._sock is None:
            return 0.0
        try:
            info = self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_LAST_ACK.size)
            (ago,) = _TCP_INFO_LAST_ACK.unpack(info)
        except (OSError, struct.error):  # a kernel that only looks like Linux
            return 0.0
        return self._loop.time() - float(ago) / 1000


def keep_alive(sock: socket.socket, idle: float) -> None:
    """Let the kernel ask after `idle` seconds of silence, and end the connection when nobody answers."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    tcp = socket.IPPROTO_TCP
    if sys.platform == "darwin":
        sock.setsockopt(tcp, getattr(socket, "TCP_KEEPALIVE", _MAC_KEEPALIVE), round(idle))
        sock.setsockopt(tcp, socket.TCP_KEEPCNT, SENTINEL_COUNT)
    else:
        sock.setsockopt(tcp, socket.TCP_KEEPIDLE, round(idle))
        with contextlib.suppress(AttributeError):  # other kernels count only
            sock.setsockopt(tcp, socket.TCP_USER_TIMEOUT, round(SENTINEL_USER_TIMEOUT * 1000))
    sock.setsockopt(tcp, socket.TCP_KEEPINTVL, round(SENTINEL_INTERVAL))
