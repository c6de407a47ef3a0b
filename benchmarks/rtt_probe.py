"""Round trips of connects, by the wall clock of an event loop and by the kernel's TCP_INFO, side by side.

    python -m benchmarks.rtt_probe ALL ALIVE

Connects to every address of the file ALL at once and prints, for those in the file ALIVE, a JSON object
{address: [[wall ms, kernel ms], …]}: one pair from that crowd, then one from a burst of three on its own.
The first says what a busy loop adds to a wall clock; the second is how the daemon measures.
"""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import struct
import sys
import time
from pathlib import Path

PORT = 11434
PATIENCE_S = 1.0
BURST = 3
# Offset of tcpi_rtt, in microseconds, in Linux's struct tcp_info.
TCPI_RTT = 68


async def connect(address: str) -> tuple[float, float]:
    """Milliseconds: wall clock, kernel."""
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.settimeout(0)
        began = time.perf_counter()
        async with asyncio.timeout(PATIENCE_S):
            await loop.sock_connect(connection, (address, PORT))
        wall = time.perf_counter() - began
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        return wall * 1e3, struct.unpack_from("I", info, TCPI_RTT)[0] / 1e3


async def burst(address: str) -> tuple[float, float]:
    """The least of three at once, of each clock."""
    found = await asyncio.gather(*(connect(address) for _ in range(BURST)))
    return min(wall for wall, _ in found), min(kernel for _, kernel in found)


async def main(everyone: list[str], alive: list[str]) -> None:
    crowd = dict(zip(everyone, await asyncio.gather(*map(connect, everyone), return_exceptions=True), strict=True))
    single = {address: await burst(address) for address in alive}
    print(json.dumps({address: [crowd[address], single[address]] for address in alive}))


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(20_000, hard), hard))
    asyncio.run(main(*(Path(file).read_text().split() for file in sys.argv[1:3])))
