"""An embedded tailnet: connects to tailnet addresses end at servers on loopback, with a distance of their own.

Loopback has no distances, and macOS has one loopback address only; so the wire adds both. An address that is
not in the table is silent: nothing ever leaves this machine.
"""

import asyncio
import errno
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ollama_locate.edge.dial import Attempt, Connected, Wire


class Far(NamedTuple):
    """A machine: the loopback port its Ollama really has (None: it refuses), the round trip, if it is silent."""

    port: int | None
    rtt: float = 0.0
    silent: bool = False


class EmbeddedAttempt(Attempt):
    """A connect that takes as long as the machine is far away."""

    def __init__(self, far: Far, done: Connected) -> None:
        self._loop = asyncio.get_running_loop()
        self._far, self._told = far, done
        self._near: Attempt | None = None
        self._sent = self._loop.time()
        self._departure = None if far.silent else self._loop.call_later(far.rtt, self._arrive)

    def cancel(self) -> None:
        if self._departure is not None:
            self._departure.cancel()
        if self._near is not None:
            self._near.cancel()

    def _arrive(self) -> None:
        if self._far.port is None:
            self._told(None, errno.ECONNREFUSED, 0.0)
        else:
            self._near = Attempt(self._loop, "127.0.0.1", self._far.port, self._connected)

    def _connected(self, sock: socket.socket | None, error: int, rtt: float) -> None:
        self._told(sock, error, self._far.rtt + rtt if sock is not None else 0.0)


class EmbeddedWire(Wire):
    """Connects by a table: address -> machine. A path of a JSON file may be given: it is read at each connect.

    An entry `address:port` comes first: a program of this machine, such as a proxy.
    """

    def __init__(self, table: Mapping[str, Far] | Path) -> None:
        self._table = table

    def attempt(self, host: str, port: int, done: Connected) -> Attempt:
        table = load(self._table) if isinstance(self._table, Path) else self._table
        return EmbeddedAttempt(table.get(f"{host}:{port}") or table.get(host, Far(None, silent=True)), done)


def save(path: Path, table: Mapping[str, Far]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(table))
    fresh.rename(path)


def load(path: Path) -> dict[str, Far]:
    return {address: Far(*far) for address, far in json.loads(path.read_text()).items()}
