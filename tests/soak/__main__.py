"""`make soak`: the installed daemon for hours among faults, each step drawn from a seed; writes RESULTS.md.

    python -m tests.soak [--hours 1] [--seed 1]

Needs root on Linux: it lives in a network and a mount namespace of its own, which end with it.
"""

import argparse
import asyncio
import http.client
import os
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from benchmarks.install import programs

from . import report
from .daemon import Daemon, Sample
from .faults import FAULTS, Undo, World, clocks
from .monitor import BOUND, EVERY, Monitor
from .truth import Answers, Tailnet

ROOT = Path(__file__).parents[2]
DISK = "4m"
CALM = 40.0
"""Seconds of rest before a measure: a heartbeat reads the last requests."""

ACTIVE_MAX = 4


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.soak")
    words.add_argument("--hours", type=float, default=1.0)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    args = words.parse_args()
    if args.inside is not None:
        return asyncio.run(_soak(args.inside, args.hours, args.seed))
    if sys.platform != "linux" or os.geteuid() != 0:
        print("make soak needs root on Linux: it makes a network of its own")
        return 1
    again = [sys.executable, "-m", "tests.soak", "--hours", str(args.hours), "--seed", str(args.seed)]
    return subprocess.run(
        ["unshare", "--net", "--mount", *again, "--inside", programs("ollama-locate-soak-")], cwd=ROOT, check=False
    ).returncode


async def _soak(where: Path, hours: float, seed: int) -> int:
    with tempfile.TemporaryDirectory(prefix="ollama-locate-soak-") as name:
        folder = Path(name)
        tailnet, (moved, why_not) = Tailnet(folder), clocks(folder)
        daemon = Daemon(where, folder, moved.env if moved is not None else {})
        daemon.state.mkdir(0o700)
        _run("mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "soak", str(daemon.state))
        try:
            await tailnet.start()
            run = Run(World(tailnet, daemon, moved, seed), hours * 3600.0)
            try:
                await run.all()
            except Exception as error:  # noqa: BLE001 - what was seen until then is worth writing down
                traceback.print_exc()
                run.monitor.breaches.append(f"the soak itself ended: {type(error).__name__}: {error}")
            code = daemon.stop()
            run.end(code)
        finally:
            daemon.stop()
            await tailnet.stop()
            _run("umount", "--lazy", str(daemon.state))
            (ROOT / ".soak.log").write_bytes(daemon.log.read_bytes() if daemon.log.exists() else b"")
    report.write(run, seed, hours, why_not)
    print(f"{len(run.monitor.breaches)} promises broken; written to {report.RESULTS.relative_to(ROOT)}")
    return 1 if run.monitor.breaches else 0


class Run:
    """`samples`: minutes since the start, and the daemon at rest."""

    def __init__(self, world: World, seconds: float) -> None:
        self.world, self.seconds = world, seconds
        self.monitor = Monitor(world)
        self.samples: list[tuple[float, Sample]] = []
        self.done: dict[str, int] = {}
        self.steps = self.forwarded = 0
        self._active: list[Undo] = []
        self._began = time.monotonic()

    async def all(self) -> None:
        self.world.daemon.start()
        await self._first()
        watching = asyncio.create_task(self.monitor.run())
        rest = max(120.0, self.seconds / 6)
        resting_at = self._began + min(rest, 180.0)
        try:
            while self.world.daemon.lives and (left := self._began + self.seconds - time.monotonic()) > 0:
                if time.monotonic() >= resting_at:
                    await self._rest()
                    resting_at = time.monotonic() + min(rest, max(left, 1.0))
                await self._step()
            await self._rest()
        finally:
            watching.cancel()

    async def _first(self) -> None:
        for _ in range(300):
            if (self.world.daemon.state / "state.json").exists():
                return
            await asyncio.sleep(0.1)
        raise RuntimeError(f"it published nothing: {self.world.daemon.log.read_text()[-2000:]}")

    async def _step(self) -> None:
        dice = self.world.dice
        chosen = [dice.choice(FAULTS) for _ in range(dice.choice((1, 1, 2, 3)))]
        self.steps += 1
        self.monitor.last = ", ".join(sorted({one.__name__ for one in chosen}))
        for one in chosen:
            self.done[one.__name__] = self.done.get(one.__name__, 0) + 1
            self._active.append(await one(self.world))
        await asyncio.sleep(dice.uniform(0.5, 4.0))
        await self._settle()
        while self._active and (len(self._active) > ACTIVE_MAX or dice.random() < 0.7):
            await self._active.pop(dice.randrange(len(self._active)))()
        await self._settle()
        print(f"{(time.monotonic() - self._began) / 60:6.1f} min, step {self.steps}: {self.monitor.last}", flush=True)

    async def _settle(self) -> None:
        """Until what is published is right; the monitor keeps the time."""
        self.monitor.look()
        for _ in range(round((BOUND + 5) / EVERY)):
            if not self.monitor.now_wrong or not self.world.daemon.lives:
                return
            await asyncio.sleep(EVERY)

    async def _rest(self) -> None:
        """All is undone; then the daemon is measured, and the forward is used."""
        while self._active:
            await self._active.pop()()
        self.monitor.last = "all undone"
        await self._settle()
        await asyncio.sleep(CALM)
        await self._settle()
        self.samples.append(((time.monotonic() - self._began) / 60, self.world.daemon.sample()))
        if any(one.answers is Answers.YES for one in self.world.tailnet.trusted()):
            await self._through_the_forward()

    async def _through_the_forward(self) -> None:
        try:
            status = await asyncio.to_thread(_get, 11435)
        except OSError as error:
            self.monitor.breaches.append(f"the forward at rest: {error}")
            return
        self.forwarded += 1
        if status != 200:
            self.monitor.breaches.append(f"the forward at rest: HTTP {status}")

    def end(self, code: int | None) -> None:
        """What is judged when all is over."""
        said = self.world.daemon.log.read_text(errors="replace")
        wrong = self.monitor.breaches
        if code != 0:
            wrong.append(f"the daemon ended with {code}")
        if "Traceback" in said:
            wrong.append(f"the log has a traceback: {said[said.index('Traceback') :][:2000]}")
        wrong += report.grown(self.samples)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, timeout=10)


def _get(port: int) -> int:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        asked.request("GET", "/api/version")
        return asked.getresponse().status
    finally:
        asked.close()


if __name__ == "__main__":
    sys.exit(main())
