"""Row: memory of the daemon with 20 peers, against the least that a Python with its imports can be."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from benchmarks import peers as people
from benchmarks.daemon import Daemon, daemon
from benchmarks.install import programs
from benchmarks.local_api import real_tailscale
from benchmarks.namespaces import inside
from benchmarks.needs import missing
from benchmarks.process import ROOT, memory, script
from benchmarks.row import Row, skipped
from benchmarks.scene import Scene, scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = 20
WARM = 100
# Growth is looked for over this many rounds of a second; `--long` takes a thousand.
MORE, MORE_LONG = 200, 1000
ABOVE_FLOOR_MIB = 5.0
REACH_MIB = 34.0
# What an allocator may move back and forth in that time; a leak of 1.3 kB a round is more.
GROWTH_MIB = 0.25
# asyncio itself imports the module ssl; contexts, which cost memory, are made by httpx, with certifi's list.
UNWANTED = ("zeroconf", "rich", "httpx", "certifi")
PROFILED_ROUNDS = 5
FLOOR = ROOT / "benchmarks/memory_floor.py"


def imported(place: Scene) -> list[str]:
    """Every module the daemon imports, at the start and later, as the interpreter itself reports them."""
    with daemon(place, interval="1s", env={"PYTHONPROFILEIMPORTTIME": "1"}) as running:
        running.wait(PROFILED_ROUNDS, 30)
        report = running.log.read_text(errors="replace").splitlines()
    return [line.rsplit("|", 1)[1].strip() for line in report if line.startswith("import time:") and "|" in line]


def third_party(modules: list[str]) -> list[str]:
    """Those that are installed: the interpreter also reports what it looked for and did not find."""
    (packages,) = programs().parent.glob("lib/python*/site-packages")
    installed = {path.name.split(".")[0] for path in packages.iterdir()} - {"ollama_locate"}
    return [name for name in modules if name.split(".")[0] in installed]


def run() -> Iterator[Row]:
    what = f"memory of the daemon, {COUNT} peers"
    if missing():
        yield skipped(what, missing())
        return
    with scene(people.mix(COUNT, seed=1)) as place:
        place.list_peers(place.peers)
        modules = imported(place)
        url = people.alive(place.peers)[0].url
        words: list[str | Path] = [programs() / "python", FLOOR, url, *third_party(modules)]
        with contextlib.ExitStack() as stack:
            cli, socket, _ = stack.enter_context(real_tailscale(place))
            running = stack.enter_context(daemon(place, interval="1s", tailscale=cli, socket=socket))
            with inside(place.client):
                floor = stack.enter_context(script(words))
            yield from measure(running, floor.pid, modules)


def measure(running: Daemon, floor: int, modules: list[str]) -> Iterator[Row]:
    """Both live at the same time, so that what they share with other Pythons is shared alike."""
    more = MORE_LONG if "--long" in sys.argv else MORE
    before = running.wait(WARM, 3 * WARM)["round"]
    early, least = memory(running.pid), memory(floor)
    above = early.pss - least.pss
    roots = sorted({name.split(".")[0] for name in third_party(modules)})
    yield Row(
        what=f"PSS of the daemon, {COUNT} peers, after {before} rounds",
        ours=f"{early.pss:.1f} MiB (USS {early.uss:.1f})",
        against=f"idle Python with the same imports {least.pss:.1f} MiB (USS {least.uss:.1f})",
        ratio=f"{early.pss / least.pss:.2f}",
        reach=f"≤ floor + {ABOVE_FLOOR_MIB:.0f} MiB, ≤ {REACH_MIB:.0f} MiB",
        reached=above <= ABOVE_FLOOR_MIB and early.pss <= REACH_MIB,
        remark=f"{above:+.1f} MiB above the floor; third-party packages loaded: {', '.join(roots)}",
    )
    unwanted = sorted(set(UNWANTED) & {name.split(".")[0] for name in modules})
    yield Row(
        what=f"{', '.join(UNWANTED)} in the daemon",
        ours=", ".join(unwanted) or "none loaded",
        reach="none",
        reached=not unwanted,
        remark="asyncio imports the module ssl; contexts are made by httpx only, for static https servers",
    )
    after = running.wait(before + more, 3 * more)["round"]
    late = memory(running.pid)
    yield Row(
        what=f"growth of USS from round {before} to {after}",
        ours=f"{late.uss - early.uss:+.2f} MiB (PSS {late.pss - early.pss:+.2f})",
        reach=f"≤ {GROWTH_MIB} MiB",
        reached=late.uss - early.uss <= GROWTH_MIB,
        remark="" if more == MORE_LONG else "`--long` looks at a thousand rounds",
    )
