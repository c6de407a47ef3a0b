"""A stand-in for tailscaled's local API, for the real `tailscale` command to ask and for the daemon to listen to.

    python -m benchmarks.local_api SOCKET STATUS

Answers `GET /localapi/v0/status` on the unix socket with the file STATUS, `watch-ipn-bus` with a bus that rings at
the start and then never again, everything else with 404.
The command costs more CPU than a `cat`: with OLLAMA_LOCATE_REAL_BIN naming its folder, that cost is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.process import helper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.scene import Scene


@contextlib.contextmanager
def real_tailscale(place: Scene) -> Iterator[tuple[Path, Path, str]]:
    """The `tailscale` to configure, the socket of a tailscaled that rings, and in words which command it is."""
    socket = place.folder / "tailscaled.sock"
    binary = Path(os.environ.get("OLLAMA_LOCATE_REAL_BIN", "")) / "tailscale"
    if "OLLAMA_LOCATE_REAL_BIN" not in os.environ or not binary.is_file():
        with helper("local_api", str(socket), str(place.folder / "status.json")):
            kind = "a stand-in for tailscale (`cat`), as OLLAMA_LOCATE_REAL_BIN names no real one"
            yield place.tailscale, socket, kind
        return
    script = place.folder / "real-tailscale"
    script.write_text(f'#!/bin/sh\nexec {binary} --socket {socket} "$@"\n')
    script.chmod(0o755)
    with helper("local_api", str(socket), str(place.folder / "status.json")):
        yield script, socket, "the real tailscale command, asking a stand-in for tailscaled"


def content(status: Path) -> bytes:
    """Read each time: the list of peers changes."""
    return status.read_bytes()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: Path) -> None:
    """One connection, one answer; the command makes a new connection each time."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
        request = await reader.readuntil(b"\r\n\r\n")
        target = request.split(b" ", 2)[1]
        if target.startswith(b"/localapi/v0/watch-ipn-bus"):
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n")
            await reader.read()  # until the listener goes
        known = target.startswith(b"/localapi/v0/status")
        body = content(status) if known else b"404 not found"
        line = "200 OK" if known else "404 Not Found"
        head = f"HTTP/1.1 {line}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
    writer.close()


async def main() -> None:
    status = Path(sys.argv[2])
    server = await asyncio.start_unix_server(lambda reader, writer: answer(reader, writer, status), sys.argv[1])
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
    print("ready", flush=True)
    await ended.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
