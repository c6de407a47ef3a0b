"""How a peer is reached: Tailscale's ping, and one more look at those who were silent."""

import asyncio
import time
from collections.abc import Iterable
from typing import NamedTuple

from ollama_locate.core.bounds import DOCTOR_ASK, DOCTOR_PING
from ollama_locate.core.config import Config
from ollama_locate.core.ping import Pong, parse_ping
from ollama_locate.core.server import authority_of, host_of, port_of
from ollama_locate.core.snapshot import ServerState
from ollama_locate.core.socks5 import read_proxy
from ollama_locate.core.tailnet import Unavailable
from ollama_locate.edge import tailscale
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.examine import Examined, examine


class Reach(NamedTuple):
    """What came of it; `again` is None where it was not asked once more."""

    pong: Pong | None
    again: Examined | None = None


def address(url: str) -> tuple[str, int]:
    """Where the server of a published URL listens."""
    return host_of(url), int(port_of(url))


def way(wire: Wire, server: ServerState) -> Wire:
    """The wire that leads to this server."""
    return wire.via(read_proxy(server.socks5))


async def ping(config: Config, server: ServerState) -> Pong | None:
    """One ping by Tailscale, which needs no access rule: directly or by a relay, as there is time for."""
    first = next((net.words for net in config.nets if net.name == server.tailnet), ())
    words = (*first, "ping", "-c=1", f"--timeout={DOCTOR_PING * 1000:.0f}ms", address(server.url)[0])
    # After a pong by a relay the command sleeps for a second, for nobody (Tailscale: cmd/tailscale/cli/ping.go).
    said = await tailscale.command(config.tailscale, *words, deadline=DOCTOR_PING + 0.1, first_line=True)
    return None if isinstance(said, Unavailable) else parse_ping(said.out.decode(errors="replace"))


async def reach(config: Config, wire: Wire, servers: Iterable[ServerState]) -> dict[str, Reach]:
    """Ping these, all at once; whoever answers and has not been heard is asked again, as the path is warm now."""

    async def one(server: ServerState) -> tuple[str, Reach]:
        where = address(server.url)
        pong = await ping(config, server)
        if pong is None or server.outcome == "alive":
            return server.key, Reach(pong)
        asked = await examine(way(wire, server), where, authority_of(server.url), DOCTOR_ASK, time.time())
        return server.key, Reach(pong, asked)

    return dict(await asyncio.gather(*map(one, servers)))
