"""Answers as Ollama 0.17 does on port 11434 of every address given, until its standard input ends.

    python -m benchmarks.ollama_stand_in ADDRESS…

A stand-in and not the real one: a thousand-peer tailnet has fifty of them. What it generates is its address, so that
who asks learns who answered. Says `ready` once all listen.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys

PORT = 11434
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
MODELS = [
    {
        "name": f"model-{number}:latest",
        "model": f"model-{number}:latest",
        "modified_at": "2026-11-24T00:00:00Z",
        "size": 4_109_865_159,
        "digest": f"{number:064x}",
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": "llama",
            "families": ["llama"],
            "parameter_size": "7B",
            "quantization_level": "Q4_K_M",
        },
    }
    for number in range(8)
]
LOADED = [{**MODELS[0], "expires_at": "2026-11-24T00:05:00Z", "size_vram": 4_109_865_159, "context_length": 4096}]


def answer(status: str, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


ANSWERS = {
    b"/": answer("200 OK", "text/plain", b"Ollama is running"),
    b"/api/version": answer("200 OK", "application/json", b'{"version":"0.17.4"}'),
    b"/api/tags": answer("200 OK", "application/json", json.dumps({"models": MODELS}).encode()),
    b"/api/ps": answer("200 OK", "application/json", json.dumps({"models": LOADED}).encode()),
    b"/api/show": answer("200 OK", "application/json", json.dumps({"capabilities": ["completion"]}).encode()),
}
NOT_FOUND = answer("404 Not Found", "text/plain", b"404 page not found")


def generated(address: str) -> bytes:
    """One line, which is right for who wants a stream and for who wants none."""
    said = {"model": MODELS[0]["name"], "created_at": "2026-11-24T00:00:00Z", "response": address, "done": True}
    said |= {"done_reason": "stop", "total_duration": 1, "prompt_eval_count": 1, "eval_count": 1, "eval_duration": 1}
    return answer("200 OK", "application/x-ndjson", json.dumps(said).encode() + b"\n")


class Ollama(asyncio.Protocol):
    """One connection: requests, one after the other; whatever their body says."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.pending += data
        while b"\r\n\r\n" in self.pending:
            head, rest = self.pending.split(b"\r\n\r\n", 1)
            length = LENGTH.search(head)
            body = int(length[1]) if length else 0
            if len(rest) < body:
                return
            self.pending = rest[body:]
            self.say(head)

    def say(self, head: bytes) -> None:
        assert self.transport
        words = head.split(b" ", 2)
        path = words[1] if len(words) == 3 else b""
        if path == b"/api/generate":
            self.transport.write(generated(self.transport.get_extra_info("sockname")[0]))
        else:
            self.transport.write(ANSWERS.get(path, NOT_FOUND))
        if b"connection: close" in head.lower():
            self.transport.close()


async def serve(addresses: list[str]) -> None:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(Ollama, address, PORT, backlog=1024) for address in addresses]
    print("ready", flush=True)
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    await ended.wait()
    for server in servers:
        server.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
