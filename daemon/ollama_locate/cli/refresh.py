"""`ollama-locate refresh`: let the daemon look again, now: at everything, or at the one server that failed you."""

import argparse
import sys
from typing import Any

from ollama_locate.core.bounds import REFRESH_MIN_GAP
from ollama_locate.core.constants import FALL, FAST_RECHECK, STATUS_DEADLINE, TIMEOUT
from ollama_locate.core.errors import OperatorError, StateFolderError
from ollama_locate.core.server import base_url
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.text import shown
from ollama_locate.edge.folders import reader_folder
from ollama_locate.edge.lock import holder
from ollama_locate.edge.published import Seen, published
from ollama_locate.edge.requests import Request, send

from .asking import wait_for
from .help import Help
from .show import ago, note, round_trip, since
from .state import config


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "refresh",
        help="look again at everything, now",
        description="Lets the daemon look again at everything, now, and prints the endpoint.",
        epilog="A program that the endpoint has failed may say so:\n"
        '  url=$(ollama-locate); curl -f "$url/api/chat" -d @q.json || url=$(ollama-locate refresh --failed "$url")\n'
        "The server is checked at once, and left if it is down. After two reports within a minute about one that\n"
        "answers all the same, it ranks below the other healthy ones for 5 minutes.",
        formatter_class=Help,
    )
    words.add_argument(
        "--failed", metavar="URL", help="the server at this URL failed: check it now, and say what it does"
    )
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, wait for the round to be published, print the endpoint."""
    folder = reader_folder()
    pid = holder(folder)
    if pid is None:
        raise OperatorError("no daemon runs here; `ollama-locate service install` runs one for good")
    try:
        before = published(folder)
    except StateFolderError:
        before = None  # damaged; the round that is asked for here writes it anew
    served = before.snapshot.refreshes if before else -1
    send(folder, _request(args.failed, before), pid)
    # At the worst tailscale hangs, and somebody who may be down is asked FALL times.
    patience = REFRESH_MIN_GAP + STATUS_DEADLINE + FALL * (FAST_RECHECK + _timeout())
    now = wait_for(folder, patience, lambda snapshot: snapshot.refreshes > served)
    if now is None:
        raise OperatorError(f"the daemon (pid {pid}) has not answered for {patience:.0f} s; its log says more")
    decision = now.decision
    rtt = next((one.rtt_ms for one in now.servers if one.key == decision.server), None)
    sys.stdout.write(decision.endpoint + "\n")
    if decision.server is None:
        note(f"none found: {decision.text}")
    else:
        note(f"{decision.name}, {round_trip(rtt)}, {decision.verdict}: {decision.text}")
    if args.failed:
        note(_found(base_url(args.failed), now, before.snapshot.decision.server if before else None))
    for problem in now.problems:
        note(f"ollama-locate: {problem}")
    return 0


def _request(failed: str | None, before: Seen | None) -> Request:
    if failed is None:
        return Request("refresh")
    url = base_url(failed)
    if before is not None and not any(server.url == url for server in before.snapshot.servers):
        raise OperatorError(f"no server has the URL {shown(url)}; `ollama-locate status` shows those that there are")
    return Request("failed", url=url)


def _found(url: str, now: Snapshot, was: str | None) -> str:
    """What the check of a reported server has found; `was` is the key of the server that was current before."""
    server = next((one for one in now.servers if one.url == url), None)
    if server is None:
        return f"no server has the URL {shown(url)} any more"
    if server.standing == "reported" and server.reported_until:
        lasts = ago(-since(server.reported_until))
        return f"{server.name} answers, and was reported again: it ranks below the others for another {lasts}"
    if server.outcome == "alive" and server.health == "up":
        return f"{server.name} answers; a second report within a minute would rank it below the others"
    left = was == server.key and now.decision.server not in (None, server.key)
    return f"{server.name} {server.text}" + (f"; it was left for {now.decision.name}" if left else "")


def _timeout() -> float:
    try:
        return config().timeout
    except OperatorError:
        return TIMEOUT  # the daemon says what is wrong with the config
