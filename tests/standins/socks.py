"""A real SOCKS5 proxy, as tailscaled has one (net/socks5): its tailnet is a table of loopback ports.

As a program it prints its port: `python -m tests.standins.socks 100.64.0.2=40001 …`.
"""

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from ipaddress import ip_address

from .ollama import Behaviour, serving

OK = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"
FAILED = b"\x05\x01\x00\x01\x00\x00\x00\x00\x00\x00"
"""What tailscaled says of every failure."""

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


async def greeted(reader: Reader, writer: Writer) -> tuple[str, int]:
    """Take the greeting and the request; the address that is wanted."""
    version, methods = await reader.readexactly(2)
    assert version == 5
    assert 0 in await reader.readexactly(methods)
    writer.write(b"\x05\x00")
    version, command, _, kind = await reader.readexactly(4)
    assert (version, command) == (5, 1)
    host = ip_address(await reader.readexactly({1: 4, 4: 16}[kind]))
    return str(host), int.from_bytes(await reader.readexactly(2), "big")


def leads(table: Mapping[str, int], reply: bytes = OK, wait: float = 0.0) -> Behaviour:
    """Leads to the loopback ports of this table, by address; to nobody else."""

    async def serve(reader: Reader, writer: Writer) -> None:
        host, _ = await greeted(reader, writer)
        await asyncio.sleep(wait)
        try:
            there = await asyncio.open_connection("127.0.0.1", table[host])
        except (KeyError, OSError):
            writer.write(FAILED)
            return
        writer.write(reply)
        ways = [asyncio.ensure_future(_copy(reader, there[1])), asyncio.ensure_future(_copy(there[0], writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)  # then both end, as tailscaled does it
        finally:
            for way in ways:
                way.cancel()
            there[1].close()

    return serve


async def _copy(reader: Reader, writer: Writer) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


async def _main(table: Mapping[str, int]) -> None:
    async with serving(leads(table)) as port:
        print(port, flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(_main({word.partition("=")[0]: int(word.partition("=")[2]) for word in sys.argv[1:]}))
