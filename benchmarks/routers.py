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
    from pathlib import Path
    from typing import TypeAlias

    from benchmarks.two_servers import TwoServers

    Start: TypeAlias = Callable[[TwoServers], AbstractContextManager[Callable[[], str]]]

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
            raise RuntimeError(f"{what} did not see both servers within {READY_S:.0f} s")
        time.sleep(0.2)


@contextlib.contextmanager
def settled(pair: TwoServers, config: str = "") -> Iterator[Daemon]:
    with daemon(pair.place, config=config) as running:

        def both() -> bool:
            servers = running.snapshot().get("servers", [])
            return {peer.url for peer in pair.place.peers} <= {s["url"] for s in servers if s["outcome"] == "alive"}

        wait("the daemon", both)
        yield running


@contextlib.contextmanager
def ours(pair: TwoServers) -> Iterator[Callable[[], str]]:
    with settled(pair) as running:
        command = [programs() / "ollama-locate"]
        env = surroundings(pair.place.folder, running.state)

        def locate() -> str:
            said = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
            return said.stdout.strip()

        yield locate


@contextlib.contextmanager
def forward(pair: TwoServers) -> Iterator[Callable[[], str]]:
    with settled(pair, f'[forward]\nlisten = "127.0.0.1:{PORT}"\n'):
        yield lambda: f"http://127.0.0.1:{PORT}"


@contextlib.contextmanager
def haproxy(pair: TwoServers, options: str) -> Iterator[Callable[[], str]]:
    config = pair.place.folder / "haproxy.cfg"
    servers = [peer.address for peer in pair.place.peers]
    config.write_text(tools.haproxy_router(servers, PORT, STATS_PORT, options))
    with started([tools.find("haproxy") or "haproxy", "-db", "-f", str(config)]):
        # One line of the table for each server that is up, checked at least once.
        wait("HAProxy", lambda: get(STATS_PORT, "/;csv").count(b",L7OK,") == len(servers))
        yield lambda: f"http://127.0.0.1:{PORT}"


@contextlib.contextmanager
def ollama_herd(pair: TwoServers) -> Iterator[Callable[[], str]]:
    """The router beside the client, a node on each server's machine; found by address, not by mDNS."""
    folder, bin_ = pair.place.folder, herd()
    assert bin_
    env = {"PATH": "/usr/bin:/bin", "FLEET_TELEMETRY": "false", "FLEET_NODE_TELEMETRY": "false"}
    env["FLEET_AUTO_PULL"] = "false"

    def home(name: str) -> dict[str, str]:
        (folder / f"herd-{name}").mkdir(exist_ok=True)
        return env | {"HOME": str(folder / f"herd-{name}")}

    with contextlib.ExitStack() as stack:
        words: list[str | Path] = [bin_ / "herd", "--host", "0.0.0.0", "--port", str(PORT)]
        stack.enter_context(started(words, env=home("router")))
        wait("ollama-herd's router", lambda: bool(get(PORT, "/fleet/status")))
        for address, space in pair.homes.items():
            words = [bin_ / "herd-node", "--node-id", address, "--router-url", f"http://{people.SELF}:{PORT}"]
            words += ["--ollama-host", f"http://{address}:{people.PORT}"]
            with inside(space):
                stack.enter_context(started(words, env=home(address)))

        def both() -> bool:
            nodes = json.loads(get(PORT, "/fleet/status") or b"{}").get("nodes", [])
            return [node.get("status") for node in nodes] == ["online"] * len(pair.homes)

        wait("ollama-herd", both)
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
