"""One process that reads a status file, by our parser or by `json.loads`; prints its figures as JSON.

    python parse_worker.py STATUS ours|json ROUNDS

Run by the interpreter the package is installed in. Peak memory is what the peak of the whole process rises by
from the first round on, in MiB; with the bytes already in memory, so that it is the work's alone.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Of the peers that are trusted, one in this many is alive, with a round trip of its own.
ALIVE = 20


def peak_mib() -> float:
    """Of this program alone: `ru_maxrss` would start at the peak of the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def by_json(raw: bytes) -> list[float]:
    """Seconds of the one step."""
    began = time.perf_counter()
    json.loads(raw)
    return [time.perf_counter() - began]


def by_ours(raw: bytes) -> list[float]:
    """Seconds of parse, trust and selection."""
    began = time.perf_counter()
    tailnet = parse_status(raw)
    parsed = time.perf_counter()
    assert isinstance(tailnet, Tailnet)
    servers, _ = judge(tailnet, Policy(ports=(11434,)))
    trusted = time.perf_counter()
    peers = [server for server in servers if server.kind is Kind.PEER]
    assert len(peers) == len(tailnet.peers)
    alive = [Contender(one.key, 0, 0.02 + at / 1e4, ("mistral:latest",)) for at, one in enumerate(peers[::ALIVE])]
    ready = time.perf_counter()
    assert choose(alive, alive[-1].key).key == alive[0].key
    return [parsed - began, trusted - parsed, time.perf_counter() - ready]


def measure(work: Callable[[bytes], list[float]], raw: bytes, rounds: int) -> dict[str, object]:
    gc.collect()
    before = peak_mib()
    steps = []
    for _ in range(rounds):
        steps.append(work(raw))
        gc.collect()
    peak = peak_mib() - before
    tracemalloc.start()
    work(raw)
    return {"steps": steps, "peak": peak, "allocated": tracemalloc.get_traced_memory()[1] / 2**20}


if __name__ == "__main__":
    content = Path(sys.argv[1]).read_bytes()
    if sys.argv[2] == "ours":
        from ollama_locate.core.selection import Contender, choose
        from ollama_locate.core.server import Kind
        from ollama_locate.core.tailnet import Tailnet, parse_status
        from ollama_locate.core.trust import Policy, judge

    print(json.dumps(measure(by_ours if sys.argv[2] == "ours" else by_json, content, int(sys.argv[3]))))
