"""The user's tailnet: their laptop, and the machines that it may or may not use."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from tests.real.namespaces import until
from tests.real.ollama import PORT, Ollama

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real.tailnet import Node, Tailnet

MODEL = "mistral"


class Lab:
    """Everything is up and running; what is taken away comes back at the end of its `with` block."""

    def __init__(self, tailnet: Tailnet) -> None:
        self.tailnet = tailnet
        self.ollamas: dict[str, Ollama] = {}
        self.laptop = tailnet.add("laptop")
        self._ollama("gpu", model=True)
        self._ollama("nas", model=True, bind="127.0.0.1")
        self.node("nas").tailscale("serve", "--bg", "--tcp", str(PORT), f"tcp://127.0.0.1:{PORT}")
        self._ollama("empty", model=False)
        tailnet.add("idle")
        self._ollama("bob", model=True)
        tailnet.set("bob", user="999")
        self._ollama("guest", model=True)
        tailnet.set("guest", user="888", sharer="777")
        self._ollama("box", model=True, bind="127.0.0.1", userspace=True)
        for name in ("gpu", "bob", "guest"):
            self.node(name).count_connects(PORT)

    def _ollama(self, name: str, *, model: bool, bind: str = "", userspace: bool = False) -> None:
        """Add a node with a running Ollama, bound to its tailnet address where nothing else is said."""
        node = self.tailnet.add(name, userspace=userspace)
        server = Ollama(node, self.tailnet.programs / "ollama", bind=bind or node.ip)
        server.start()
        if model:
            server.create(MODEL)
        self.ollamas[name] = server

    def node(self, name: str) -> Node:
        return self.tailnet.nodes[name]

    def url(self, name: str) -> str:
        return f"http://{self.node(name).ip}:{PORT}"

    def settled(self) -> None:
        """Wait until the laptop has a direct path to every other node."""
        for node in self.tailnet.nodes.values():
            if node is not self.laptop:
                self.laptop.reaches(node, "direct")

    def reached(self, name: str) -> float:
        """Wait until tailscaled on the laptop reaches this node, by whatever path; return when that was."""
        paths = ("direct", "relay")
        until(lambda: self.laptop.path_to(self.node(name), "300ms") in paths, 60, f"{name} is reached", every=0.01)
        return time.time()

    @contextlib.contextmanager
    def ollama_killed(self, name: str) -> Iterator[None]:
        """Kill the Ollama of a node; start it again at the end."""
        self.ollamas[name].kill()
        try:
            yield
        finally:
            self.ollamas[name].start()

    @contextlib.contextmanager
    def unplugged(self, name: str) -> Iterator[None]:
        """Pull the cable of a node: it goes silent, and nobody says so."""
        self.node(name).link(up=False)
        try:
            yield
        finally:
            self.node(name).link(up=True)

    @contextlib.contextmanager
    def tailscaled_stopped(self) -> Iterator[None]:
        """Stop the laptop's own tailscaled."""
        self.laptop.stop_tailscaled()
        try:
            yield
        finally:
            self.laptop.start_tailscaled()
