"""`ollama-locate pin NAME|URL` and `unpin`: this server, whatever is found; and back again."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ollama_locate.core.duration import duration
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.pin import NAME, Pin, split_url
from ollama_locate.core.server import Withheld
from ollama_locate.core.snapshot import PinState, ServerState, Snapshot
from ollama_locate.edge.folders import reader_folder
from ollama_locate.edge.lock import holder
from ollama_locate.edge.pin import read_pin, remove_pin, write_pin
from ollama_locate.edge.requests import Request, send

from .asking import wait_for
from .help import Help
from .named import is_rejected, nobody, speaks_of, told_apart
from .show import ago, line, note
from .state import config, seen

_LONGEST: Final = 366 * 86_400.0
_PATIENCE: Final = 10.0
"""Seconds until the daemon has looked at the pinned server: it may be silent."""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands' words."""
    words = commands.add_parser(
        "pin",
        help="use this server, whatever is found",
        description="Use this server, whatever is found, until `ollama-locate unpin`. A variable that was set by hand "
        "still wins. Without a name: show what is pinned.",
        epilog="examples:\n  ollama-locate pin gpu-box\n  ollama-locate pin workstation --for 2h\n"
        "  ollama-locate pin http://192.168.1.20:11434",
        formatter_class=Help,
    )
    words.add_argument("server", nargs="?", metavar="NAME|URL", help="a server's name, address or URL")
    words.add_argument("--for", dest="lasts", metavar="TIME", help="for so long: 30m, 2h, 7d")
    words.set_defaults(run=run)
    back = commands.add_parser("unpin", help="use what is found again")
    back.set_defaults(run=unpin)


def run(args: argparse.Namespace) -> int:
    """Pin it, and print the endpoint when it is published."""
    folder = reader_folder()
    if args.server is None:
        if args.lasts:
            raise OperatorError("say which server: ollama-locate pin NAME --for 2h")
        return _show(folder)
    until = None
    if args.lasts:
        try:
            until = time.time() + duration(args.lasts, 1.0, _LONGEST)
        except ValueError as error:
            raise OperatorError(f"--for {error}") from None
    snapshot = seen().snapshot
    pin = _pin(snapshot, args.server, until)
    forward = config().forward
    typed = pin.static()
    if typed is not None and forward is not None and forward.is_at(typed.host, typed.port):
        raise OperatorError(f"{pin.url} is the daemon's own stable address: each request would come back to it")
    write_pin(folder, pin)
    now = _published(folder, lambda shown: shown is not None and (shown.name, shown.url) == (pin.name, pin.url))
    if now is None:
        sys.stdout.write(pin.url + "\n")
        return 0
    sys.stdout.write(now.decision.endpoint + "\n")
    note(f"{pin.name} is pinned{f' for {ago(until - time.time())}' if until else ''}")
    if now.pin is not None and not now.pin.followed:
        note(f"ollama-locate: warning: {pin.name} is no server that may be asked, so that the pin is not followed")
    elif now.decision.verdict != "fresh":
        note(f"ollama-locate: warning: {now.decision.name}: {now.decision.text}")
    return 0


def unpin(_args: argparse.Namespace) -> int:
    """Take it back, and print what is used now."""
    folder = reader_folder()
    if not remove_pin(folder):
        note("ollama-locate: nothing is pinned")
        return 0
    now = _published(folder, lambda shown: shown is None)
    if now is not None:
        sys.stdout.write(now.decision.endpoint + "\n")
        note(f"{now.decision.name}, {now.decision.verdict}: {now.decision.text}")
    return 0


def _show(folder: Path) -> int:
    pin = read_pin(folder, time.time())
    if pin is None:
        line("nothing is pinned")
    else:
        line(f"{pin.name} ({pin.url}) is pinned{f' for another {ago(pin.until - time.time())}' if pin.until else ''}")
    return 0


def _withheld(server: ServerState) -> Withheld | None:
    """Why no pin on it would be followed."""
    why = next((one for one in Withheld if one.word == server.withheld), None)
    return None if why is Withheld.NEEDS_FORWARD and config().forward is not None else why


def _pin(snapshot: Snapshot, wanted: str, until: float | None) -> Pin:
    """The pin of what this word means. Raises OperatorError."""
    found = [one for one in snapshot.servers if one.kind != "self_check" and speaks_of(one, wanted)]
    if found:
        if len({(one.url, one.socks5) for one in found}) > 1:
            raise OperatorError(f"`{wanted}` could be {', '.join(map(told_apart, found))}: pin one of these")
        if (why := _withheld(found[0])) is not None:
            raise OperatorError(f"{found[0].name}: {why.text}")
        key = found[0].key
        # What is pinned by its URL already is no server of its own.
        return Pin(found[0].name, found[0].url, None if key == f"static:{NAME}" else key, until)
    left = next((peer for peer in snapshot.rejected if is_rejected(peer, wanted)), None)
    if left is not None:
        raise OperatorError(
            f"{left.name or left.key} is left alone: {left.text}; `ollama-locate why {wanted}` says more"
        )
    if "://" not in wanted:
        raise nobody(snapshot, wanted)
    try:
        return Pin(NAME, split_url(wanted).url, None, until)
    except ValueError as error:
        raise OperatorError(str(error)) from None


def _published(folder: Path, shows: Callable[[PinState | None], bool]) -> Snapshot | None:
    """What the daemon published after the change; None, with a word on stderr, where none runs."""
    pid = holder(folder)
    if pid is None:
        note("ollama-locate: no daemon runs; the files change when one is started: `ollama-locate service install`")
        return None
    send(folder, Request("refresh"), pid)

    def shown(snapshot: Snapshot) -> bool:
        return shows(snapshot.pin)

    now = wait_for(folder, _PATIENCE, shown)
    if now is None:
        raise OperatorError(f"the daemon (pid {pid}) has not followed within {_PATIENCE:.0f} s; its log says more")
    return now
