"""An Ollama that resets connections on which nothing is asked: `python -m tests.standins.impatient COUNT`.

Each connection adds a byte to the file COUNT.
"""

import asyncio
import contextlib
import socket
import struct
import sys
from pathlib import Path

from .ollama import http, tags

PATIENCE = 0.1
_ANSWERS = {b"/api/version": http("200 OK", b'{"version":"0.17.4"}'), b"/api/tags": http("200 OK", tags("mistral"))}


async def main(count: Path) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with count.open("ab") as file:
            file.write(b".")
        with contextlib.suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            while True:
                async with asyncio.timeout(PATIENCE):
                    head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_ANSWERS[head.split(b" ", 2)[1]])
                await writer.drain()
        sock = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):  # it was closed meanwhile
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
