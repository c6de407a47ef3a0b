"""Who announces a service on the LAN: zeroconf asks and listens, and each service that it hears is told as it is.

Imported where mDNS is on, and nowhere else: zeroconf costs 20 ms and 5 MiB. What is told was said by anybody.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import Protocol

from zeroconf import Error, IPVersion, RecordUpdate, RecordUpdateListener, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from ollama_locate.core.bounds import MDNS_ASK, MDNS_ASKED_MAX, MDNS_FLOOD, MDNS_POINTERS_MAX
from ollama_locate.core.mdns import Sighting

_A, _PTR, _AAAA, _SRV = 1, 12, 28, 33
"""Types of records (RFC 1035, 3.2.2; RFC 3596; RFC 2782)."""

# It warns of what hostile datagrams, and interfaces that go, bring about: nobody can mend that.
logging.getLogger("zeroconf").setLevel(logging.CRITICAL)


class Hearer(Protocol):
    """Who is told."""

    def known(self, name: str, host: str) -> Iterable[str]:
        """The names of the known services that are called so, or that this host has."""

    def heard(self, sighting: Sighting) -> None:
        """A service was announced, or again."""

    def gone(self, name: str) -> None:
        """A service said goodbye, or was announced too long ago."""

    def flooded(self) -> None:
        """More is said than can be listened to."""


class Browser(RecordUpdateListener):
    """Listens on these IPv4 addresses of this machine. Raises OSError where that cannot be had."""

    def __init__(self, hearer: Hearer, services: Iterable[str], addresses: Iterable[str]) -> None:
        self._hearer, self._types = hearer, tuple(services)
        self._loop = asyncio.get_running_loop()
        self._touched: dict[str, None] = {}
        self._gone: set[str] = set()
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._second, self._count, self._pointers = 0, 0, 0
        self._zeroconf = AsyncZeroconf(interfaces=list(addresses), ip_version=IPVersion.V4Only)
        self._zeroconf.zeroconf.async_add_listener(self, None)
        # It asks, and asks again before what is known is too old; its own word of changes is not used.
        self._questions = AsyncServiceBrowser(self._zeroconf.zeroconf, list(self._types), handlers=[_nothing])

    async def close(self) -> None:
        """Listen no more."""
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        await self._questions.async_cancel()
        await self._zeroconf.async_close()

    # --- what zeroconf hears, a datagram at a time

    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:  # noqa: ARG002 - theirs
        """Note which services these records are about; the cache has them afterwards only."""
        self._weigh(sum(one.old is None and one.new.type == _PTR for one in records))
        for record in (one.new for one in records):
            if record.type == _PTR and record.name.lower() in self._types:
                name = str(getattr(record, "alias", "")).lower()
                if record.is_expired(now):
                    self._gone.add(name)
                else:
                    self._touched[name] = None
            elif record.type in (_A, _AAAA, _SRV):
                self._touched.update(dict.fromkeys(self._hearer.known(record.name.lower(), _host(record.name))))

    def async_update_records_complete(self) -> None:
        """Tell of them."""
        touched, gone = list(self._touched), self._gone
        self._touched, self._gone = {}, set()
        for name in gone:
            self._hearer.gone(name)
        for name in touched:
            if name not in gone and not self._tell(name) and len(self._asking) < MDNS_ASKED_MAX:
                self._asking.setdefault(name, self._loop.create_task(self._request(name)))

    def _weigh(self, pointers: int) -> None:
        # zeroconf remembers the name of each until its TTL is over, whatever its cache forgets.
        before, self._pointers = self._pointers, self._pointers + pointers
        second = int(self._loop.time())
        self._count = self._count + 1 if second == self._second else 1
        self._second = second
        if self._count == MDNS_FLOOD or before < MDNS_POINTERS_MAX <= self._pointers:
            self._hearer.flooded()

    def _tell(self, name: str) -> bool:
        """Tell of a service if all of it is known."""
        info = self._info(name)
        if info is None:
            return True
        if not info.load_from_cache(self._zeroconf.zeroconf):
            return False
        self._say(info)
        return True

    async def _request(self, name: str) -> None:
        try:
            with contextlib.suppress(Error, OSError):
                info = self._info(name)
                if info is not None and await info.async_request(self._zeroconf.zeroconf, MDNS_ASK * 1000):
                    self._say(info)
        finally:
            self._asking.pop(name, None)

    def _info(self, name: str) -> AsyncServiceInfo | None:
        """What asks for one service; None where the name is none of one."""
        kind = next((one for one in self._types if name.endswith(f".{one}")), None)
        try:
            return AsyncServiceInfo(kind, name) if kind is not None else None
        except Error:
            return None

    def _say(self, info: AsyncServiceInfo) -> None:
        addresses = tuple(info.parsed_scoped_addresses(IPVersion.All))
        self._hearer.heard(Sighting(info.name, _host(info.server or ""), info.port or 0, addresses))


def _host(name: str) -> str:
    return name.rstrip(".").lower()


def _nothing(**_: object) -> None:
    """A browser must have somebody to tell."""
