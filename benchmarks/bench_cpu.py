"""Row: CPU of the daemon at rest, with all that it does and runs, against HAProxy's health checks."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from benchmarks import peers as people
from benchmarks import tools
from benchmarks.daemon import daemon
from benchmarks.local_api import real_tailscale
from benchmarks.meter import meter
from benchmarks.namespaces import inside
from benchmarks.needs import missing
from benchmarks.process import cpu_seconds, started
from benchmarks.row import Row, skipped
from benchmarks.scene import Scene, scene

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = 20
# Start-up, and the rounds in which refusing and silent peers are still asked more often than at rest.
SETTLE_S = 300.0
WINDOW_S = float(os.environ.get("BENCH_CPU_WINDOW_S", "120"))
# What HAProxy was seen to need for the checks of two servers.
REACH = 0.0235


def run() -> Iterator[Row]:
    what = f"CPU a minute, {COUNT} peers, rounds of 30 s, with sentinel, bell and history"
    if missing():
        yield skipped(what, missing())
        return
    with scene(people.mix(COUNT, seed=1)) as place, contextlib.ExitStack() as stack:
        place.list_peers(place.peers)
        cli, socket, kind = stack.enter_context(real_tailscale(place))
        running = stack.enter_context(daemon(place, tailscale=cli, socket=socket))
        ours = stack.enter_context(meter(running.pid, "daemon"))
        theirs = None
        if tools.find("haproxy"):
            theirs = stack.enter_context(meter(haproxy(place, stack), "haproxy"))
        time.sleep(SETTLE_S)
        began, round_before = time.monotonic(), running.snapshot()["round"]
        before = ours.seconds(), theirs.seconds() if theirs else 0.0, cpu_seconds(running.pid)
        time.sleep(WINDOW_S)
        a_minute = 60 / (time.monotonic() - began)
        after = ours.seconds(), theirs.seconds() if theirs else 0.0, cpu_seconds(running.pid)
        round_after = running.snapshot()["round"]
    mine, other, own = ((late - early) * a_minute for early, late in zip(before, after, strict=True))
    yield Row(
        what=what,
        ours=f"{mine:.4f} s",
        against=f"HAProxy, 2 servers every 2 s, {other:.4f} s" if theirs else "HAProxy is not here",
        ratio=f"{mine / other:.2f}" if theirs else "—",
        reach=f"≤ {REACH} s",
        reached=mine <= REACH,
        remark=f"{own:.4f} s its own, the rest is {kind}; "
        f"{round_after - round_before} rounds in {WINDOW_S:.0f} s, after {SETTLE_S:.0f} s"
        + ("" if ours.exact else "; no control group could be made, so children count in ticks of 10 ms"),
    )


def haproxy(place: Scene, stack: contextlib.ExitStack) -> int:
    """Its pid. It runs in the foreground, as one process."""
    config = place.folder / "haproxy.cfg"
    config.write_text(tools.haproxy_config([peer.address for peer in people.alive(place.peers)[:2]]))
    with inside(place.client):
        return stack.enter_context(started([tools.find("haproxy") or "haproxy", "-db", "-f", str(config)])).pid
