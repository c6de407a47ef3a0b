"""`ollama-locate feed`: a configuration for another program, made of the servers that were found."""

import argparse
import sys
import time
from typing import Any

from ollama_locate.core import feeds
from ollama_locate.core.bounds import WATCH_POLL
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.feed import Format
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.edge import feedfile
from ollama_locate.edge.textfile import Target, write

from .following import Follower
from .help import Help
from .show import note
from .state import seen

NONE_FOUND = 4
_EPILOG = """\
examples:
  ollama-locate feed haproxy > ollama.cfg && haproxy -f base.cfg -f ollama.cfg
  ollama-locate feed litellm --watch ollama.yaml
  ollama-locate feed prometheus --watch ollama.json

[[feed]] in the config has the daemon do it, and run a command of yours after each change (docs/feeds.md)."""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "feed",
        help="a configuration for HAProxy, LiteLLM or Prometheus",
        description="Prints a configuration for another program, made of the servers that were found.",
        epilog=_EPILOG,
        formatter_class=Help,
    )
    words.add_argument(
        "format", choices=[one.value for one in Format], metavar="FORMAT", help="haproxy, litellm, prometheus"
    )
    words.add_argument("--watch", metavar="FILE", help="write it there, and again at each change, until ctrl-C")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print it; 4 where there is no server to put in."""
    kind = Format(args.format)
    if args.watch is not None:
        return _watch(kind, feedfile.target(args.watch, kind))
    fed = feeds.make(kind, seen().snapshot)
    sys.stdout.write(fed.data.decode())
    for sentence in fed.left_out:
        note(f"ollama-locate: {sentence}")
    if not fed.servers:
        note("ollama-locate: no server is in it; `ollama-locate why` says more")
        return NONE_FOUND
    return 0


def _watch(kind: Format, target: Target) -> int:
    """Keep the file true. What is wrong is said when it begins; a file that cannot be written at all ends it."""
    follower, written, said = Follower(), False, Said()
    last: Snapshot | None = None
    while True:
        look = follower.look()
        said.now("daemon", look.trouble)
        if look.snapshot is not None and look.snapshot is not last and not look.snapshot.decision.provisional:
            try:
                _write(kind, target, look.snapshot, said)
            except OperatorError as error:
                if not written:
                    raise
                said.now("file", str(error))
            else:
                written, last = True, look.snapshot
                said.now("file", "")
        time.sleep(WATCH_POLL)


def _write(kind: Format, target: Target, snapshot: Snapshot, said: "Said") -> None:
    fed = feeds.make(kind, snapshot)
    said.now("left out", "\n".join(fed.left_out))
    if write(target, fed.data, feeds.is_held(fed, snapshot)):
        note(f"ollama-locate: {target.path} is written, servers: {fed.servers}")


class Said:
    """What was said last of each subject: the same is not said twice."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def now(self, subject: str, sentences: str) -> None:
        """Say it, if it is another one; empty is nothing."""
        if sentences != self._last.get(subject, ""):
            self._last[subject] = sentences
            for sentence in sentences.splitlines():
                note(f"ollama-locate: {sentence}")
