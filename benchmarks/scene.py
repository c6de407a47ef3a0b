"""A tailnet for the benchmarks: peers behind the emulator, their Ollamas, and a `tailscale` that lists them."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import peers as people
from benchmarks.namespaces import inside, ip, spaces
from benchmarks.process import helper

if TYPE_CHECKING:
    from collections.abc import Iterator

DEVICE = "tailscale0"
# What WireGuard leaves of a packet, as tailscaled sets it.
MTU = "1280"


@dataclass(frozen=True, slots=True)
class Scene:
    """`folder` is temporary; what is started in `inside(client)` sees the tailnet and nothing else."""

    client: str
    peers: list[people.Peer]
    folder: Path

    @property
    def tailscale(self) -> Path:
        return self.folder / "tailscale"

    def list_peers(self, peers: list[people.Peer]) -> None:
        """What `tailscale status --json` says from now on; replaced at once, as a reader may be at work."""
        fresh = self.folder / "status.new"
        fresh.write_bytes(people.status(peers))
        fresh.rename(self.folder / "status.json")

    def prepare(self, peers: list[people.Peer]) -> Path:
        """The same in two steps, so that making a list of a thousand peers is not in any figure."""
        ready = self.folder / "status.ready"
        ready.write_bytes(people.status(peers))
        return ready

    def swap(self, ready: Path) -> None:
        ready.rename(self.folder / "status.json")

    def addresses(self) -> Path:
        """A file of all addresses, one a line, as nmap and curl want them."""
        found = self.folder / "addresses"
        found.write_text("".join(f"{peer.address}\n" for peer in self.peers))
        return found


def wire(client: str, peers: str) -> None:
    """Addresses and routes: the client is one address, the other side is every peer's."""
    connect(client, people.SELF)
    ip("-n", peers, "link", "set", DEVICE, "up", "mtu", MTU)
    ip("-n", peers, "route", "add", "local", "100.65.0.0/16", "dev", "lo")
    ip("-n", peers, "route", "add", "100.64.0.0/16", "dev", DEVICE)


def connect(name: str, address: str) -> None:
    """A machine of its own in the tailnet, with one address."""
    ip("-n", name, "addr", "add", f"{address}/10", "dev", DEVICE)
    ip("-n", name, "link", "set", DEVICE, "up", "mtu", MTU)


@contextlib.contextmanager
def machine(client: str, peers: list[people.Peer]) -> Iterator[Scene]:
    """The folder behind a client's `tailscale`, which lists nobody yet."""
    folder = Path(tempfile.mkdtemp(prefix=f"olb-{os.getpid()}-"))
    try:
        (folder / "links.json").write_text(people.links(peers))
        found = Scene(client, peers, folder)
        found.tailscale.write_text(f"#!/bin/sh\nexec cat {folder}/status.json\n")
        found.tailscale.chmod(0o755)
        found.list_peers([])
        yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def scene(peers: list[people.Peer], own: int = 0) -> Iterator[Scene]:
    """Everything of it is gone when the block ends, however it ends. `own`: models that only one of them has."""
    with spaces("client", "peers") as (client, far), machine(client, peers) as found:
        running = [f"{peer.address}={own}" for peer in people.alive(peers)]
        with helper("wan", str(found.folder / "links.json"), client, far), contextlib.ExitStack() as stack:
            wire(client, far)
            with inside(far):
                stack.enter_context(helper("ollama_stand_in", *running))
            yield found
