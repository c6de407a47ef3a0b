"""A machine with a tailnet: a tailscale that prints and pings, servers on loopback, and the wire between them."""

import asyncio
import contextlib
import socket
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ollama_locate.checks.case import Case
from ollama_locate.core.finding import Finding, shown
from tests.standins import tailscale
from tests.standins.ollama import Behaviour, serving
from tests.standins.wire import EmbeddedWire, Far

Run = Callable[[Case], list[Finding]]

PING = """\
case "$1" in
status) cat '{status}' ;;
ping) for last; do :; done
  cat "{pongs}/$last" 2>/dev/null || exec echo "ping \\"$last\\" timed out"
  case "$(cat "{pongs}/$last")" in *DERP*) sleep 1 ;; esac ;;
esac"""


class Machine:
    """What the checks look at. Servers run in a thread of their own; an address without one is silent."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.environment = folder, dict[str, str]()
        self.pongs = folder / "pongs"
        self.pongs.mkdir()
        # A path of its own: a socket's has 104 bytes at the most on macOS.
        self._sockets = tempfile.TemporaryDirectory(dir="/tmp")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(f"{self._sockets.name}/sock")
        self.socket.listen()
        self.config = {"tailscale": f'"{folder / "tailscale"}"', "tailscale_socket": f'"{self._sockets.name}/sock"'}
        self._table: dict[str, Far] = {}
        self._status = folder / "status.json"
        tailscale.executable(folder / "tailscale", PING.format(status=self._status, pongs=self.pongs))
        self.tailnet()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._servers = contextlib.AsyncExitStack()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._servers.aclose(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.socket.close()
        self._sockets.cleanup()

    def tailnet(self, *peers: dict[str, Any], **more: Any) -> None:
        self._status.write_bytes(tailscale.raw(*peers, **more))

    def says(self, body: str) -> None:
        """Another tailscale command."""
        tailscale.executable(self.folder / "tailscale", body)

    def pong(self, address: str, text: str) -> None:
        (self.pongs / address).write_text(text)

    def serve(self, behaviour: Behaviour) -> int:
        """A server on loopback; its port."""
        opened = self._servers.enter_async_context(serving(behaviour))
        return asyncio.run_coroutine_threadsafe(opened, self._loop).result(5)

    def far(self, address: str, behaviour: Behaviour | None, rtt: float = 0.0) -> None:
        """Who answers at a tailnet address; None refuses."""
        self._table[address] = Far(None if behaviour is None else self.serve(behaviour), rtt)

    def at(self, address: str, port: int) -> None:
        """A program of this machine, at this port of loopback."""
        self._table[address] = Far(port)

    def case(self) -> Case:
        home = Path.home()
        path = home / ".config/ollama-locate/config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{key} = {value}\n" for key, value in self.config.items()))
        # This machine has no Ollama unless a test says so: what listens on the real port here is none of its business.
        self._table.setdefault("127.0.0.1", Far(None))
        self._table.setdefault("100.64.0.1", Far(None))
        return Case(self.environment, EmbeddedWire(self._table))

    def codes(self, run: Run) -> list[str]:
        return [one.code for one in shown(run(self.case()))[0]]

    def the(self, run: Run, code: str) -> Finding:
        (finding,) = (one for one in run(self.case()) if one.code == code)
        return finding


@contextlib.contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    made = Machine(folder)
    try:
        yield made
    finally:
        made.close()


def program(path: Path, body: str) -> Path:
    """An executable script; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
