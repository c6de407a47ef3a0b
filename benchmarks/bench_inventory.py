"""Rows: three servers, one of them with a model that the others lack: how soon who has it is known, and what it costs.

The costs are what the three servers see: requests to their Ollamas, bytes on their tailnet's devices. ollama-herd's
nodes ask the Ollama beside them, which is no byte on the device; what they tell the router is.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import peers as people
from benchmarks import tools
from benchmarks.client import ask
from benchmarks.daemon import Daemon, daemon, surroundings
from benchmarks.herd import herd
from benchmarks.install import programs
from benchmarks.namespaces import inside
from benchmarks.needs import missing
from benchmarks.ollama_stand_in import own_name
from benchmarks.process import timed
from benchmarks.routers import PORT, herd_nodes, herd_router, ollama_herd
from benchmarks.row import Row, Spread, skipped
from benchmarks.servers import Servers, servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PEERS = [people.Peer(0, "alive", 20.0), people.Peer(1, "alive", 40.0), people.Peer(2, "alive", 60.0)]
FARTHEST = PEERS[-1]
MODEL = own_name(FARTHEST.address, 0)
ROUNDS = 5
LONGEST_S = 40.0
# Herd's nodes beat every 5 s, whenever their router starts: how long they may have been at it before that.
BEATS_S = 4.0
# Of ours so many regular checks are counted, the first of which comes when what is asked once is over.
CHECKS = 3
LISTS_S = 2.0
HERD_SETTLE_S, HERD_WINDOW_S = 11.0, 45.0
HOUR_S = 3600.0
# LlamaScanner has no interval of its own: as often as we check.
INTERVAL_S = 30.0


def until(what: str, true: Callable[[], bool], pause_s: float) -> None:
    deadline = time.perf_counter() + LONGEST_S
    while not true():
        if time.perf_counter() > deadline:
            raise RuntimeError(f"{what} did not find {MODEL} within {LONGEST_S:.0f} s")
        time.sleep(pause_s)


def by_daemon(fleet: Servers) -> float:
    """Seconds from the start of its process to the line in the file that every reader asks."""
    wanted = f"{MODEL}\t{FARTHEST.url}\n".encode()
    began = time.perf_counter()
    with daemon(fleet.place, rounds=0) as running:
        models = running.state / "models"
        until("the daemon", lambda: models.exists() and wanted in models.read_bytes(), 0.002)
        return time.perf_counter() - began


def by_command(fleet: Servers) -> float:
    """Seconds of a command that finds no daemon."""
    config = fleet.place.folder / "ollama-locate"
    config.mkdir(exist_ok=True)
    (config / "config.toml").write_text(f'tailscale = "{fleet.place.tailscale}"\n')
    env = surroundings(fleet.place.folder, fleet.place.folder / "no-state")
    with inside(fleet.place.client):
        done = timed([programs() / "ollama-locate", "--model", MODEL], env)
    if f"{FARTHEST.url}\n" not in done.output:
        raise RuntimeError(f"ollama-locate answered {done.status} {done.output!r}")
    return done.wall_s


def by_herd(fleet: Servers) -> float:
    """Seconds from the start of its router to the first request that the right server answers; its nodes run."""
    with inside(fleet.place.client), herd_nodes(fleet):
        time.sleep(BEATS_S)
        began = time.perf_counter()
        with herd_router(fleet):
            until("ollama-herd", lambda: ask(f"http://127.0.0.1:{PORT}", MODEL) == FARTHEST.address, 0.02)
            return time.perf_counter() - began


def by_scanner(fleet: Servers) -> float:
    """Seconds of a run, which writes its file at its end."""
    targets = Path(tempfile.mkdtemp(dir=fleet.place.folder)) / "targets.json"
    words = tools.llama_targets(targets)
    assert words
    with inside(fleet.place.client):
        done = timed(words, {"PATH": f"{fleet.place.folder}:/usr/bin:/bin", "HOME": str(targets.parent)})
    found = json.loads(targets.read_text())["targets"]
    if [each["url"] for each in found if MODEL in each["models"]] != [FARTHEST.url]:
        raise RuntimeError(f"LlamaScanner found {found} and said {done.output!r}")
    shutil.rmtree(targets.parent)
    return done.wall_s


def an_hour(fleet: Servers, work: Callable[[], float]) -> tuple[float, float, float]:
    """Requests, bytes and packets an hour; `work` says for how many seconds of an hour it stands."""
    before = fleet.toll()
    seconds = work()
    toll = fleet.toll().since(before)
    return tuple(each * HOUR_S / seconds for each in (toll.requests, toll.wire, toll.packets))  # type: ignore[return-value]


def checks(running: Daemon, count: int) -> float:
    """Seconds until so many more rounds are through, with what follows them."""
    began = time.perf_counter()
    running.wait(running.snapshot()["round"] + count, (count + 1) * INTERVAL_S)
    time.sleep(LISTS_S)
    return time.perf_counter() - began


def beats() -> float:
    began = time.perf_counter()
    time.sleep(HERD_WINDOW_S)
    return time.perf_counter() - began


def run() -> Iterator[Row]:
    known, cost = "who has a model that one of three servers has", "what three servers see in an hour"
    if missing():
        yield skipped(known, missing())
        yield skipped(cost, missing())
        return
    programs()
    others: dict[str, Callable[[Servers], float]] = {}
    if herd():
        others["ollama-herd"] = by_herd
    if tools.llama_targets(Path(os.devnull)):
        others["LlamaScanner"] = by_scanner
    lacking = [f"{name} is not here" for name in ("ollama-herd", "LlamaScanner") if name not in others]
    with servers(PEERS, own=1) as fleet:
        yield from when_known(fleet, known, others, lacking)
        yield costs(fleet, cost, others, lacking)


def when_known(
    fleet: Servers, what: str, others: dict[str, Callable[[Servers], float]], lacking: list[str]
) -> Iterator[Row]:
    own = {"from the daemon's start": by_daemon, "`ollama-locate --model`, no daemon": by_command}
    everyone = own | others
    names, found = list(everyone), {name: list[float]() for name in everyone}
    for number in range(ROUNDS):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            found[name].append(everyone[name](fleet))
    for name in own:
        ratios = [mine / min(rest) for mine, *rest in zip(found[name], *(found[each] for each in others), strict=True)]
        spread = Spread.of(ratios) if others else None
        yield Row(
            what=f"{what}, {name}",
            ours=Spread.of(found[name]).text("s", 2),
            against=", ".join([*(f"{each} {Spread.of(found[each]).text('s', 2)}" for each in others), *lacking]),
            ratio=f"{spread.text('', 2)} to the best of them" if spread else "—",
            reach="< 1 of the best",
            reached=spread.median < 1 if spread else None,
            remark=f"{ROUNDS} rounds; the servers are 20, 40 and 60 ms away, the farthest has it; herd: from its "
            "router's start to the first request that is answered there; its nodes run before, and it may not "
            "answer by another model, which it does by default where that one is loaded",
        )


def costs(fleet: Servers, what: str, others: dict[str, Callable[[Servers], float]], lacking: list[str]) -> Row:
    found: dict[str, tuple[float, float, float]] = {}
    with daemon(fleet.place) as running:
        checks(running, 1)
        found["ours"] = an_hour(fleet, lambda: checks(running, CHECKS))
    if "ollama-herd" in others:
        with inside(fleet.place.client), ollama_herd(fleet):
            time.sleep(HERD_SETTLE_S)
            found["ollama-herd"] = an_hour(fleet, beats)
    if "LlamaScanner" in others:

        def scans() -> float:
            for _ in range(ROUNDS):
                by_scanner(fleet)
            return ROUNDS * INTERVAL_S

        found["LlamaScanner"] = an_hour(fleet, scans)
    ours, *rest = (each[:2] for each in found.values())
    best = [min(each[column] for each in rest) for column in (0, 1)] if rest else []
    ratios = [mine / other for mine, other in zip(ours, best, strict=False)]
    return Row(
        what=what,
        ours=said(found["ours"]),
        against=", ".join([*(f"{name} {said(each)}" for name, each in found.items() if name != "ours"), *lacking]),
        ratio=f"{ratios[0]:.2f} of the fewest requests, {ratios[1]:.2f} of the fewest bytes" if rest else "—",
        reach="≤ 1 of the least",
        reached=max(ratios) <= 1 if rest else None,
        remark=f"ours over {CHECKS} regular checks, herd's over {HERD_WINDOW_S:.0f} s, scaled to an hour; "
        f"LlamaScanner has no interval of its own: {ROUNDS} runs, as if there were one every {INTERVAL_S:.0f} s, as "
        "often as we check. Nine models on each server; bytes of all packets on the servers' tailnet devices, both "
        "ways, so that what herd's nodes ask the Ollama beside them is among the requests and not among the bytes",
    )


def said(each: tuple[float, float, float]) -> str:
    requests, wire, packets = each
    return f"{requests:,.0f} requests, {wire / 1e6:.2f} MB in {packets:,.0f} packets"
