"""A few Ollamas, each on a machine of its own behind the emulator: what can happen to them, and what they see."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks import peers as people
from benchmarks.namespaces import inside, spaces
from benchmarks.ollama_stand_in import counted
from benchmarks.process import end, helper
from benchmarks.scene import DEVICE, Scene, connect, machine

if TYPE_CHECKING:
    from collections.abc import Iterator

# Round trips: which one is the better is no question.
NEAR, FAR = people.Peer(0, "alive", 20.0), people.Peer(1, "alive", 40.0)


@dataclass(frozen=True, slots=True)
class Toll:
    """What servers saw, all together: requests to Ollama, bytes and packets of the tailnet's device both ways."""

    requests: int
    wire: int
    packets: int

    def since(self, earlier: Toll) -> Toll:
        return Toll(self.requests - earlier.requests, self.wire - earlier.wire, self.packets - earlier.packets)


@dataclass(slots=True)
class Servers:
    """`homes` are their namespaces, by their addresses; each has `own` models that no other has.

    Each fault returns when it began.
    """

    place: Scene
    homes: dict[str, str]
    emulator: subprocess.Popen[str]
    own: int = 0
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def serve(self, address: str) -> None:
        with inside(self.homes[address]):
            self.running[address] = self.stack.enter_context(helper("ollama_stand_in", f"{address}={self.own}"))

    def kill(self, address: str) -> float:
        """Its process is gone at once; its kernel lives, and refuses."""
        began = time.perf_counter()
        end(self.running.pop(address), signal.SIGKILL)
        return began

    def silence(self, address: str) -> float:
        """As if its cable were pulled: nothing goes in or out."""
        began = time.perf_counter()
        self.tell(f"silent {address}")
        return began

    def mend(self, address: str, fault: str) -> None:
        if fault == "kill":
            self.serve(address)
        else:
            self.tell(f"heard {address}")

    def tell(self, line: str) -> None:
        assert self.emulator.stdin
        self.emulator.stdin.write(f"{line}\n")
        self.emulator.stdin.flush()

    def toll(self) -> Toll:
        """Counted by the servers' Ollamas and by their kernels, in this moment."""
        requests = wire = packets = 0
        for address, home in self.homes.items():
            requests += counted(self.running[address])["requests"]
            said = subprocess.run(
                ["ip", "-n", home, "-s", "-j", "link", "show", DEVICE], check=True, capture_output=True, text=True
            )
            (device,) = json.loads(said.stdout)
            wire += sum(device["stats64"][way]["bytes"] for way in ("rx", "tx"))
            packets += sum(device["stats64"][way]["packets"] for way in ("rx", "tx"))
        return Toll(requests, wire, packets)


@contextlib.contextmanager
def servers(peers: list[people.Peer], own: int = 0) -> Iterator[Servers]:
    with (
        spaces("client", *(f"server-{peer.number}" for peer in peers)) as (client, *homes),
        machine(client, peers) as at,
    ):
        by_address = dict(zip((peer.address for peer in peers), homes, strict=True))
        others = [f"{address}={home}" for address, home in list(by_address.items())[1:]]
        with helper("wan", str(at.folder / "links.json"), client, homes[0], *others) as emulator:
            for name, address in ((client, people.SELF), *((home, address) for address, home in by_address.items())):
                connect(name, address)
            at.list_peers(peers)
            found = Servers(at, by_address, emulator, own)
            with found.stack:
                for address in by_address:
                    found.serve(address)
                yield found


def two_servers() -> contextlib.AbstractContextManager[Servers]:
    return servers([NEAR, FAR])
