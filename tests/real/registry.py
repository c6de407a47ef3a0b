"""A registry from which a real Ollama pulls one tiny model, slowly. `python -m tests.real.registry GGUF PORT RATE`.

The model is `127.0.0.1:PORT/library/tiny`: the weights, and a licence of LICENCE bytes, which is what takes its time.
Ollama takes a blob only from another host name than that of the registry, so that each is sent on to `localhost`.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

LICENCE: Final = 6_000_000
CHUNK: Final = 50_000
KINDS: Final = {"model": "application/vnd.ollama.image.model", "license": "application/vnd.ollama.image.license"}
CONFIG: Final = "application/vnd.docker.container.image.v1+json"
MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"


class Registry(ThreadingHTTPServer):
    """`rate`: bytes a second of each answer."""

    daemon_threads = True

    def __init__(self, weights: bytes, port: int, rate: float) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.port, self.rate = port, rate
        self.blobs: dict[str, bytes] = {}
        layers = [self._blob(KINDS["model"], weights), self._blob(KINDS["license"], b"free\n" * (LICENCE // 5))]
        about = {
            "model_format": "gguf",
            "model_family": "llama",
            "model_families": ["llama"],
            "file_type": "F32",
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
        }
        config = self._blob(CONFIG, json.dumps(about).encode())
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        self.manifest = json.dumps(manifest).encode()

    def _blob(self, kind: str, data: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        return {"mediaType": kind, "digest": digest, "size": len(data)}


class Handler(BaseHTTPRequestHandler):
    """Manifests and blobs, whole or from a byte on."""

    protocol_version = "HTTP/1.1"
    server: Registry

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        name = self.path.rpartition("/")[2]
        if self.path == "/v2/library/tiny/manifests/latest":
            self._send(200, self.server.manifest, with_body=with_body)
        elif (data := self.server.blobs.get(name)) is None:
            self._send(404, b"", with_body=False)
        elif with_body and self.headers.get("Host", "").startswith("127."):
            self._send(307, b"", {"Location": f"http://localhost:{self.server.port}{self.path}"}, with_body=False)
        elif asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(asked[1]), int(asked[2] or len(data) - 1)
            self._send(206, data[first : last + 1], with_body=with_body)
        else:
            self._send(200, data, with_body=with_body)

    def _send(self, status: int, body: bytes, more: dict[str, str] | None = None, *, with_body: bool) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **(more or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        for start in range(0, len(body) if with_body else 0, CHUNK):
            self.wfile.write(body[start : start + CHUNK])
            if len(body) > CHUNK:
                time.sleep(CHUNK / self.server.rate)  # the slowness is what is wanted


def main(weights: str, port: str, rate: str) -> None:
    Registry(Path(weights).read_bytes(), int(port), float(rate)).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
