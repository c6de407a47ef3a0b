"""mDNS in the daemon, where the config wants it: who is heard on the LAN, and what is said there of our own Ollama."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from ollama_locate.core.bounds import MDNS_CHECK, MDNS_FLOOD, MDNS_GAP, MDNS_REST, MDNS_SIGHTINGS_MAX
from ollama_locate.core.health import Status
from ollama_locate.core.mdns import OFF, Book, Heard, Link, Mdns, Sighting, chosen
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.server import Kind
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.examine import examine

from .finder import Finder
from .log import LOGGER

if TYPE_CHECKING:
    from ollama_locate.edge.announce import Announcement, Offer
    from ollama_locate.edge.mdns import Browser

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]

_LOOPBACK = (
    "mDNS: this machine's Ollama answers at 127.0.0.1 only, so that there is nothing to announce: start it with "
    "OLLAMA_HOST=0.0.0.0, or take `advertise` out of the config"
)
_KEEPS = (Outcome.BUSY, Outcome.SILENT)
"""What does not end an announcement: who is busy is not gone."""


class OnLan:
    """Follows the config, the interfaces and this machine's Ollama. `changed` is called when somebody came or went."""

    def __init__(self, finder: Finder, wire: Wire, spawn: Spawn, changed: Callable[[], None]) -> None:
        self._finder, self._wire, self._spawn, self._changed = finder, wire, spawn, changed
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._again = self._stopped = self._flooded = False
        self._config, self._troubles = OFF, dict[str, str]()
        self._book = Book()
        self._browser: Browser | None = None
        self._browsing: tuple[Mdns, tuple[Link, ...]] | None = None
        self._links: tuple[Link, ...] = ()
        self._own: frozenset[str] = frozenset()
        self._reheard: set[str] = set()
        self._judging: asyncio.TimerHandle | None = None
        self._judged_at = self._rests_until = float("-inf")
        self._announced: dict[Offer, Announcement] = {}
        self._local: frozenset[str] = frozenset()

    @property
    def troubles(self) -> tuple[str, ...]:
        """What a person should know, in sentences."""
        return tuple(filter(None, self._troubles.values()))

    def follow(self) -> None:
        """Do as the config, the interfaces and our own Ollama are now; one such look at a time."""
        config = self._finder.config.mdns
        works = self._browser is not None or bool(self._announced) or bool(self.troubles)
        self._again = config.browse or config.advertise or works
        if self._again and not self._stopped and (self._task is None or self._task.done()):
            self._task = self._spawn(self._follow())

    def check(self) -> None:
        """After a decision: if our own Ollama came or went, that is to be said on the LAN."""
        if not self._finder.config.mdns.advertise:
            return
        tracks = self._finder.locator.tracks.values()
        up = frozenset(
            one.server.key for one in tracks if one.server.kind is Kind.LOCAL and one.health.status is Status.UP
        )
        if up != self._local:
            self._local = up
            self.follow()

    async def stop(self) -> None:
        """Say goodbye, and listen no more."""
        self._stopped = True
        if self._judging is not None:
            self._judging.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._announce({})
        await self._listen(None)

    async def _follow(self) -> None:
        while self._again:
            self._again, before = False, self.troubles
            config = self._finder.config.mdns
            if config != self._config:
                self._config, self._troubles = config, {}
            self._look_round(config)
            resting = self._loop.time() < self._rests_until
            await self._listen((config, self._links) if config.browse and self._links and not resting else None)
            if not config.browse:
                self._book = Book()
            elif self._links:
                self._judge()
            await self._announce(await self._offers(config))
            if self.troubles != before:
                self._changed()

    def _look_round(self, config: Mdns) -> None:
        """See which interfaces there are now."""
        if not config.browse and not config.advertise:
            self._links = ()
            return
        from ollama_locate.edge import interfaces  # noqa: PLC0415 - with ctypes; only where mDNS is on

        self._links = chosen(interfaces.links(), config.interfaces)
        self._own = interfaces.own()
        wanted = f" of {', '.join(config.interfaces)}" if config.interfaces else ""
        self._say("links", "" if self._links else f"mDNS: no interface{wanted} is up and has an IPv4 address")

    def _say(self, what: str, sentence: str) -> None:
        """Say a trouble once, until it is another one."""
        if sentence and sentence != self._troubles.get(what):
            LOGGER.warning("%s", sentence)
        self._troubles[what] = sentence

    # --- listening

    async def _listen(self, wanted: tuple[Mdns, tuple[Link, ...]] | None) -> None:
        """Listen so from now on; on other interfaces, or for others, from the beginning."""
        if wanted == self._browsing:
            return
        if self._browser is not None:
            browser, self._browser, self._browsing = self._browser, None, None
            await browser.close()
        if wanted is None:
            return
        from ollama_locate.edge.mdns import Browser  # noqa: PLC0415 - 20 ms and 5 MiB, only where mDNS is on

        config, links = wanted
        try:
            self._browser = Browser(self, config.services, [link.four for link in links])
        except OSError as error:
            self._say("browse", f"mDNS cannot be listened to: {error.strerror or error}")
            return
        self._browsing = wanted
        self._say("browse", "")
        self._say("flood", "")
        LOGGER.info("listens for %s on %s", ", ".join(config.services), ", ".join(link.name for link in links))

    def known(self, name: str, host: str) -> Iterable[str]:
        """The names of the services that are called so, or that this host has."""
        return self._book.known(name, host)

    def heard(self, sighting: Sighting) -> None:
        """A service was announced, or again."""
        full = self._book.full
        if self._book.hear(sighting, self._finder.config.mdns.allow, self._loop.time()):
            self._reheard.add(sighting.name)
            self._judge_soon()
        if self._book.full and not full:
            LOGGER.warning("more than %d services are announced on the LAN: others are left out", MDNS_SIGHTINGS_MAX)

    def gone(self, name: str) -> None:
        """A service said goodbye: whether it lives is asked at once."""
        if self._book.gone(name):
            self._judge_soon()

    def flooded(self) -> None:
        """Who floods the LAN shall not keep this program busy."""
        sentence = f"more than {MDNS_FLOOD} datagrams a second of mDNS: not listened to for {MDNS_REST:.0f} s"
        if not self._flooded:
            LOGGER.warning("%s", sentence)
        self._flooded, self._troubles["flood"] = True, sentence
        self._rests_until = self._loop.time() + MDNS_REST
        self._loop.call_later(MDNS_REST, self.follow)
        self.follow()

    def _judge_soon(self) -> None:
        if self._judging is None and not self._stopped:
            self._judging = self._loop.call_at(max(self._loop.time(), self._judged_at + MDNS_GAP), self._judge)

    def _judge(self) -> None:
        """Let the core judge what was heard; who was heard again and is down is asked at once."""
        if self._judging is not None:
            self._judging.cancel()
        self._judging, self._judged_at = None, self._loop.time()
        locator, now = self._finder.locator, self._finder.now()
        before = set(locator.tracks), locator.roster.unasked
        networks = tuple(address.network for link in self._links for address in link.addresses)
        sightings = self._book.sightings(now)
        locator.hear(Heard(sightings, self._own, networks), now)
        if (set(locator.tracks), locator.roster.unasked) != before:
            self._changed()
        addresses = {one for each in sightings if each.name in self._reheard for one in each.addresses}
        self._reheard = set()
        for key, track in list(locator.tracks.items()):
            if track.server.kind is Kind.MDNS and track.server.host in addresses and track.health.misses:
                self._finder.doubted(key)

    # --- speaking

    async def _offers(self, config: Mdns) -> "dict[Offer, None]":
        """Where this machine's Ollama answers on the LAN."""
        from ollama_locate.edge.announce import Offer  # noqa: PLC0415 - as above

        if not config.advertise:
            return {}
        asked = [(link, port) for link in self._links for port in self._finder.config.ports]
        answers = await asyncio.gather(*(self._examine(link.four, port) for link, port in asked))
        offers: dict[Offer, None] = {}
        for (link, port), (outcome, version) in zip(asked, answers, strict=True):
            if outcome is Outcome.ALIVE:
                rest = (str(one.ip) for one in link.addresses if str(one.ip) != link.four)
                offers[Offer((link.four, *rest), port, version)] = None
            elif outcome in _KEEPS:
                same = (one for one in self._announced if (one.addresses[0], one.port) == (link.four, port))
                offers.update(dict.fromkeys(same))
        self._say("loopback", _LOOPBACK if self._local and self._links and not offers else "")
        return offers

    async def _examine(self, address: str, port: int) -> tuple[Outcome, str]:
        found = await examine(self._wire, (address, port), f"{address}:{port}", MDNS_CHECK, time.time())
        return found.outcome, found.version

    async def _announce(self, offers: "Iterable[Offer]") -> None:
        """Say these from now on, and goodbye to the others."""
        wanted = list(offers)
        over = [one for one in self._announced if one not in wanted]
        for one in over:
            LOGGER.info("this machine's Ollama is not announced any more at %s:%d", one.address, one.port)
        await asyncio.gather(*(self._announced.pop(one).take_back() for one in over))
        for one in wanted:
            if one not in self._announced:
                await self._announce_one(one)

    async def _announce_one(self, offer: "Offer") -> None:
        from ollama_locate.edge.announce import Announcement, host_name  # noqa: PLC0415 - as above

        try:
            announcement = self._announced[offer] = Announcement(offer, host_name())
        except OSError as error:
            self._say("announce", f"mDNS: this machine's Ollama cannot be announced: {error.strerror or error}")
            return
        self._say("announce", "")
        await announcement.say()
        LOGGER.info("this machine's Ollama is announced on the LAN at %s:%d", offer.address, offer.port)
