"""A real Ollama on a node of the tailnet, with a models folder of its own."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from tests.real.gguf import write_model
from tests.real.namespaces import Process, until

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.real.tailnet import Node

PORT = 11434
# Run inside a node's namespace: prints the body, exits 1 on any failure. Not curl: a machine may have none.
REQUEST = """
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
data = sys.argv[2].encode() or None
with opener.open(urllib.request.Request(sys.argv[1], data), timeout=float(sys.argv[3])) as answer:
    sys.stdout.write(answer.read().decode())
"""


def request(node: Node, url: str, body: dict[str, Any] | None = None, within: float = 5) -> str | None:
    """GET, or POST the body as JSON, from this node; return what came, None for any failure."""
    code = [sys.executable, "-I", "-c", REQUEST, url, json.dumps(body) if body else "", str(within)]
    done = node.exec(*code, within=within + 10, check=False)
    return done.stdout if done.returncode == 0 else None


class Ollama:
    """`ollama serve`, bound to one address of its node."""

    def __init__(self, node: Node, program: Path, *, bind: str) -> None:
        self.node = node
        self.bind = bind
        self._program = program
        self._folder = node.folder / "ollama"
        self._folder.mkdir()
        self.log = self._folder / "log"
        self._process: Process | None = None

    @property
    def _env(self) -> dict[str, str]:
        return {
            "HOME": str(self._folder),
            "OLLAMA_HOST": f"{self.bind}:{PORT}",
            "OLLAMA_MODELS": str(self._folder / "models"),
            "OLLAMA_KEEP_ALIVE": "30m",
        }

    def start(self) -> None:
        """Start it; it answers on its own node when this returns."""
        self._process = self.node.spawn(self._program, "serve", log=self.log, env=self._env)
        until(self.answers, 30, f"Ollama on {self.node.name} answers")

    def kill(self) -> None:
        """Kill it as the kernel's OOM killer would, with its model runner."""
        assert self._process
        self._process.kill()

    def paused(self) -> AbstractContextManager[None]:
        """Let it accept and say nothing."""
        assert self._process
        return self._process.paused()

    def answers(self) -> bool:
        return request(self.node, f"http://{self.bind}:{PORT}/api/version") is not None

    def create(self, model: str) -> None:
        """Install the tiny model under this name, through Ollama's own CLI."""
        weights, recipe = self._folder / "tiny.gguf", self._folder / "Modelfile"
        write_model(weights)
        # Random weights never come to an end by themselves.
        recipe.write_text(f"FROM {weights}\nPARAMETER num_predict 16\n")
        self.node.exec(self._program, "create", model, "-f", recipe, env=self._env, within=60)
