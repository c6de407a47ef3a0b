"""An Ollama that loads and pulls, each model in its own way. `python -m tests.lua.puller LOG` prints its port.

LOG gets a line of JSON for each request: the path and the body.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from tests.standins.ollama import http, serving
from tests.standins.puller import asked

LAYER = 100_000_000
STEPS = 30
PAUSE = 0.05


class Puller:
    """`mistral` is there. `absent` can be pulled; the others fail, each as its name says."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.models = {"mistral", "stuck"}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            path, body = await asked(reader, self.log)
            await self.answer(path, body, reader, writer)

    async def answer(
        self, path: str, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        model = body.get("model", "")
        if path == "/api/version":
            writer.write(http("200 OK", b'{"version":"0.17.4"}'))
        elif path == "/api/generate" and model == "stuck":
            await reader.read()
        elif path == "/api/generate" and model == "refuses":
            writer.write(http("500 Internal Server Error", b'{"error":"model requires more system\\nmemory"}'))
        elif path == "/api/generate" and model in self.models:
            writer.write(http("200 OK", json.dumps({"model": model, "done": True, "done_reason": "load"}).encode()))
        elif path == "/api/generate":
            writer.write(http("404 Not Found", json.dumps({"error": f"model '{model}' not found"}).encode()))
        elif path == "/api/pull":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n")
            await self.pull(model, writer)
        else:
            writer.write(http("404 Not Found", b"404 page not found", "text/plain"))
        await writer.drain()

    async def pull(self, model: str, writer: asyncio.StreamWriter) -> None:
        async def say(**line: Any) -> None:
            writer.write(json.dumps(line).encode() + b"\n")
            await writer.drain()

        await say(status="pulling manifest")
        if model == "denied":
            await say(error="pull model manifest: file does not exist")
        elif model == "floods":
            for _ in range(40):
                writer.write(b" " * 100_000)
                await writer.drain()
        else:
            for step in range(STEPS + 1):
                if model == "halfway" and step == STEPS // 2:
                    return
                for digest in ("sha256:a", "sha256:b"):
                    for _ in range(20):  # Ollama repeats itself
                        await say(
                            status=f"pulling {digest}", digest=digest, total=LAYER, completed=LAYER * step // STEPS
                        )
                await asyncio.sleep(PAUSE)
            self.models.add(model)
            await say(status="success")


async def main(log: Path) -> None:
    async with serving(Puller(log).serve) as port:
        print(port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
