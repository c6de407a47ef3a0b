"""An Ollama that loads and pulls, each model in its own way. `python -m tests.standins.puller LOG MODEL ...`.

It prints its port and serves until it is killed. LOG gets a line of JSON for each request: the path and the body.
What a model does stands in the word before its tag: see ERRORS, `_load` and `_pull`; any other is pulled and loaded.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.standins.ollama import http, serving, tags

LAYER = 50_000_000
STEPS = 20
PAUSE = 0.02
ERRORS = {
    "denied": "pull model manifest: file does not exist",
    "full": "write /models/blobs/sha256-a-partial: no space left on device",
    "offline": 'Get "https://registry.ollama.ai/v2/": dial tcp: lookup registry.ollama.ai: no such host',
    "plain": "pull model manifest: insecure protocol http",
    "esc": "bad\x1b[2Jthing",
}
SAYS_SO = {"status": "pulling a", "digest": "sha256:a", "total": LAYER, "completed": LAYER // 2}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n"


async def asked(reader: asyncio.StreamReader, log: Path) -> tuple[str, dict[str, Any]]:
    """The next request's path and its JSON; it is noted in the log."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    path = head.split(" ", 2)[1]
    length = re.search(r"(?i)content-length: (\d+)", head)
    body = json.loads(await reader.readexactly(int(length[1]))) if length else {}
    with log.open("a") as out:
        out.write(json.dumps({"path": path, "body": body}) + "\n")
    return path, body


class Puller:
    """`models` are there. What was pulled of one stays where its pull ends early, as Ollama keeps it."""

    def __init__(self, log: Path, *models: str) -> None:
        self.models = set(models)
        self._log = log
        self._steps: dict[str, int] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            path, body = await asked(reader, self._log)
            while (said := self._says(path, body)) is not None:
                writer.write(said)
                await writer.drain()
                path, body = await asked(reader, self._log)
            model = body.get("model", "")
            if path == "/api/version":
                writer.write(http("200 OK", b'{"version":"0.17.4"}'))
            elif path == "/api/pull":
                await self._pull(model, model.partition(":")[0], writer)
            else:
                await self._load(path, model, reader, writer)
            await writer.drain()

    def _says(self, path: str, body: dict[str, Any]) -> bytes | None:
        """What a daemon asks, on one connection."""
        if path == "/api/version":
            return http("200 OK", b'{"version":"0.17.4"}')
        if path in ("/api/tags", "/api/ps"):
            return http("200 OK", tags(*sorted(self.models)) if path == "/api/tags" else tags())
        return http("200 OK", b'{"capabilities":["completion"]}') if path == "/api/show" and body else None

    async def _load(self, path: str, model: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kind = model.partition(":")[0]
        if kind == "hangs":
            await reader.read()
        elif kind == "heavy":
            writer.write(http("500 Internal Server Error", b'{"error":"model requires more system\\nmemory"}'))
        elif kind == "page":
            writer.write(http("502 Bad Gateway", b"<html>" * 100_000))
        elif kind == "embeds" and path == "/api/generate":
            said = b'{"error":"\\"embeds\\" does not support generate"}'
            writer.write(http("400 Bad Request", said, more="Connection: close\r\n"))
        elif model in self.models and kind != "lies":
            writer.write(http("200 OK", json.dumps({"model": model, "done": True, "done_reason": "load"}).encode()))
        else:
            writer.write(http("404 Not Found", json.dumps({"error": f"model '{model}' not found"}).encode()))

    async def _pull(self, model: str, kind: str, writer: asyncio.StreamWriter) -> None:  # noqa: C901 - a case for each
        async def say(**line: Any) -> None:
            writer.write(json.dumps(line).encode() + b"\n")
            await writer.drain()

        if kind == "newer":
            writer.write(http("412 Precondition", b'{"error":"this model requires a newer version of Ollama"}'))
            return
        if kind == "page":
            writer.write(http("502 Bad Gateway", b"<html>"))
            return
        writer.write(HEAD)
        await say(status="pulling manifest")
        if kind in ERRORS:
            await say(error=ERRORS[kind])
        elif kind == "floods":
            while True:
                writer.write(b" " * 100_000)
                await writer.drain()
        elif kind == "speaks":
            await say(status="pulling manifest " * 10)
            writer.write(b"<html>\n")
        elif kind == "stalls":
            while True:  # Ollama repeats itself while nothing comes
                for _ in range(100):
                    await say(**SAYS_SO)
                await asyncio.sleep(PAUSE)
        elif kind == "silent":
            await say(**SAYS_SO)
            await asyncio.Event().wait()
        else:
            await self._come(model, kind, say)

    async def _come(self, model: str, kind: str, say: Any) -> None:
        for step in range(self._steps.get(model, 0), STEPS + 1):
            self._steps[model] = max(step, self._steps.get(model, 0))
            if kind == "halfway" and step == STEPS // 2:
                return
            for digest in ("sha256:a", "sha256:b"):
                for _ in range(20):
                    done = LAYER * step // STEPS
                    await say(status=f"pulling {digest}", digest=digest, total=LAYER, completed=done)
            await asyncio.sleep(PAUSE * (5 if kind == "slow" else 1))
        await say(status="verifying sha256 digest")
        self.models.add(model)
        await say(status="success")


async def main(log: Path, *models: str) -> None:
    async with serving(Puller(log, *models).serve) as port:
        print(port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
