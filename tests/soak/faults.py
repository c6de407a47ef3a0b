"""What goes wrong: each fault is done, and gives back how it is undone. All chance comes from one seed."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from ollama_locate.core.errors import StateFolderError
from ollama_locate.edge.requests import Request, send
from tests.real.clocks import Clocks

from .daemon import CONFIG, Daemon
from .truth import BEHAVIOURS, Machine, Tailnet, ip

Undo = Callable[[], Awaitable[None]]


class World:
    """All that a fault can touch."""

    def __init__(self, tailnet: Tailnet, daemon: Daemon, clocks: Clocks | None, seed: int) -> None:
        self.tailnet, self.daemon, self.clocks = tailnet, daemon, clocks
        self.dice = random.Random(seed)
        self.stopped = self.full = False
        self.prefer = ["gpu-box", "*", "local"]
        self.configure()

    def configure(self, more: str = "") -> None:
        words = {"prefer": self.prefer, "deny": sorted(self.tailnet.denied)}
        text = CONFIG.format(
            command=self.tailnet.command,
            bus=self.tailnet.bus.path,
            metrics=self.daemon.state.parent / "ollama.prom",
            **words,
        )
        self.daemon.configure(text.replace("'", '"') + more)

    def machine(self) -> Machine:
        return self.dice.choice([*self.tailnet.peers, self.tailnet.den])


async def behave(world: World) -> Undo:
    """A server answers badly from now on, and what is connected to it is cut."""
    one, name = world.machine(), world.dice.choice([name for name in BEHAVIOURS if name != "good"])
    one.behaviour = name
    one.cut()

    async def undo() -> None:
        one.behaviour = "good"
        one.cut()

    return undo


async def kill(world: World) -> Undo:
    one = world.machine()
    one.kill()

    async def undo() -> None:
        if not one.runs:
            await one.start()

    return undo


async def silence(world: World) -> Undo:
    """Its cable is pulled; tailscaled hears of that at the same time, or not."""
    one, told = world.dice.choice(world.tailnet.peers), world.dice.random() < 0.5
    if one.silent:
        return nothing
    one.silent = True
    ip("addr", "del", f"{one.address}/32", "dev", "lo")
    if told:
        world.tailnet.show()

    async def undo() -> None:
        one.silent = False
        ip("addr", "add", f"{one.address}/32", "dev", "lo")
        # A machine that comes back is online again for the control plane: that is what ends a long wait for it.
        if not told:
            one.silent = True
            world.tailnet.show()
            await asyncio.sleep(0.5)
            one.silent = False
        world.tailnet.show()

    return undo


async def rob(world: World) -> Undo:
    """A machine becomes another user's."""
    one = world.dice.choice(world.tailnet.peers)
    one.mine = False
    world.tailnet.show()

    async def undo() -> None:
        one.mine = True
        world.tailnet.show()

    return undo


async def leave(world: World) -> Undo:
    one = world.dice.choice(world.tailnet.peers)
    one.listed = False
    world.tailnet.show()

    async def undo() -> None:
        one.listed = True
        world.tailnet.show()

    return undo


async def move(world: World) -> Undo:
    """A machine gets another address, and one of the tailnet's other names."""
    one = world.dice.choice([peer for peer in world.tailnet.peers if not peer.silent] or [world.tailnet.den])
    if one is world.tailnet.den:
        return nothing
    ran = one.runs
    one.kill()
    ip("addr", "del", f"{one.address}/32", "dev", "lo")
    one.address = f"100.64.{world.dice.randint(1, 200)}.{one.number}"
    ip("addr", "add", f"{one.address}/32", "dev", "lo")
    if ran:
        await one.start()
    world.tailnet.show()
    return nothing


async def away(world: World) -> Undo:
    """`tailscale down`."""
    world.tailnet.away = True
    world.tailnet.show()

    async def undo() -> None:
        world.tailnet.away = False
        world.tailnet.show()

    return undo


async def lie(world: World) -> Undo:
    """The command hangs, fails, floods, or prints what is none."""
    script = world.dice.choice(
        ("exec sleep 600", "echo '{\"BackendState\":'", "exit 1", "exec yes", "echo '\x1b[2Jno'", "kill -9 $$")
    )
    world.tailnet.says(script)

    async def undo() -> None:
        world.tailnet.says()

    return undo


async def flood_bus(world: World) -> Undo:
    for _ in range(50):
        world.tailnet.bus.say(os.urandom(2000))
        await asyncio.sleep(0.01)
    return nothing


async def cut_bus(world: World) -> Undo:
    """Tailscaled is restarted: its socket hangs up, and for a while says nothing."""
    world.tailnet.bus.open = False
    world.tailnet.bus.cut()

    async def undo() -> None:
        world.tailnet.bus.open = True

    return undo


async def fill(world: World) -> Undo:
    """The disk of the state folder is full."""
    if world.full:
        return nothing
    world.full, ballast = True, world.daemon.state / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass

    async def undo() -> None:
        ballast.unlink()
        world.full = False

    return undo


async def deny(world: World) -> Undo:
    """The config denies somebody; it is read at a SIGHUP, or by itself."""
    one = world.dice.choice(world.tailnet.peers)
    world.tailnet.denied.add(one.name)
    world.configure()
    world.daemon.signal(signal.SIGHUP)

    async def undo() -> None:
        world.tailnet.denied.discard(one.name)
        world.configure()
        world.daemon.signal(signal.SIGHUP)

    return undo


async def reorder(world: World) -> Undo:
    world.prefer = world.dice.sample(["gpu-box", "nas", "workstation", "*", "local"], 4)
    world.configure()
    world.daemon.signal(signal.SIGHUP)
    return nothing


async def break_config(world: World) -> Undo:
    """A config with a mistake: the last good one goes on, that is the one that was read: time is given for it."""
    await asyncio.sleep(3.0)
    if world.stopped:
        return nothing
    world.configure(world.dice.choice(("\nports = 1\n", "[", "\x00", '[static]\nx = "\x7f"\n', "intervall = 3\n")))
    world.daemon.signal(signal.SIGHUP)

    async def undo() -> None:
        world.configure()
        world.daemon.signal(signal.SIGHUP)

    return undo


async def ask(world: World) -> Undo:
    """Programs ask: some for a look, some say that a server failed them, some leave what is no request."""
    for _ in range(world.dice.choice((1, 30, 1500))):
        url = world.dice.choice([one.url for one in world.tailnet.machines] + ["\x1b[2J", "http://192.0.2.1:1"])
        kind = world.dice.choice(("refresh", "failed"))
        try:
            send(world.daemon.state, Request(kind, url=url if kind == "failed" else ""), world.daemon.pid)
        except StateFolderError:
            break  # the disk is full
    box = world.daemon.state / "requests"
    with contextlib.suppress(OSError):  # a daemon that is frozen takes none away: the disk may be full of them
        (box / "no-request").write_bytes(b"\xff{")
    return nothing


async def freeze(world: World) -> Undo:
    """The daemon is not run for a while."""
    world.stopped = True
    world.daemon.signal(signal.SIGSTOP)

    async def undo() -> None:
        world.daemon.signal(signal.SIGCONT)
        world.stopped = False

    return undo


async def shift_clocks(world: World) -> Undo:
    """Somebody sets the clock, or the machine has slept."""
    if world.clocks is None:
        return nothing
    hours = world.dice.choice((1, 8, 30)) * 3600.0
    if world.dice.random() < 0.5:
        world.clocks.sleep(hours)
    else:
        world.clocks.step(hours if world.clocks.wall < 0 else -hours)
    return nothing


async def read_busily(world: World) -> Undo:
    """Commands of the user, several at once."""
    words: tuple[list[str], ...] = (
        ["status"],
        ["why", "--json"],
        ["history"],
        ["env"],
        ["refresh"],
        ["why", "gpu-box"],
        [],
    )
    chosen = [world.dice.choice(words) for _ in range(4)]
    program, quiet = world.daemon.programs / "ollama-locate", subprocess.DEVNULL
    running = [
        await asyncio.create_subprocess_exec(program, *one, env=world.daemon.env, stdout=quiet, stderr=quiet)
        for one in chosen
    ]
    for process in running:
        await asyncio.wait_for(process.wait(), 60)
    return nothing


async def own(world: World) -> Undo:
    """This machine runs an Ollama of its own for a while."""
    if world.tailnet.here.runs:
        return nothing
    await world.tailnet.here.start()

    async def undo() -> None:
        world.tailnet.here.kill()

    return undo


async def nothing() -> None:
    """There is nothing to be undone."""


FAULTS: Final = (
    *(behave, behave, behave, kill, kill, silence, silence, rob, leave, move, away, lie, flood_bus, cut_bus),
    *(fill, deny, reorder, break_config, ask, freeze, shift_clocks, read_busily, own),
)
"""Those that happen more often stand here more often."""


def clocks(folder: Path) -> tuple[Clocks | None, str]:
    """The shim, and why there is none."""
    try:
        return Clocks(folder / "clocks"), ""
    except (OSError, subprocess.CalledProcessError) as error:
        return None, f"the clocks were not moved: {error}"
