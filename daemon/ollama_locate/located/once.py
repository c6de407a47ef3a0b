"""One full round and its snapshot: for `ollama-located --once`, and for commands where no daemon runs."""

import asyncio
import contextlib
import os

from ollama_locate.core.config import Config
from ollama_locate.core.snapshot import Run, Snapshot, take
from ollama_locate.core.track import LastGood
from ollama_locate.edge.dial import Wire

from .finder import Finder


async def look_once(
    config: Config, budget: float, *, last_good: LastGood | None = None, wire: Wire | None = None
) -> Snapshot:
    """Look at the tailnet, ask everybody once, and say what came out, after `budget` seconds at the latest.

    Whoever has not answered by then is silent so far.
    """
    over = asyncio.Event()
    finder = Finder(config, lambda: None, lambda _: over.set(), wire=wire, last_good=last_good)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(budget):
                await finder.look()
                if finder.probe_due():
                    await over.wait()
    finally:
        await finder.stop()
    decision = finder.locator.conclude(finder.now())
    return take(finder.locator, decision, config.variables, finder.clock(), Run(os.getpid(), rounds=1))
