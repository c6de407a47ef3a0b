"""Servers on loopback that answer like Ollama, or badly in one particular way.

`python -m tests.standins.ollama [PORT] [MODEL ...]` serves until it is killed, and prints its port. `!MODEL` is loaded,
`MODEL=tools,vision` can do that.
"""

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def http(status: str, body: bytes, kind: str = "application/json; charset=utf-8", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def tags(*models: str, **extra: str) -> bytes:
    return json.dumps({"models": [{"name": name, "model": name, "size": 1, **extra} for name in models]}).encode()


def like_ollama(
    *models: str,
    version: str = "0.17.4",
    tags_body: bytes | None = None,
    loaded: Collection[str] = (),
    can: Mapping[str, Sequence[str]] | None = None,
) -> Behaviour:
    """`loaded` are in its memory; `can` is what each can do, "completion" where it is not said."""
    answers = {
        b"/": http("200 OK", b"Ollama is running", "text/plain"),
        b"/api/version": http("200 OK", json.dumps({"version": version}).encode()),
        b"/api/tags": http("200 OK", tags(*models) if tags_body is None else tags_body),
        b"/api/ps": http("200 OK", tags(*loaded, expires_at="2318-11-23T00:00:00Z")),
    }
    missing = http("404 Not Found", b"404 page not found", "text/plain")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            body, path = await _body(reader, head), head.split(b" ", 2)[1]
            writer.write(_show(body) if path == b"/api/show" else answers.get(path, missing))
            await writer.drain()

    def _show(body: bytes) -> bytes:
        name = json.loads(body)["model"]
        if name not in models:
            return http("404 Not Found", json.dumps({"error": f"model '{name}' not found"}).encode())
        said = {
            "capabilities": list((can or {}).get(name, ["completion"])),
            "model_info": {"llama.context_length": 4096},
        }
        return http("200 OK", json.dumps(said).encode())

    return serve


def answers(raw: bytes, *, then_close: bool = True) -> Behaviour:
    """Sends these bytes to whatever comes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await _head(reader):
            writer.write(raw)
            await writer.drain()
            if then_close:
                return

    return serve


def by_path(**raw: bytes) -> Behaviour:
    """Sends the bytes of the path's last word; an empty answer closes the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            await _body(reader, head)
            answer = raw.get(head.split(b" ", 2)[1].rpartition(b"/")[2].decode(), b"")
            writer.write(answer)
            await writer.drain()
            if not answer:
                return

    return serve


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:  # noqa: ARG001
    await reader.read()


async def closes_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts and ends, as `tailscale serve` does for a dead server."""


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One byte of a good answer at a time."""
    await _head(reader)
    for byte in http("200 OK", b'{"version":"0.17.4"}'):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)  # the slowness is what is tested


async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """100 MB, for as long as somebody reads."""
    await _head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    for _ in range(1600):
        writer.write(b" " * 62_500)
        await writer.drain()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return await reader.readexactly(int(length[1])) if length else b""


@contextlib.asynccontextmanager
async def serving(behaviour: Behaviour, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Serve in this loop; gives the port."""
    writers: set[asyncio.StreamWriter] = set()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with contextlib.suppress(ConnectionError):
            await behaviour(reader, writer)
        writers.discard(writer)
        writer.close()

    server = await asyncio.start_server(client, host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in list(writers):
            writer.transport.abort()
        await asyncio.sleep(0)


async def main(models: list[str]) -> None:
    port = int(models.pop(0)) if models and models[0].isdigit() else 0
    loaded = [word[1:].partition("=")[0] for word in models if word.startswith("!")]
    said = [word.removeprefix("!").partition("=") for word in models]
    can = {name: words.split(",") for name, _, words in said if words}
    async with serving(like_ollama(*(name for name, _, _ in said), loaded=loaded, can=can), port) as taken:
        print(taken, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1:]))
