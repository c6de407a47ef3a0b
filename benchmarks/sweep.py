"""The rounds behind three rows: best endpoint known, verdict on all, truth of the round trips.

In each round a new mix is drawn, and the daemon and the programs it is measured against meet it in rotated
order. The daemon runs and knows of no peer; then the tailnet has N, and it is asked to look.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from benchmarks import peers as people
from benchmarks import tools
from benchmarks.daemon import daemon
from benchmarks.meter import meter
from benchmarks.namespaces import inside
from benchmarks.process import ROOT, Finished, cpu_seconds, timed
from benchmarks.scene import Scene, scene
from benchmarks.watch import watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUNDS = 5
LARGEST = 1000
# Of how many live servers the two clocks are compared, those in a burst one after the other.
CLOCKED = 10
# A verdict that has not come by then does not come.
LONGEST_S = 10.0
# Requests to look again are served once a second at most: let the start be over.
QUIET_S = 1.5
UNKNOWN = re.compile(rb'"outcome":\s*null')
KNOWN = re.compile(rb'"outcome":\s*"')


@dataclass(slots=True)
class Ours:
    """Seconds from the ask. `best` is when the published endpoint became one that counts as the best for good."""

    first: float = float("inf")
    best: float = float("inf")
    verdict: float = float("inf")
    cpu: float = 0.0
    cpu_with_children: float = 0.0
    # Measured minus emulated round trip of each live server, in ms.
    errors: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Round:
    """One draw: what we did, what the others did, and the two clocks of rtt_probe against the emulator."""

    peers: list[people.Peer]
    ours: Ours
    others: dict[str, Finished]
    # Live servers that another program did not find, and addresses that it called live and that are not.
    missed: dict[str, tuple[int, int]]
    # (crowd wall, crowd kernel, burst wall, burst kernel) minus emulated, ms, one for each live server.
    clocks: list[tuple[float, float, float, float]]


def measure_ours(place: Scene) -> Ours:
    """One sweep of a daemon that has just learned of all its peers."""
    found = Ours()
    wanted = people.good_enough(place.peers)
    everyone = {peer.url for peer in place.peers}
    published: list[tuple[float, str]] = []
    place.list_peers([])
    with daemon(place) as running, watch(running.state) as folder, meter(running.pid, "daemon") as gauge:
        time.sleep(QUIET_S)
        listed = place.prepare(place.peers)
        folder.changed(0)
        cpu, cpu_with_children = cpu_seconds(running.pid), gauge.seconds()
        place.swap(listed)
        began = running.ask()

        def seen(name: str, content: bytes, when: float) -> bool:
            if name == "endpoint":
                published.append((when - began, content.decode().strip()))
            if name != "state.json" or len(KNOWN.findall(content)) < len(everyone) or UNKNOWN.search(content):
                return False
            found.verdict = when - began
            return True

        folder.until(seen, LONGEST_S)
        found.cpu = cpu_seconds(running.pid) - cpu
        found.cpu_with_children = gauge.seconds() - cpu_with_children
        ours = [(when, url) for when, url in published if url in everyone]
        if ours:
            found.first = ours[0][0]
        for when, url in reversed(ours):
            if url not in wanted:
                break
            found.best = when
        compare(found, place.peers, running.snapshot().get("servers", []))
    return found


def compare(found: Ours, peers: list[people.Peer], servers: list[dict[str, object]]) -> None:
    """What the daemon says of each peer against what the peer is."""
    said = {str(server["url"]): server for server in servers}
    outcome = {"alive": "alive", "refusing": "refused", "silent": "silent"}
    for peer in peers:
        server = said.get(peer.url, {})
        if server.get("outcome") != outcome[peer.kind]:
            found.wrong.append(f"{peer.kind} is called {server.get('outcome')}")
        measured = server.get("rtt_ms")
        if peer.kind == "alive" and isinstance(measured, float | int):
            found.errors.append(measured - peer.rtt_ms)


def measure_clocks(place: Scene) -> list[tuple[float, float, float, float]]:
    running = place.folder / "alive"
    chosen = people.alive(place.peers)[:: max(1, len(people.alive(place.peers)) // CLOCKED)]
    running.write_text("\n".join(peer.address for peer in chosen))
    words: list[str | Path] = [sys.executable, ROOT / "benchmarks/rtt_probe.py", place.addresses(), running]
    with inside(place.client):
        found = json.loads(timed(words).output)
    return [
        (pairs[0][0] - rtt, pairs[0][1] - rtt, pairs[1][0] - rtt, pairs[1][1] - rtt)
        for peer in chosen
        for pairs, rtt in [(found[peer.address], peer.rtt_ms)]
        if isinstance(pairs[0], list)
    ]


def one(count: int, number: int, nearest_ms: float) -> Round:
    """One draw. The slow ones among the others are asked where a verdict on all is compared."""
    peers = people.mix(count, count + number, nearest_ms)
    everybody = count == LARGEST and nearest_ms == people.LEAST_RTT_MS
    with scene(peers) as place:
        running = {peer.address for peer in people.alive(peers)}
        others: dict[str, Finished] = {}
        missed: dict[str, tuple[int, int]] = {}
        mine: list[Ours] = []

        def other(name: str, words: list[str], found: Callable[[str], set[str]]) -> None:
            """LlamaScanner finds its peers by the `tailscale` on its path."""
            env = {**os.environ, "PATH": f"{place.folder}:{os.environ['PATH']}"}
            place.list_peers(peers)
            with inside(place.client):
                done = timed(words, env)
            got = found(done.output)
            missed[name] = len(running - got), len(got - running)
            others[name] = done

        order: list[Callable[[], None]] = [lambda: mine.append(measure_ours(place))]
        if tools.find("nmap"):
            order.append(lambda: other("nmap", tools.nmap(place.addresses()), tools.nmap_found))
        if tools.find("curl") and everybody:
            order.append(lambda: other("curl", tools.curl(place.addresses()), tools.curl_found))
        if (words := tools.llama_scanner()) and everybody:
            order.append(lambda: other("LlamaScanner", words, tools.llama_found))
        for step in order[number % len(order) :] + order[: number % len(order)]:
            step()
        clocks = measure_clocks(place) if nearest_ms == people.LEAST_RTT_MS else []
        return Round(peers, mine[0], others, missed, clocks)


@cache
def rounds(count: int, nearest_ms: float = people.LEAST_RTT_MS) -> tuple[Round, ...]:
    """Measured once for all the rows that look at them."""
    return tuple(one(count, number, nearest_ms) for number in range(ROUNDS))
