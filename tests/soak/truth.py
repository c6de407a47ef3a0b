"""The tailnet of a soak as it really is: who is whose, who answers, and what may therefore be published."""

import asyncio
import contextlib
import socket
import struct
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from tests.standins import ollama, tailscale

PORT = 11434
_FREEBIND = 15
"""Linux's IP_FREEBIND: one that is silent, whose address is away, may be started all the same."""

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Answers(Enum):
    """Whether a server answers. MAYBE: so slowly, or so oddly, that both views of it are right."""

    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


GOOD = ollama.like_ollama("mistral:latest", "qwen3:32b")


async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Right, a second late."""
    await asyncio.sleep(1.0)
    await GOOD(reader, writer)


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts, and ends with an RST."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


BEHAVIOURS: dict[str, tuple[Behaviour, Answers]] = {
    "good": (GOOD, Answers.YES),
    "slow": (slow, Answers.MAYBE),
    "hangs": (ollama.says_nothing, Answers.NO),
    "resets": (reset, Answers.NO),
    "hangs up": (ollama.closes_at_once, Answers.NO),
    "garbage": (ollama.answers(b"\x00\xff\x1b[2J" * 50), Answers.NO),
    "redirects": (ollama.answers(ollama.http("302 Found", b"", more="Location: http://192.0.2.1/\r\n")), Answers.NO),
    "500": (ollama.answers(ollama.http("500 Internal Server Error", b"{}")), Answers.NO),
    "drips": (ollama.drips, Answers.MAYBE),
    "floods": (ollama.floods, Answers.NO),
    "no list": (ollama.like_ollama(tags_body=b'{"models":"\x1b]0;x\x07"}'), Answers.YES),
}


@dataclass
class Machine:
    """One machine with an Ollama, at an address of this namespace's `lo` while it is not silent."""

    name: str
    number: int
    behaviour: str = "good"
    runs: bool = True
    silent: bool = False
    mine: bool = True
    listed: bool = True
    address: str = ""
    server: asyncio.Server | None = None
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.address = self.address or f"100.64.0.{self.number}"

    @property
    def url(self) -> str:
        return f"http://{'localhost' if self.address == '127.0.0.1' else self.address}:{PORT}"

    @property
    def answers(self) -> Answers:
        return Answers.NO if self.silent or not self.runs else BEHAVIOURS[self.behaviour][1]

    async def start(self) -> None:
        self.runs = True
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_IP, _FREEBIND, 1)
        sock.bind((self.address, PORT))
        self.server = await asyncio.start_server(self._client, sock=sock)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        with contextlib.suppress(ConnectionError, OSError):
            await BEHAVIOURS[self.behaviour][0](reader, writer)
        self.writers.discard(writer)
        writer.close()

    def kill(self) -> None:
        self.runs = False
        if self.server is not None:
            self.server.close()
        self.cut()

    def cut(self) -> None:
        for writer in list(self.writers):
            writer.transport.abort()

    def node(self) -> dict[str, Any]:
        more = {"TailscaleIPs": [self.address], "Online": not self.silent, "UserID": tailscale.ME if self.mine else 2}
        return tailscale.node(self.name, self.number, **more)


class Tailnet:
    """All machines; `away` and `lies` are what the tailscale command says instead of them."""

    def __init__(self, folder: Path) -> None:
        self.peers = [Machine(name, number) for number, name in enumerate(("gpu-box", "workstation", "nas", "pi"), 2)]
        self.bob = Machine("bobs-desktop", 9, mine=False)
        self.den = Machine("den", 0, address="192.168.7.7")
        self.here = Machine("local", 0, address="127.0.0.1")
        self.denied: set[str] = set()
        self.away = self.lies = False
        self.command = folder / "tailscale"
        self.bus = Bus(folder / "bus.sock")
        self._asked = folder / "asked"
        self._known: dict[str, str] = {}
        self._told: dict[str, str] | None = None
        self._told_at = 0.0

    @property
    def machines(self) -> list[Machine]:
        return [*self.peers, self.bob, self.den, self.here]

    async def start(self) -> None:
        for words in _ROADS:
            ip(*words)
        for machine in self.machines:
            if machine is not self.here:
                ip("addr", "add", f"{machine.address}/32", "dev", "lo")
            await machine.start()
        self.here.kill()
        await self.bus.start()
        self.says()

    async def stop(self) -> None:
        for machine in self.machines:
            machine.kill()
        self.bus.cut()
        await asyncio.sleep(0.1)  # for their tasks to see it: the loop ends next

    def show(self) -> None:
        """Let the command say what is so now, and the bus ring."""
        self._learn()
        state = {"BackendState": "Stopped"} if self.away else {}
        listed = [one.node() for one in (*self.peers, self.bob) if one.listed]
        tailscale.show(self.command, listed, **state)
        told = {one.url: one.name for one in self.peers if one.mine and one.listed}
        self._told = None if self.away or self.lies else told
        self._told_at = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.bus.ring()

    def says(self, script: str | None = None) -> None:
        """Replace the command, at once; None: the one that tells the truth, and notes when it was asked."""
        self._learn()
        self.lies = script is not None
        truth = f"read since _ < /proc/uptime\necho $since > '{self._asked}'\nexec cat '{self.command}.json'"
        tailscale.executable(self.command.with_suffix(".sh"), script or truth).rename(self.command)
        self.show()

    def _learn(self) -> None:
        """What the daemon knows: what it was told when it asked last, and not what has changed since."""
        asked = self._asked.read_text().strip() if self._asked.exists() else ""
        if self._told is not None and asked and float(asked) > self._told_at:
            self._known = self._told

    def trusted(self) -> list[Machine]:
        """Who may be published now."""
        peers = [] if self.away else [one for one in self.peers if one.mine and one.listed]
        return [one for one in (*peers, self.den, self.here) if one.name not in self.denied]

    def last_known(self) -> set[str]:
        """The URLs that may stand as the last good one: what Tailscale said when it was asked, less who is denied."""
        self._learn()
        own = {one.url: one.name for one in (self.den, self.here)}
        return {url for url, name in (self._known | own).items() if name not in self.denied}


_ROADS = (
    ("link", "set", "lo", "up"),
    # What no address of `lo` is goes to a device behind which nobody reads: it is silent.
    ("tuntap", "add", "dev", "nobody", "mode", "tun"),
    ("link", "set", "nobody", "up"),
    ("addr", "add", "100.64.0.1/32", "dev", "lo"),
    ("route", "add", "100.64.0.0/16", "dev", "nobody", "src", "100.64.0.1"),
)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)


class Bus:
    """Tailscaled's socket: whoever listens hears `ring`; it can be cut, flooded and closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.open = True
        self._listeners: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        await asyncio.start_unix_server(self._client, self.path)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            if self.open:
                self._listeners.add(writer)
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                await reader.read()
        self._listeners.discard(writer)
        writer.close()

    def ring(self) -> None:
        self.say(b"{}\n")

    def say(self, data: bytes) -> None:
        for writer in self._listeners:
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))

    def cut(self) -> None:
        for writer in list(self._listeners):
            writer.transport.abort()
