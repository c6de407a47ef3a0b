"""Bytes from one socket to another: nothing is kept but what the slow side has not taken yet."""

import asyncio
import contextlib
import fcntl
import os
import socket
import sys
from collections.abc import Callable
from typing import Final

from ollama_locate.core.bounds import FORWARD_CHUNK

_SPLICE: Final = sys.platform == "linux" and hasattr(os, "splice")
_WORTH_A_PIPE: Final = 16 * FORWARD_CHUNK
_PIPE: Final = 2**18
_CHUNKS_BETWEEN_BREATHS: Final = 16


class Pump:
    """One direction. `scratch` is one buffer for all pumps of the thread: it holds nothing beyond the next wait."""

    def __init__(self, source: socket.socket, sink: socket.socket, scratch: memoryview) -> None:
        self._source, self._sink, self._scratch = source, sink, scratch
        self._loop = asyncio.get_running_loop()
        self._pieces = 0

    async def receive(self, most: int = FORWARD_CHUNK) -> bytes:
        """What is there, after waiting for it; empty when the source has ended. Raises OSError."""
        self._pieces += 1
        if self._pieces % _CHUNKS_BETWEEN_BREATHS == 0:
            await asyncio.sleep(0)  # two quick sides would never let anybody else run
        view = self._scratch[: min(most, FORWARD_CHUNK)]
        while True:
            with contextlib.suppress(BlockingIOError, InterruptedError):
                return bytes(view[: self._source.recv_into(view)])
            await _ready(self._loop.add_reader, self._loop.remove_reader, self._source)

    async def send(self, piece: bytes) -> None:
        """Send it on. Raises OSError."""
        await self._loop.sock_sendall(self._sink, piece)

    async def body(self, left: int, skipped: Callable[[int], None]) -> bool:
        """Move `left` bytes of a body, telling how many have passed; False when the source ended before."""
        pipe = None
        if _SPLICE and left >= _WORTH_A_PIPE:
            with contextlib.suppress(OSError):  # out of descriptors: by hand, then
                pipe = _Pipe()
        try:
            chunks = 0
            while left:
                count = await (self._through(pipe, left) if pipe else self._some(left))
                if not count:
                    return False
                left -= count
                skipped(count)
                chunks += 1
                if chunks % _CHUNKS_BETWEEN_BREATHS == 0:
                    await asyncio.sleep(0)  # two quick sides would never let anybody else run
            return True
        finally:
            if pipe:
                pipe.close()

    async def _some(self, left: int) -> int:
        piece = await self.receive(left)
        await self.send(piece)
        return len(piece)

    async def _through(self, pipe: "_Pipe", left: int) -> int:
        """By splice(2): from socket to socket through a pipe, without a copy into this program."""
        while True:
            with contextlib.suppress(BlockingIOError, InterruptedError):
                count = os.splice(self._source.fileno(), pipe.into, min(left, _PIPE))
                break
            await _ready(self._loop.add_reader, self._loop.remove_reader, self._source)
        waits = count
        while waits:
            try:
                waits -= os.splice(pipe.out, self._sink.fileno(), waits)
            except (BlockingIOError, InterruptedError):
                await _ready(self._loop.add_writer, self._loop.remove_writer, self._sink)
        return count


class _Pipe:
    """A pipe of a quarter of a mebibyte, or of what the kernel still grants."""

    def __init__(self) -> None:
        self.out, self.into = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.into, fcntl.F_SETPIPE_SZ, _PIPE)

    def close(self) -> None:
        os.close(self.out)
        os.close(self.into)


async def _ready(add: Callable[..., None], remove: Callable[[socket.socket], bool], sock: socket.socket) -> None:
    """Wait until a socket can be read, or written."""
    waiter = asyncio.get_running_loop().create_future()

    def wake() -> None:
        if not waiter.done():
            waiter.set_result(None)

    add(sock, wake)
    try:
        await waiter
    finally:
        remove(sock)
