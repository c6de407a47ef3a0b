"""One full round and its snapshot: for `ollama-located --once`, and for commands where no daemon runs."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ollama_locate.core.bounds_models import INVENTORY_PATIENCE
from ollama_locate.core.config import Config, Followed
from ollama_locate.core.constants import MODELS_MAX
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.taking import Run, take
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.pin import read_pin
from ollama_locate.edge.speeds import read_speeds

from .finder import Finder

if TYPE_CHECKING:
    from ollama_locate.core.pin import Pin
    from ollama_locate.core.speed import Speed

_LIST_PATIENCE = 1.0
"""Seconds for a list of models: unlike the daemon, who looks once has no second chance to get it."""


def _ignore(*, news: bool = False) -> None:
    """Nothing follows from a change here: everybody is waited for."""


def followed_now(config: Config, folder: Path, say: Callable[[str], None]) -> Followed:
    """What the user wants besides; a pin or figures that cannot be read are said, and not followed."""
    pin: Pin | None = None
    speeds: tuple[Speed, ...] = ()
    try:
        pin = read_pin(folder, time.time())
    except StateFolderError as error:
        say(str(error))
    try:
        speeds = read_speeds(folder)
    except StateFolderError as error:
        say(str(error))
    return Followed(config, pin, speeds)


async def look_once(
    followed: Followed,
    budget: float,
    *,
    before: Snapshot | None = None,
    wire: Wire | None = None,
    models: bool = False,
    abilities: bool = True,
) -> Snapshot:
    """Look at the tailnet, ask everybody once, and say what came out, after `budget` seconds at the latest.

    Whoever has not answered by then is silent so far. `models`: ask as well what is loaded, and with
    `abilities` what models can do, which takes a round trip for each.
    """
    over = asyncio.Event()
    finder = Finder(followed, _ignore, lambda _: over.set(), wire=wire, before=before)
    finder.prober.list_patience, finder.prober.abilities = _LIST_PATIENCE, abilities
    finder.locator.forwards(None)  # only a daemon listens
    if models:
        finder.shows = finder.prober.shows = MODELS_MAX  # as many as there is time for
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(budget):
                # This machine is asked while tailscale thinks: it may think for longer than there is time.
                finder.probe_due()
                await finder.look_at_all()
                finder.locator.recheck(finder.now())  # a person waits: nothing is spread over many machines
                finder.probe_due()
                while not finder.idle():
                    over.clear()
                    await over.wait()
        if models:
            await finder.prober.settled(INVENTORY_PATIENCE)
    finally:
        await finder.stop()
    decision = finder.locator.conclude(finder.now())
    return take(finder.locator, decision, followed.config.variables, finder.clock(), Run(os.getpid(), rounds=1))
