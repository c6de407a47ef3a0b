"""The least a Python daemon with the same dependencies can be: it imports them, asks 200 times, and idles.

    python memory_floor.py URL MODULE…

Run by the interpreter the daemon is installed in. Says `ready`, then idles in an event loop, with one
scheduled job where APScheduler is among the modules, until its standard input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import sys
from urllib.parse import urlsplit

GETS = 200


async def by_httpx(url: str) -> object:
    httpx = importlib.import_module("httpx")
    client = httpx.AsyncClient(trust_env=False)
    for _ in range(GETS):
        (await client.get(f"{url}/api/version")).raise_for_status()
    return client


async def by_h11(url: str) -> object:
    """One client, one connection, 200 answers."""
    h11 = importlib.import_module("h11")
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    client = h11.Connection(h11.CLIENT)
    for _ in range(GETS):
        head = h11.Request(method="GET", target="/api/version", headers=[("Host", where.netloc)])
        writer.write(client.send(head) + client.send(h11.EndOfMessage()))
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                client.receive_data(await reader.read(4096))
        client.start_next_cycle()
    return writer


async def tick() -> None:
    """The one job."""


async def main(url: str, modules: list[str]) -> None:
    kept: list[object] = []
    for name in modules:
        # The interpreter reports what it looked for and did not find as well.
        with contextlib.suppress(ModuleNotFoundError):
            kept.append(importlib.import_module(name))
    kept.append(await (by_httpx(url) if "httpx" in modules else by_h11(url)))
    if "apscheduler.schedulers.asyncio" in modules:
        timezone = importlib.import_module("datetime").timezone.utc
        scheduler = importlib.import_module("apscheduler.schedulers.asyncio").AsyncIOScheduler(timezone=timezone)
        scheduler.add_job(tick, "interval", seconds=1)
        scheduler.start()
    print("ready", flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
