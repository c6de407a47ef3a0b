"""The stable address in the daemon: opened and closed by the config, and told whom to ask."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from ollama_locate.core.errors import OperatorError
from ollama_locate.core.forward import Forward
from ollama_locate.core.health import Status
from ollama_locate.core.marker import MARKER, pairs
from ollama_locate.core.selection import Reason
from ollama_locate.core.server import Kind, Server
from ollama_locate.core.snapshot import variables
from ollama_locate.edge import desktop
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.files import StateFolder
from ollama_locate.edge.forward import Forwarder, Target

from .finder import Finder
from .log import LOGGER


class Forwarding:
    """`trouble` is what is wrong with it, empty if nothing."""

    def __init__(
        self, finder: Finder, wire: Wire, folder: StateFolder, on_disk: Callable[..., Coroutine[Any, Any, Any]]
    ) -> None:
        self._finder, self._wire, self._folder, self._on_disk = finder, wire, folder, on_disk
        self._forwarder: Forwarder | None = None
        self._shown: dict[str, str] | None = None
        self._listens = self._desktop_trouble = ""
        self._busy, self._stopped = asyncio.Lock(), False

    @property
    def trouble(self) -> str:
        """What a person should know."""
        return self._listens or self._desktop_trouble

    @property
    def forward(self) -> Forward | None:
        """Where it listens now."""
        return self._forwarder.forward if self._forwarder is not None else None

    async def follow(self) -> None:
        """Do as the config says now; what did not work before is tried again."""
        async with self._busy:
            if self._stopped:
                return
            config = self._finder.config
            wanted = config.forward
            if self._forwarder is not None and (wanted is None or not wanted.same_place(self._forwarder.forward)):
                await self._close()
            if wanted is None:
                self._listens = ""
            elif self._forwarder is None:
                self._open(wanted)
            else:
                self._forwarder.forward = wanted
            await self._tell_desktop(self._values(config.variables))

    async def stop(self) -> None:
        """Close it, and take back what desktop programs were told."""
        async with self._busy:
            self._stopped = True
            await self._close()
            await self._tell_desktop({})

    def check(self) -> None:
        """After a decision: requests to servers that are down are to go elsewhere."""
        if self._forwarder is None:
            return
        for key in self._forwarder.asked():
            track = self._finder.locator.tracks.get(key)
            if track is None or track.health.status is Status.DOWN:
                self._forwarder.left(key)

    # --- whom to ask

    def targets(self) -> Sequence[Target]:
        """The chosen one, then the others as they stand; a pinned one alone.

        While a better one is waited for, as after a sleep, it is the one to ask: it was current before.
        """
        locator, opening = self._finder.locator, self._finder.locator.board.opening
        choice, good = locator.board.choice(self._finder.now(), forward=True), locator.last_good
        keys = [one.key for one in choice.ranked]
        if choice.key is not None:
            keys = [choice.key, *keys]
        if good is not None and (not keys or (opening is not None and opening.awaited == good.key)):
            keys = [good.key, *keys]
        if choice.reason is Reason.PINNED:
            keys = keys[:1]
        else:
            # At last those that are down: one may have come back since it was asked.
            keys += [
                key for key, one in locator.tracks.items() if one.alive_at and one.server.kind is not Kind.SELF_CHECK
            ]
        tracks = [locator.tracks[key] for key in dict.fromkeys(keys) if key in locator.tracks]
        return [
            Target(server.key, server.host, server.port, one.rtt, server.socks5, server if server.proxied else None)
            for one in tracks
            if (server := one.server).forwardable and not self._is_own(server) and self._may_be_sent(server)
        ]

    def _may_be_sent(self, server: Server) -> bool:
        """Whether its headers would stay secret now."""
        return not server.secret_in_clear or self._finder.locator.roster.reachable(server)

    def _is_own(self, server: Server) -> bool:
        """Whether it is this very address: a request would go round for ever."""
        return self.forward is not None and self.forward.is_at(server.host, server.port)

    def doubted(self, key: str) -> None:
        """A request found it dead: it is checked at once."""
        self._finder.doubted(key)

    # --- opening and closing

    def _open(self, wanted: Forward) -> None:
        forwarder = Forwarder(wanted, self, self._wire, self._finder.connections())
        before = self._listens
        try:
            forwarder.open()
        except OperatorError as error:
            self._listens = str(error)
            if before != self._listens:
                LOGGER.error("%s", error)
            return
        self._forwarder, self._listens = forwarder, ""
        self._finder.forwards(wanted.url)
        LOGGER.info("programs that keep their address can use %s", wanted.url)
        if wanted.open:
            LOGGER.warning("it is open to every machine that can reach %s", wanted.host)

    async def _close(self) -> None:
        if self._forwarder is not None:
            forwarder, self._forwarder = self._forwarder, None
            self._finder.forwards(None)
            await forwarder.close()
            LOGGER.info("nothing listens at %s any more", forwarder.forward.url)

    def _values(self, templates: Mapping[str, str]) -> dict[str, str]:
        if self._forwarder is None or not self._forwarder.forward.desktop:
            return {}
        return variables(templates, self._forwarder.forward.url)

    async def _tell_desktop(self, wanted: dict[str, str]) -> None:
        if self._shown is None:
            self._shown = await self._on_disk(desktop.noted, self._folder.path)
        shown, before = self._shown or {}, self._desktop_trouble
        if not wanted and not shown:
            self._desktop_trouble = ""
            return
        if wanted.items() <= shown.items() and (shown.keys() - wanted.keys()) <= {MARKER} and wanted:
            return
        try:
            # Noted first: this program may be killed in between.
            coming = {**wanted, MARKER: pairs(wanted)} if wanted else {}
            await self._on_disk(desktop.note, self._folder, {**shown, **coming})
            self._shown, self._desktop_trouble = await asyncio.to_thread(desktop.change, shown, wanted)
            await self._on_disk(desktop.note, self._folder, self._shown)
        except OperatorError as error:
            self._desktop_trouble = str(error)
        if self._desktop_trouble and self._desktop_trouble != before:
            LOGGER.warning("%s", self._desktop_trouble)
