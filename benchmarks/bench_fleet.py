"""Row: what one daemon costs among ten thousand machines, of which fifty serve: CPU, memory, and what a look costs."""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
from typing import TYPE_CHECKING

from benchmarks import peers as people
from benchmarks.daemon import daemon
from benchmarks.local_api import real_tailscale
from benchmarks.meter import meter
from benchmarks.needs import missing
from benchmarks.process import cpu_seconds, memory
from benchmarks.row import Row, skipped
from benchmarks.scene import scene

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVERS, MACHINES = 50, 10_000
SETTLE_S = 60.0
# As long as the safety net of the looks, so that there is about one look in it.
WINDOW_S = float(os.environ.get("BENCH_FLEET_WINDOW_S", "300"))
CONFIG = 'allow = ["tag:ollama"]\nlocal = "off"\n'


def status(servers: list[people.Peer]) -> bytes:
    """The fifty with their tag, and everybody else's machines."""
    others = [people.Peer(number, "silent", 0.0) for number in range(SERVERS, MACHINES)]
    listed = json.loads(people.status([*servers, *others]))
    for number, node in enumerate(listed["Peer"].values()):
        node["UserID"] = 1000 + number
        if number < SERVERS:
            node["Tags"] = ["tag:ollama"]
    return json.dumps(listed, indent=2).encode() + b"\n"


def run() -> Iterator[Row]:
    what = f"a daemon among {MACHINES:,} machines, {SERVERS} of them servers"
    if missing():
        yield skipped(what, missing())
        return
    draw = random.Random(1)
    servers = [people.Peer(number, "alive", draw.uniform(20, 80)) for number in range(SERVERS)]
    with scene(servers) as place, contextlib.ExitStack() as stack:
        text = status(servers)
        (place.folder / "status.json").write_bytes(text)
        cli, socket, kind = stack.enter_context(real_tailscale(place))
        running = stack.enter_context(daemon(place, tailscale=cli, socket=socket, config=CONFIG))
        gauge = stack.enter_context(meter(running.pid, "daemon"))
        time.sleep(SETTLE_S)
        began, with_children, own = time.monotonic(), gauge.seconds(), cpu_seconds(running.pid)
        rounds = running.snapshot()["round"]
        time.sleep(WINDOW_S)
        minutes = (time.monotonic() - began) / 60
        with_children, own = gauge.seconds() - with_children, cpu_seconds(running.pid) - own
        found, held = running.snapshot(), memory(running.pid)
        rounds = found["round"] - rounds
    up = sum(one["outcome"] == "alive" for one in found["servers"])
    yield Row(
        what=f"CPU a minute of {what}",
        ours=f"{own / minutes:.3f} s (with tailscale {with_children / minutes:.3f} s)",
        reach="stated",
        reached=None,
        remark=f"{kind}; its status has {len(text) / 1e6:.0f} MB; {up} servers up; {rounds} rounds in {WINDOW_S:.0f} s",
    )
    yield Row(
        what=f"PSS of {what}",
        ours=f"{held.pss:.1f} MiB (USS {held.uss:.1f})",
        reach="stated",
        reached=None,
        remark="the peers that it leaves alone are kept with their reasons, for `why`",
    )
