"""Tailscaled's local bus as a doorbell: any byte means "look again". What the bytes say is not read.

Not by httpx, which only a static https server makes us load: h11 reads the head and the frames just as well, and
nothing more is loaded into the daemon.
"""

import asyncio
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import h11

from ollama_locate.core.constants import (
    BUS_BREATH,
    BUS_CHUNK,
    BUS_HEAD_DEADLINE,
    BUS_RETRY,
    BUS_RETRY_MAX,
    BUS_STEADY,
    HEAD_MAX_BYTES,
    VERSION,
)

from .files import is_believed

_HOST: Final = "local-tailscaled.sock"
_MASKS: Final = (1 << 12 | 1 << 13 | 1 << 15, 0)
"""Changes of peers, no netmap, patches of peers (Tailscale: ipn/backend.go). An older tailscaled answers 400 to that:
without a mask it rings as well, at more length."""

_EVENTS_AT_MOST: Final = 256
"""Pieces read between two rests, however small they are: 10,000 of a byte each would take 0.1 s of CPU."""

_LINUX: Final = "/var/run/tailscale/tailscaled.sock"
_MACOS: Final = "/var/run/tailscaled.socket"


class _UnusableError(Exception):
    """Nobody who could ring is there."""


class Bus:
    """Listens until it is cancelled. `rings` is called for whatever comes, `told` when `connected` is another one."""

    def __init__(self, rings: Callable[[], None], told: Callable[[], None], path: str = "") -> None:
        self._rings, self._told = rings, told
        self._path = socket_path(path)
        self.connected = False
        self._told_of: bool | None = None

    async def run(self) -> None:
        """Connect, listen, and connect again with longer and longer waits. Never raises for what tailscaled does."""
        loop = asyncio.get_running_loop()
        wait = BUS_RETRY
        while True:
            began = loop.time()
            for mask in _MASKS:
                if await self._listen(mask):
                    break
            if loop.time() - began >= BUS_STEADY:
                wait = BUS_RETRY
            self._say(connected=False)
            await asyncio.sleep(wait)
            wait = min(2 * wait, BUS_RETRY_MAX)

    def _say(self, *, connected: bool) -> None:
        self.connected = connected
        if connected != self._told_of:
            self._told_of = connected
            self._told()

    async def _listen(self, mask: int) -> bool:
        """Listen until it ends; False: another mask may be understood."""
        writer = None
        try:
            async with asyncio.timeout(BUS_HEAD_DEADLINE):
                await asyncio.to_thread(check_owner, self._path)
                reader, writer = await asyncio.open_unix_connection(self._path, limit=BUS_CHUNK)
                http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_MAX_BYTES)
                writer.write(_request(http, mask))
                status = await _head(http, reader)
            if status != 200:  # noqa: PLR2004 - HTTP's OK
                return status != 400  # noqa: PLR2004 - HTTP's bad request: the mask
            self._say(connected=True)
            self._rings()
            await self._until_it_ends(http, reader)
        except (OSError, TimeoutError, h11.RemoteProtocolError, _UnusableError):
            pass
        finally:
            if writer is not None:
                writer.close()
        return True

    async def _until_it_ends(self, http: h11.Connection, reader: asyncio.StreamReader) -> None:
        """Ring once for all that came together, then rest: who sends without end waits, and rings no more often."""
        came = 0
        while True:
            event = http.next_event()
            if isinstance(event, h11.Data):
                came += 1
            elif event is not h11.NEED_DATA:
                return
            if event is h11.NEED_DATA or came >= _EVENTS_AT_MOST:
                if came:
                    self._rings()
                came = 0
                await asyncio.sleep(BUS_BREATH)
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(BUS_CHUNK))


def socket_path(configured: str = "") -> str:
    """Tailscaled's socket: what the config says, else where it is on this system."""
    return configured or (_MACOS if sys.platform == "darwin" else _LINUX)


def check_owner(path: str) -> None:
    """Raise OSError or _UnusableError unless this is a socket of root's or one's own: another's may say anything."""
    info = Path(path).stat()
    if not stat.S_ISSOCK(info.st_mode) or not is_believed(info):
        raise _UnusableError


def _request(http: h11.Connection, mask: int) -> bytes:
    headers = [("Host", _HOST), ("User-Agent", f"ollama-locate/{VERSION}")]
    target = f"/localapi/v0/watch-ipn-bus?mask={mask}"
    request = http.send(h11.Request(method="GET", target=target, headers=headers))
    return (request or b"") + (http.send(h11.EndOfMessage()) or b"")


async def _head(http: h11.Connection, reader: asyncio.StreamReader) -> int:
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(BUS_CHUNK))
        elif isinstance(event, h11.Response):
            return event.status_code
        elif not isinstance(event, h11.InformationalResponse):
            raise _UnusableError
