"""`ollama-locate watch`: what the daemon knows, live on a terminal; a line for each event elsewhere."""

import argparse
import datetime as dt
import os
import select
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ollama_locate.core.bounds import SCHEMA, WATCH_POLL, WATCH_SEED, WATCH_TICK
from ollama_locate.core.changes import Level
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.snapshot import rfc3339
from ollama_locate.core.watching import Event, Watching
from ollama_locate.edge import history
from ollama_locate.edge.folders import reader_folder

from .following import Follower, Look

if TYPE_CHECKING:
    from rich.text import Text

_QUITS: Final = b"qQ"


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "watch",
        help="the servers and the choice, live",
        description="Shows what the daemon knows as it changes: servers, round trips, the choice and its reason, the "
        "last events. `q` quits. Elsewhere than on a terminal: the state now, then a line for each event.",
    )
    words.add_argument("--json", action="store_true", help="a JSON object for each snapshot (docs/watch.md)")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Watch until the user has seen enough."""
    watched = Watched(_remembered())
    if args.json:
        return _lines(_json(watched))
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return _screen(watched)
    return _lines(_plain(watched))


def _remembered() -> Watching:
    """What the history has of the last day; one that cannot be read is no reason not to watch."""
    try:
        switches, samples = history.read(reader_folder(), time.time() - WATCH_SEED)
    except StateFolderError:
        return Watching()
    return Watching(switches, samples)


class Watched:
    """What was seen up to now: `look` is the last look, `watching` what it remembers."""

    def __init__(self, watching: Watching) -> None:
        self.watching = watching
        self.look = Look()
        self._follower = Follower()

    def again(self) -> tuple[bool, list[Event]]:
        """Look again; returns whether there is another snapshot, and what happened."""
        before, self.look = self.look, self._follower.look()
        now, events = time.time(), []
        fresh = self.look.snapshot is not None and self.look.snapshot is not before.snapshot
        if fresh and self.look.snapshot is not None:
            events = self.watching.take(self.look.snapshot, now)
        if bool(self.look.trouble) != bool(before.trouble):
            event = Event(now, Level.WARNING, self.look.trouble)
            if not self.look.trouble:
                event = Event(now, Level.INFO, f"the daemon (pid {self.look.pid}) reports")
            events.insert(0, self.watching.note(event))
        return fresh, events


# --- elsewhere than on a terminal


def _lines(lines: Iterator[str]) -> int:
    """Print each line when it comes, until nobody reads any more."""
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


def _plain(watched: Watched) -> Iterator[str]:
    for _, events in _looks(watched):
        for one in events:
            yield f"{dt.datetime.fromtimestamp(one.at).astimezone():%Y-%m-%d %H:%M:%S} {one.text}"


def _json(watched: Watched) -> Iterator[str]:
    for fresh, events in _looks(watched):
        if fresh or events:
            look = watched.look
            line = {
                "schema": SCHEMA,
                "at": rfc3339(time.time()),
                "pid": look.pid,
                "trouble": look.trouble,
                "events": [one.text for one in events],
                "snapshot": look.snapshot,
            }
            yield msgspec.json.encode(line).decode()


def _looks(watched: Watched) -> Iterator[tuple[bool, Sequence[Event]]]:
    """Looks, until the reader of standard output has gone: it may go long before there is anything to write."""
    kind = os.fstat(sys.stdout.fileno()).st_mode
    reader = select.poll()
    if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
        reader.register(sys.stdout.fileno(), 0)
    while True:
        yield watched.again()
        if reader.poll(WATCH_POLL * 1000):
            return


# --- on a terminal


def _screen(watched: Watched) -> int:
    from ollama_locate.edge.terminal import Terminal  # noqa: PLC0415 - for terminals only

    from .screen import Picture, draw  # noqa: PLC0415 - as above, and 60 ms

    with Terminal() as terminal:
        drawn_at = float("-inf")
        while True:
            fresh, events = watched.again()
            now = time.monotonic()
            if fresh or events or now - drawn_at >= WATCH_TICK:
                drawn_at = now
                size = terminal.size()
                picture = Picture(watched.look, watched.watching.trends, watched.watching.events, time.time())
                terminal.draw(_coded(draw(picture, *size), size[0]))
            heard = terminal.wait(WATCH_POLL)
            if heard.end is not None:
                return 128 + heard.end
            if any(key in _QUITS for key in heard.keys):
                return 0
            if heard.resized:
                drawn_at = float("-inf")


def _coded(lines: "Sequence[Text]", width: int) -> list[str]:
    """The lines with their colours as this terminal has them; NO_COLOR is respected."""
    import io  # noqa: PLC0415 - as above

    from rich.console import Console  # noqa: PLC0415 - as above

    console = Console(file=io.StringIO(), force_terminal=True, width=width, highlight=False, emoji=False, markup=False)
    found = []
    for line in lines:
        with console.capture() as written:
            console.print(line, end="", no_wrap=True, crop=True, soft_wrap=True)
        found.append(written.get())
    return found
