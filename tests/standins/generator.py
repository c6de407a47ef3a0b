"""An Ollama that generates, each model in its own way. `python -m tests.standins.generator LOG MODEL ...`.

It prints its port and serves until it is killed. LOG gets a line of JSON for each request: the path and the body.
What a model does stands in the word before its tag, see `_badly`; any other one makes tokens, as fast as RATE says.
`zz-` in front puts it at the end of a list, and is no part of that word.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from ollama_locate.core.inventory import Model, listed, loaded
from tests.standins.ollama import http, serving
from tests.standins.puller import asked

LOAD = 0.1
RATE = 1000.0
DIGEST = "6577803aa9a036369e481d648a2baebb381ebc6e897f2bb9a766a2aa7bfbc1cf"
SIZE = 4_000_000_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
NS = 1_000_000_000
LIES: dict[str, dict[str, Any]] = {
    "negative": {"eval_duration": -5},
    "zero": {"eval_duration": 0},
    "huge": {"eval_duration": 10**18},
    "strings": {"eval_count": "64", "eval_duration": "1s"},
    "silent-about": {"eval_count": None, "eval_duration": None},
    "short": {"eval_count": 2},
    "displaced": {"load_duration": 2 * NS},
}


class Generator:
    """`models` are there; a name with `!` at its end is loaded from the start. `digest` may be changed."""

    def __init__(self, log: Path, *models: str) -> None:
        self.models = [name.rstrip("!") for name in models]
        self.loaded = {name.rstrip("!") for name in models if name.endswith("!")}
        self.digest = DIGEST
        self._log = log

    def inventory(self) -> tuple[Model, ...]:
        """What a daemon that has asked it would publish."""
        rows = json.dumps({"models": [self._row(name) for name in self.models]}).encode()
        running = json.dumps({"models": [self._row(name) for name in sorted(self.loaded)]}).encode()
        return loaded(listed(rows) or (), running)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                path, body = await asked(reader, self._log)
                if path == "/api/generate":
                    await self.generate(body, reader, writer)
                elif path in ("/api/tags", "/api/ps"):
                    names = self.models if path == "/api/tags" else sorted(self.loaded)
                    writer.write(http("200 OK", json.dumps({"models": [self._row(name) for name in names]}).encode()))
                else:
                    writer.write(http("200 OK", b'{"version":"0.17.4"}'))
                await writer.drain()

    def _row(self, name: str) -> dict[str, Any]:
        remote = {"remote_host": "https://ollama.com"} if name.startswith("remote") else {}
        details = {"parameter_size": "7.2B", "quantization_level": "Q4_0"}
        sizes = {"size": SIZE, "size_vram": SIZE, "context_length": 8192}
        return {"name": name, "digest": self.digest, "details": details, **sizes, **remote}

    async def generate(self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One answer."""
        model, tokens = body["model"], body["options"]["num_predict"]
        kind = model.partition(":")[0].removeprefix("zz-")
        begun, takes = time.monotonic(), LOAD if model not in self.loaded else 0.001
        if await _refuses(kind, model, reader, writer):
            return
        await asyncio.sleep(takes)  # what a load takes is what is measured
        self.loaded.add(model)
        there = time.monotonic()
        writer.write(HEAD)
        if await _badly(kind, reader, writer):
            writer.close()
            return
        for _ in range(tokens):
            await _line(writer, model=model, response="a ", done=False)
            await asyncio.sleep(1 / RATE)  # as above
        now = time.monotonic()
        figures = {
            "load_duration": int((there - begun) * NS),
            "prompt_eval_count": 30,
            "prompt_eval_duration": 1,
            "eval_count": tokens,
            "eval_duration": int((now - there) * NS),
        }
        said = {**figures, **LIES.get(kind, {})}
        await _line(writer, model=model, response="", done=True, done_reason="length", context=[1] * 90, **said)
        writer.write(b"0\r\n\r\n")


async def _line(writer: asyncio.StreamWriter, **line: Any) -> None:
    data = json.dumps({key: value for key, value in line.items() if value is not None}).encode() + b"\n"
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))
    await writer.drain()


async def _refuses(kind: str, model: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether it has answered, or not, with something else than a stream."""
    said = {
        "embeds": http("400 Bad Request", b'{"error":"\\"embeds\\" does not support generate"}'),
        "gone": http("404 Not Found", json.dumps({"error": f"model '{model}' not found"}).encode()),
        "heavy": http("500 Internal Server Error", b'{"error":"model requires more system\\u001b[2J memory"}'),
        "page": http("502 Bad Gateway", b"<html>" * 100_000),
        "moved": http("302 Found", b"", more="Location: http://127.0.0.1:1/\r\n"),
    }.get(kind)
    if kind == "hangs":
        await reader.read()
    writer.write(said or b"")
    return said is not None or kind == "hangs"


async def _badly(kind: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether it has answered with a stream that is none."""
    if kind == "stalls":
        await _line(writer, response="a", done=False)
        await reader.read()
    elif kind == "ends":
        await _line(writer, response="a", done=False)
        writer.write(b"0\r\n\r\n")
    elif kind == "breaks":
        writer.write(b'5\r\n{"res')
    elif kind == "errs":
        await _line(writer, response="a", done=False)
        await _line(writer, error="an error was encountered while running the model: CUDA error")
        writer.write(b"0\r\n\r\n")
    elif kind == "speaks":
        writer.write(b"6\r\n<html>\r\n")
        writer.write(b"0\r\n\r\n")
    elif kind == "floods":
        while True:
            await _line(writer, response="a" * 30_000, done=False)
    elif kind == "blank":
        while True:
            writer.write(b"%x\r\n%b\r\n" % (60_000, b" " * 60_000))
            await writer.drain()
    else:
        return False
    await writer.drain()
    return True


async def main(log: Path, *models: str) -> None:
    async with serving(Generator(log, *models).serve) as port:
        print(port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
