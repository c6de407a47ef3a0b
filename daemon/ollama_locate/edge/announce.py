"""What this machine says of its own Ollama on the LAN: an announcement on one interface, with a goodbye at its end.

Imported where mDNS is on, and nowhere else.
"""

import asyncio
import contextlib
import socket
from ipaddress import IPv4Address
from typing import NamedTuple

from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from ollama_locate.core.bounds import MDNS_GOODBYE
from ollama_locate.core.constants import MDNS_SERVICE


class Offer(NamedTuple):
    """One Ollama at one address: `addresses` are all of that interface, the first is where it answers."""

    addresses: tuple[str, ...]
    port: int
    version: str

    @property
    def address(self) -> IPv4Address:
        """Where it answers."""
        return IPv4Address(self.addresses[0])


class Announcement:
    """One offer, on its own interface only: another link has no use for this one's addresses.

    The name is `HOST-ADDRESS-PORT`, so that nobody else has it: it is not asked for first. `host` is this machine's.
    """

    def __init__(self, offer: Offer, host: str) -> None:
        """Open the sockets. Raises OSError."""
        self._zeroconf = AsyncZeroconf(interfaces=[str(offer.address)], ip_version=IPVersion.V4Only)
        name = f"{host}-{str(offer.address).replace('.', '-')}-{offer.port}"[-63:]
        self._info = AsyncServiceInfo(
            MDNS_SERVICE,
            f"{name}.{MDNS_SERVICE}",
            port=offer.port,
            properties={"version": offer.version},
            server=f"{host}.local.",
            parsed_addresses=list(offer.addresses),
        )

    async def say(self) -> None:
        """Announce it: three times within half a second; afterwards whoever asks is answered."""
        await (await self._zeroconf.async_register_service(self._info, cooperating_responders=True))

    async def take_back(self) -> None:
        """Say goodbye, and answer no more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MDNS_GOODBYE):
                await self._zeroconf.async_unregister_all_services()
        await self._zeroconf.async_close()


def host_name() -> str:
    """This machine's first label, as far as it may stand in a name of the LAN."""
    label = socket.gethostname().partition(".")[0].lower()
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in label)[:63].strip("-") or "ollama"
