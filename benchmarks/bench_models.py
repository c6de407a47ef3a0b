"""Rows: what many models cost: the daemon's memory, ten thousand on one server, a choice for each, the query."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import bench_memory, bench_query
from benchmarks import peers as people
from benchmarks.daemon import Daemon, daemon, surroundings
from benchmarks.install import programs
from benchmarks.local_api import real_tailscale
from benchmarks.meter import meter
from benchmarks.namespaces import inside
from benchmarks.needs import missing
from benchmarks.ollama_stand_in import MODELS
from benchmarks.process import ROOT, memory, script, timed
from benchmarks.row import Row, Spread, ratio, skipped
from benchmarks.scene import scene

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVERS, EACH = 20, 300
REACH_MIB = 36.0
# Without it more than ten machines would share the interval, and ask of one model with each check what it can do.
ALONE = "machines = 1\n"
# So it asks of 16; and it publishes seldom what costs much.
KNOWN_S = 150.0
# Afterwards so many more rounds, in which nothing is new.
STILL = 20
MANY = 10_000
START_S = 60.0
INTERVAL_S, CHECKS = 15, 4
REACH_START_S, REACH_PEAK_MIB, REACH_MINUTE_S = 3.0, 64.0, 0.6
CHOICES = SERVERS * EACH
HOLDERS = 4
PROCESSES, ROUNDS = 5, 5
REACH_RATIO = 1.0
WORKER = ROOT / "benchmarks/choose_worker.py"


def fleet(count: int) -> list[people.Peer]:
    """All of them alive, 20 to 80 ms away."""
    step = (people.GREATEST_RTT_MS - people.LEAST_RTT_MS) / max(1, count - 1)
    return [people.Peer(number, "alive", people.LEAST_RTT_MS + number * step) for number in range(count)]


def run() -> Iterator[Row]:
    yield from choices()
    yield query()
    wide, long = f"PSS of the daemon, {EACH} models on each of {SERVERS} servers", f"{MANY:,} models on one server"
    if missing():
        yield skipped(wide, missing())
        yield skipped(long, missing())
        return
    yield breadth(wide)
    yield from depth(long)


# --- many servers


def known(running: Daemon) -> tuple[int, int]:
    """How many models are published, and of how many it is known what they can do."""
    models = [model for server in running.snapshot()["servers"] for model in server.get("inventory") or ()]
    return len(models), sum(model.get("can") is not None for model in models)


def breadth(what: str) -> Row:
    with scene(fleet(SERVERS), own=EACH - len(MODELS)) as place, contextlib.ExitStack() as stack:
        place.list_peers(place.peers)
        modules = bench_memory.imported(place)
        words: list[str | Path] = [programs() / "python", bench_memory.FLOOR, place.peers[0].url]
        cli, socket, _ = stack.enter_context(real_tailscale(place))
        running = stack.enter_context(daemon(place, interval="1s", tailscale=cli, socket=socket, config=ALONE))
        with inside(place.client):
            floor = stack.enter_context(script([*words, *bench_memory.third_party(modules)]))
        began = time.monotonic()
        while known(running) != (SERVERS * EACH, SERVERS * EACH):
            if time.monotonic() - began > KNOWN_S:
                raise RuntimeError(f"of {SERVERS * EACH} models only {known(running)} are known")
            time.sleep(2)
        took = time.monotonic() - began
        rounds = running.wait(running.snapshot()["round"] + STILL, 4 * STILL)["round"]
        ours, least = memory(running.pid), memory(floor.pid)
    return Row(
        what=what,
        ours=f"{ours.pss:.1f} MiB (USS {ours.uss:.1f})",
        against=f"idle Python with the same imports {least.pss:.1f} MiB (USS {least.uss:.1f})",
        ratio=f"{ours.pss / least.pss:.2f}",
        reach=f"≤ {REACH_MIB:.0f} MiB",
        reached=ours.pss <= REACH_MIB,
        remark=f"{ours.pss - least.pss:+.1f} MiB above the floor, after {rounds} rounds of a second; what every model "
        f"can do was known after {took:.0f} s",
    )


# --- one long list


@dataclass(frozen=True, slots=True)
class Long:
    """Seconds until the file has every model, MiB at the most until the window is over, CPU seconds of a check."""

    right: float
    peak: float
    check: float


def long_list(models: int) -> Long:
    programs()  # not in any time
    peak = 0.0
    with scene(fleet(1), own=models - len(MODELS)) as place:
        place.list_peers(place.peers)
        began = time.monotonic()
        with daemon(place, interval=f"{INTERVAL_S}s", rounds=0) as running, meter(running.pid, "daemon") as gauge:
            file = running.state / "models"

            def lines() -> int:
                return file.read_bytes().count(b"\n") if file.exists() else 0

            while lines() != models:
                peak = max(peak, memory(running.pid).pss)
                if time.monotonic() - began > START_S:
                    raise RuntimeError(f"the file has {lines()} of {models} models after {START_S:.0f} s")
                time.sleep(0.01)
            right = time.monotonic() - began
            first = running.wait(2, 3 * INTERVAL_S)["round"]
            before = gauge.seconds()
            while running.snapshot()["round"] < first + CHECKS:
                peak = max(peak, memory(running.pid).pss)
                if time.monotonic() - began > START_S + 3 * CHECKS * INTERVAL_S:
                    raise RuntimeError("the daemon makes no rounds")
                time.sleep(0.5)
            check = (gauge.seconds() - before) / (running.snapshot()["round"] - first)
    return Long(right, peak, check)


def depth(what: str) -> Iterator[Row]:
    many, few = long_list(MANY), long_list(len(MODELS))
    yield Row(
        what=f"{what}, from the daemon's start until its files are right",
        ours=f"{many.right:.2f} s",
        against=f"{len(MODELS)} models {few.right:.2f} s",
        ratio=f"{many.right / few.right:.2f}",
        reach=f"≤ {REACH_START_S:.0f} s",
        reached=many.right <= REACH_START_S,
        remark="the list is 4 MB long, and comes through the emulator, whose peer is 20 ms away",
    )
    yield Row(
        what=f"{what}, peak PSS of the daemon",
        ours=f"{many.peak:.1f} MiB",
        against=f"{len(MODELS)} models {few.peak:.1f} MiB",
        ratio=f"{many.peak / few.peak:.2f}",
        reach=f"≤ {REACH_PEAK_MIB:.0f} MiB",
        reached=many.peak <= REACH_PEAK_MIB,
        remark="looked at every 10 ms until the files are right, then twice a second",
    )
    minute = 2 * many.check
    yield Row(
        what=f"{what}, CPU a minute, regular rounds",
        ours=f"{minute:.3f} s",
        against=f"{len(MODELS)} models {2 * few.check:.3f} s",
        ratio=f"{many.check / few.check:.1f}",
        reach=f"≤ {REACH_MINUTE_S} s",
        reached=minute <= REACH_MINUTE_S,
        remark=f"CPU of {CHECKS} checks {INTERVAL_S} s apart, two of which are a minute's; with each check it is asked "
        "what 16 more models can do and all is published; the list itself is asked for every quarter of an hour only",
    )


# --- a choice for each, and who asks for one


def choices() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix=f"olb-{os.getpid()}-") as folder:
        status = Path(folder) / "status.json"
        status.write_bytes(people.status(fleet(SERVERS)))
        for holders, where in ((1, "each on one"), (HOLDERS, f"each on {HOLDERS}")):
            words: list[str | Path] = [programs() / "python", WORKER, status, *map(str, (CHOICES, holders, ROUNDS))]
            found: list[list[float]] = []
            for _ in range(PROCESSES):
                done = timed(words)
                if done.status:
                    raise RuntimeError(f"choose_worker: {done.output.strip()[-300:]}")
                found += json.loads(done.output)
            # The snapshot makes the choice itself.
            ours, theirs = [taken + rendered for _, taken, rendered, _ in found], [each[3] for each in found]
            spread = ratio(ours, theirs)
            parts = [1e3 * Spread.of(part).median for part in zip(*found, strict=True)]
            yield Row(
                what=f"CPU of a publication, {CHOICES:,} models on {SERVERS} servers, {where}",
                ours=Spread.of(1e3 * each for each in ours).text("ms", 0),
                against=f"`json.dumps` of the same state {Spread.of(1e3 * each for each in theirs).text('ms', 0)}",
                ratio=spread.text("", 2),
                reach=f"≤ {REACH_RATIO:.0f}",
                reached=spread.median <= REACH_RATIO,
                remark=f"the choice {parts[0]:.1f} ms, the rest of the snapshot {parts[1] - parts[0]:.1f} ms, "
                f"all files {parts[2]:.1f} ms",
            )


def query() -> Row:
    bin_ = programs()
    model = f"model-{CHOICES - 1}:latest"
    theirs = [str(bin_ / "python"), "-c", "pass"]
    ours = [str(bin_ / "ollama-locate"), "--model", model]
    with tempfile.TemporaryDirectory(prefix=f"olb-{os.getpid()}-") as folder:
        state = Path(folder) / "state"
        bench_query.publish(state)
        lines = sorted(f"model-{number}:latest\thttp://100.64.0.2:{number}" for number in range(CHOICES))
        (state / "models").write_text("".join(f"{line}\n" for line in lines))
        env = surroundings(Path(folder), state)
        said = timed(ours, env)
        if (said.status, said.output) != (0, f"http://100.64.0.2:{CHOICES - 1}\n"):
            raise RuntimeError(f"ollama-locate answered {said.status} {said.output!r}")
        rounds = []
        for _ in range(bench_query.ROUNDS):
            os.utime(state / "verdict")
            rounds.append(bench_query.pairs(ours, theirs, env))
    found = Spread.of(mine / other for mine, other in rounds)
    return Row(
        what=f"`ollama-locate --model`, a file of {CHOICES:,} models",
        ours=Spread.of(1e3 * mine for mine, _ in rounds).text("ms", 2),
        against=f"`python -c pass` {Spread.of(1e3 * other for _, other in rounds).text('ms', 2)}",
        ratio=found.text("", 3),
        reach=f"≤ {bench_query.REACH:.2f}",
        reached=found.median <= bench_query.REACH,
        remark=f"{bench_query.ROUNDS} rounds of {bench_query.STARTS} starts each",
    )
