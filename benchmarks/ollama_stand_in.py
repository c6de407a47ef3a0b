"""Answers as Ollama 0.17 does on port 11434 of every address given, until its standard input ends.

    python -m benchmarks.ollama_stand_in ADDRESS[=N]…

A stand-in and not the real one: a thousand-peer tailnet has fifty of them. What it generates is its address, so that
who asks learns who answered. N: so many models of its own, beside the eight that all have. Says `ready` once all
listen, and what was asked since the start for each line on its standard input.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess

PORT = 11434
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def model(name: str, number: int) -> dict[str, Any]:
    return {
        "name": name,
        "model": name,
        "modified_at": "2026-11-24T00:00:00Z",
        "size": 4_109_865_159,
        "digest": hashlib.sha256(f"{name} {number}".encode()).hexdigest(),
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": "llama",
            "families": ["llama"],
            "parameter_size": "7B",
            "quantization_level": "Q4_K_M",
        },
    }


MODELS = [model(f"model-{number}:latest", number) for number in range(8)]
LOADED = [{**MODELS[0], "expires_at": "2026-11-24T00:05:00Z", "size_vram": 4_109_865_159, "context_length": 4096}]
SHOWN = {"capabilities": ["completion", "tools"], "model_info": {"llama.context_length": 131_072}}


def own_name(address: str, number: int) -> str:
    """Of a model that no other server has."""
    return f"own-{number}-{address}:latest"


def answer(status: str, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


ANSWERS = {
    b"/": answer("200 OK", "text/plain", b"Ollama is running"),
    b"/api/version": answer("200 OK", "application/json", b'{"version":"0.17.4"}'),
    b"/api/tags": answer("200 OK", "application/json", json.dumps({"models": MODELS}).encode()),
    b"/api/ps": answer("200 OK", "application/json", json.dumps({"models": LOADED}).encode()),
    b"/api/show": answer("200 OK", "application/json", json.dumps(SHOWN).encode()),
}
NOT_FOUND = answer("404 Not Found", "text/plain", b"404 page not found")


def generated(address: str) -> bytes:
    """One line, which is right for who wants a stream and for who wants none."""
    said = {"model": MODELS[0]["name"], "created_at": "2026-11-24T00:00:00Z", "response": address, "done": True}
    said |= {"done_reason": "stop", "total_duration": 1, "prompt_eval_count": 1, "eval_count": 1, "eval_duration": 1}
    return answer("200 OK", "application/x-ndjson", json.dumps(said).encode() + b"\n")


class Asked:
    """What was asked since the start, in requests and in connections."""

    def __init__(self) -> None:
        self.requests = self.connections = 0


class Ollama(asyncio.Protocol):
    """One connection: requests, one after the other; whatever their body says."""

    def __init__(self, answers: dict[bytes, bytes], asked: Asked) -> None:
        self.answers, self.asked = answers, asked
        self.transport: asyncio.Transport | None = None
        self.pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.asked.connections += 1

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
        self.asked.requests += 1
        words = head.split(b" ", 2)
        path = words[1] if len(words) == 3 else b""
        if path == b"/api/generate":
            self.transport.write(generated(self.transport.get_extra_info("sockname")[0]))
        else:
            self.transport.write(self.answers.get(path, NOT_FOUND))
        if b"connection: close" in head.lower():
            self.transport.close()


def answers(address: str, own: int) -> dict[bytes, bytes]:
    """Of one server."""
    models = MODELS + [model(own_name(address, number), number) for number in range(own)]
    return ANSWERS | {b"/api/tags": answer("200 OK", "application/json", json.dumps({"models": models}).encode())}


async def serve(words: list[str]) -> None:
    loop, asked, ended = asyncio.get_running_loop(), Asked(), asyncio.Event()
    running = []
    for word in words:
        address, _, own = word.partition("=")
        make = partial(Ollama, answers(address, int(own or 0)), asked)
        running.append(await loop.create_server(make, address, PORT, backlog=1024))

    def told() -> None:
        if os.read(0, 4096):
            print(json.dumps({"requests": asked.requests, "connections": asked.connections}), flush=True)
        else:
            ended.set()

    loop.add_reader(0, told)
    print("ready", flush=True)
    await ended.wait()
    for server in running:
        server.close()


def counted(process: subprocess.Popen[str]) -> dict[str, int]:
    """What a running one was asked since its start."""
    assert process.stdin
    assert process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    found: dict[str, int] = json.loads(process.stdout.readline())
    return found


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
