"""The feeds in the daemon: a file is written when it would be another one, and then its command is run."""

from ollama_locate.core import feeds
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.feed import Feed
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.text import shown
from ollama_locate.edge import feedfile, textfile

from .commands import Commands, Spawn
from .finder import Finder
from .log import LOGGER
from .publisher import Publisher


class Feeds:
    """Keeps each file of the config true. What goes wrong is said once, and tried again with each heartbeat.

    The files stay when the daemon ends, and when the config wants them no more: an engine may not start without.
    """

    def __init__(self, finder: Finder, publisher: Publisher, commands: Commands, spawn: Spawn) -> None:
        self._finder, self._publisher, self._commands, self._spawn = finder, publisher, commands, spawn
        self._snapshot: Snapshot | None = None
        self._troubles: dict[Feed, str] = {}
        self._left_out: dict[Feed, tuple[str, ...]] = {}
        self._untold: set[Feed] = set()
        self._due: set[Feed] = set()
        self._running: set[Feed] = set()

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is wrong, each a sentence."""
        return tuple(self._troubles[one] for one in self._finder.config.feed if one in self._troubles)

    def published(self, snapshot: Snapshot) -> None:
        """The files say this now. Before everybody has been asked once, nobody knows who belongs in a feed."""
        if not snapshot.decision.provisional:
            self._snapshot = snapshot
            for one in self._finder.config.feed:
                self._write_soon(one)

    def beat(self) -> None:
        """Try again what went wrong."""
        for one in self._finder.config.feed:
            if one in self._troubles:
                self._write_soon(one)

    def _write_soon(self, feed: Feed) -> None:
        """One at a time for each: a disk or a command that hangs gets no second call, and one more follows it."""
        self._due.add(feed)
        if feed not in self._running:
            self._running.add(feed)
            self._spawn(self._follow(feed))

    async def _follow(self, feed: Feed) -> None:
        try:
            while feed in self._due and self._snapshot is not None and not self._commands.stopped:
                self._due.discard(feed)
                if feed in self._finder.config.feed:
                    self._complain(feed, await self._write(feed, self._snapshot))
        finally:
            self._running.discard(feed)

    async def _write(self, feed: Feed, snapshot: Snapshot) -> str:
        """Returns what went wrong, empty if nothing."""
        fed = await self._publisher.aside(feeds.make, feed.format, snapshot)  # of a thousand models it takes a while
        target, held = feedfile.target(feed.file, feed.format), feeds.is_held(fed, snapshot)
        for sentence in fed.left_out:
            if sentence not in self._left_out.get(feed, ()):
                LOGGER.warning("feed %s: %s", feed.format.value, sentence)
        self._left_out[feed] = fed.left_out
        try:
            changed = await self._publisher.aside(textfile.write, target, fed.data, held)
        except OperatorError as error:
            return str(error)
        if changed:
            LOGGER.info("feed %s: %s is written, servers: %d", feed.format.value, target.path, fed.servers)
            self._untold.add(feed)
        if feed.command is None or feed not in self._untold:
            return ""
        trouble = await self._commands.run(feed.command, {})
        if not trouble:
            self._untold.discard(feed)
            return ""
        return f"feed {feed.format.value}: {shown(feed.command.words[0])}: {trouble}"

    def _complain(self, feed: Feed, sentence: str) -> None:
        if self._commands.stopped or sentence == self._troubles.get(feed, ""):
            return
        if sentence:
            LOGGER.warning("%s; it is tried again", sentence)
            self._troubles[feed] = sentence
        else:
            LOGGER.info("feed %s: %s is in force again", feed.format.value, shown(feed.file))
            del self._troubles[feed]
