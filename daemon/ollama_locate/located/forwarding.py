"""The stable address in the daemon: opened and closed by the config, and told whom to ask."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from ollama_locate.core.errors import OperatorError
from ollama_locate.core.forward import Forward
from ollama_locate.core.health import Status
from ollama_locate.core.marker import MARKER
from ollama_locate.core.selection import Reason
from ollama_locate.core.snapshot import variables
from ollama_locate.edge.desktop import Desktop
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.files import StateFolder
from ollama_locate.edge.forward import Forwarder, Target

from .finder import Finder
from .log import LOGGER

OnDisk = Callable[..., Coroutine[Any, Any, str]]


class Forwarding:
    """`trouble` is what is wrong with it, empty if nothing."""

    def __init__(self, finder: Finder, wire: Wire, folder: StateFolder, in_thread: OnDisk) -> None:
        self._finder, self._wire, self._in_thread = finder, wire, in_thread
        self._forwarder: Forwarder | None = None
        self._desktop = Desktop(folder)
        self._listens = self._desktop_trouble = ""
        self._busy = asyncio.Lock()

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
            config = self._finder.config
            wanted = config.forward
            if self._forwarder is not None and wanted != self._forwarder.forward:
                await self._close()
            if wanted is None:
                self._listens = ""
            elif self._forwarder is None:
                self._open(wanted)
            await self._publish(self._values(config.variables))

    async def stop(self) -> None:
        """Close it, and take back what desktop programs were told."""
        async with self._busy:
            await self._close()
            await self._publish({})

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
        """The chosen one, then the others as they stand; a pinned one alone. TLS cannot be spliced."""
        locator = self._finder.locator
        choice = locator.board.choice(self._finder.now())
        keys = [choice.key] if choice.key is not None else []
        if choice.reason is not Reason.PINNED:
            keys += [one.key for one in choice.ranked if one.key != choice.key]
        if not keys and locator.last_good is not None:
            keys = [locator.last_good.key]
        servers = [locator.tracks[key].server for key in keys if key in locator.tracks]
        return [Target(server.key, server.host, server.port) for server in servers if not server.tls]

    def doubted(self, key: str) -> None:
        """A request found it dead: it is checked at once."""
        self._finder.doubted(key)

    # --- opening and closing

    def _open(self, wanted: Forward) -> None:
        forwarder = Forwarder(wanted, self, self._wire)
        before = self._listens
        try:
            forwarder.open()
        except OperatorError as error:
            self._listens = str(error)
            if before != self._listens:
                LOGGER.error("%s", error)
            return
        self._forwarder, self._listens = forwarder, ""
        LOGGER.info("programs that keep their address can use %s", wanted.url)
        if wanted.open:
            LOGGER.warning("it is open to every machine that can reach %s", wanted.host)

    async def _close(self) -> None:
        if self._forwarder is not None:
            forwarder, self._forwarder = self._forwarder, None
            await forwarder.close()
            LOGGER.info("nothing listens at %s any more", forwarder.forward.url)

    def _values(self, templates: Mapping[str, str]) -> dict[str, str]:
        if self._forwarder is None or not self._forwarder.forward.desktop:
            return {}
        values = variables(templates, self._forwarder.forward.url)
        # With the marker, a shell that is started from the desktop takes them for ours, and follows the files.
        return values | {MARKER: ",".join(f"{name}={value}" for name, value in values.items())}

    async def _publish(self, wanted: dict[str, str]) -> None:
        before = self._desktop_trouble
        try:
            self._desktop_trouble = await self._in_thread(self._desktop.show, wanted)
        except OperatorError as error:
            self._desktop_trouble = str(error)
        if self._desktop_trouble and self._desktop_trouble != before:
            LOGGER.warning("%s", self._desktop_trouble)
