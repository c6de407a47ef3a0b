"""Two Ollamas, each on a machine of its own behind the emulator, and what can happen to them."""

from __future__ import annotations

import contextlib
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks import peers as people
from benchmarks.namespaces import inside, spaces
from benchmarks.process import end, helper
from benchmarks.scene import Scene, connect, machine

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

# Round trips: which one is the better is no question.
NEAR, FAR = people.Peer(0, "alive", 20.0), people.Peer(1, "alive", 40.0)


@dataclass(slots=True)
class TwoServers:
    """`homes` are the namespaces of the two, by their addresses. Each fault returns when it began."""

    place: Scene
    homes: dict[str, str]
    emulator: subprocess.Popen[str]
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def serve(self, address: str) -> None:
        with inside(self.homes[address]):
            self.running[address] = self.stack.enter_context(helper("ollama_stand_in", address))

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


@contextlib.contextmanager
def two_servers() -> Iterator[TwoServers]:
    peers = [NEAR, FAR]
    with spaces("client", "near", "far") as (client, *homes), machine(client, peers) as place:
        links, own = str(place.folder / "links.json"), dict(zip((NEAR.address, FAR.address), homes, strict=True))
        words = (f"{FAR.address}={homes[1]}",)
        with helper("wan", links, client, homes[0], *words) as emulator:
            for name, address in ((client, people.SELF), *((home, address) for address, home in own.items())):
                connect(name, address)
            place.list_peers(peers)
            pair = TwoServers(place, own, emulator)
            with pair.stack:
                for address in own:
                    pair.serve(address)
                yield pair
