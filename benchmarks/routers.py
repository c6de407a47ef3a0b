"""What brings a client's requests to one of two Ollamas: ours beside the requests' path, the others in it.

Each is started afresh and hands out the URL of the next request. Of ours that is a run of the real
`ollama-locate`, whose time is the request's.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import time
from typing import TYPE_CHECKING

from benchmarks import peers as people
from benchmarks import tools
from benchmarks.daemon import Daemon, daemon, surroundings
from benchmarks.herd import herd
from benchmarks.install import programs
from benchmarks.namespaces import inside
from benchmarks.process import started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from benchmarks.servers import Servers

    Start: TypeAlias = Callable[[Servers], AbstractContextManager[Callable[[], str]]]

PORT, STATS_PORT = 11435, 11480
FORWARD = "our forward"
READY_S = 60.0


def get(port: int, path: str) -> bytes:
    """From this namespace's own loopback; empty while nobody answers there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()


def wait(what: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_S
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not see its servers within {READY_S:.0f} s")
        time.sleep(0.2)


@contextlib.contextmanager
def settled(pair: Servers, config: str = "") -> Iterator[Daemon]:
    with daemon(pair.place, config=config) as running:

        def both() -> bool:
            servers = running.snapshot().get("servers", [])
            return {peer.url for peer in pair.place.peers} <= {s["url"] for s in servers if s["outcome"] == "alive"}

        wait("the daemon", both)
        yield running


@contextlib.contextmanager
def ours(pair: Servers) -> Iterator[Callable[[], str]]:
    with settled(pair) as running:
        command = [programs() / "ollama-locate"]
        env = surroundings(pair.place.folder, running.state)

        def locate() -> str:
            said = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
            return said.stdout.strip()

        yield locate


@contextlib.contextmanager
def forward(pair: Servers) -> Iterator[Callable[[], str]]:
    with settled(pair, f'[forward]\nlisten = "127.0.0.1:{PORT}"\n'):
        yield lambda: f"http://127.0.0.1:{PORT}"


@contextlib.contextmanager
def haproxy(pair: Servers, options: str) -> Iterator[Callable[[], str]]:
    config = pair.place.folder / "haproxy.cfg"
    servers = [peer.address for peer in pair.place.peers]
    config.write_text(tools.haproxy_router(servers, PORT, STATS_PORT, options))
    with started([tools.find("haproxy") or "haproxy", "-db", "-f", str(config)]):
        # One line of the table for each server that is up, checked at least once.
        wait("HAProxy", lambda: get(STATS_PORT, "/;csv").count(b",L7OK,") == len(servers))
        yield lambda: f"http://127.0.0.1:{PORT}"


def herd_home(pair: Servers, name: str) -> dict[str, str]:
    """An environment of its own, which tells nobody of it, pulls nothing, and answers by no other model."""
    home = pair.place.folder / f"herd-{name}"
    home.mkdir(exist_ok=True)
    off = ("FLEET_TELEMETRY", "FLEET_NODE_TELEMETRY", "FLEET_AUTO_PULL", "FLEET_VRAM_FALLBACK")
    return {"PATH": "/usr/bin:/bin", "HOME": str(home)} | dict.fromkeys(off, "false")


def herd_router(pair: Servers) -> AbstractContextManager[subprocess.Popen[bytes]]:
    bin_ = herd()
    assert bin_
    return started([bin_ / "herd", "--host", "0.0.0.0", "--port", str(PORT)], env=herd_home(pair, "router"))


@contextlib.contextmanager
def herd_nodes(pair: Servers) -> Iterator[None]:
    """One on each server's machine; they find the router by address, not by mDNS."""
    bin_ = herd()
    assert bin_
    with contextlib.ExitStack() as stack:
        for address, space in pair.homes.items():
            words = [f"{bin_}/herd-node", "--node-id", address, "--router-url", f"http://{people.SELF}:{PORT}"]
            words += ["--ollama-host", f"http://{address}:{people.PORT}"]
            with inside(space):
                stack.enter_context(started(words, env=herd_home(pair, address)))
        yield


@contextlib.contextmanager
def ollama_herd(pair: Servers) -> Iterator[Callable[[], str]]:
    """The router beside the client, a node on each server's machine."""
    with herd_router(pair):
        wait("ollama-herd's router", lambda: bool(get(PORT, "/fleet/status")))
        with herd_nodes(pair):

            def everyone() -> bool:
                nodes = json.loads(get(PORT, "/fleet/status") or b"{}").get("nodes", [])
                return [node.get("status") for node in nodes] == ["online"] * len(pair.homes)

            wait("ollama-herd", everyone)
            yield lambda: f"http://127.0.0.1:{PORT}"


def available() -> tuple[dict[str, Start], list[str]]:
    """Ours first, then who is here to be measured against; and in words who is missing. Installs what it can."""
    programs()
    found: dict[str, Start] = {"ours": ours, FORWARD: forward}
    lacking = []
    if tools.find("haproxy"):
        found["HAProxy"] = lambda pair: haproxy(pair, tools.PLAIN)
        found["HAProxy tuned"] = lambda pair: haproxy(pair, tools.TUNED)
    else:
        lacking.append("HAProxy")
    if herd():
        found["ollama-herd"] = ollama_herd
    else:
        lacking.append("ollama-herd")
    return found, lacking
