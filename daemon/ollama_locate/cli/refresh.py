"""`ollama-locate refresh`: let the daemon look again, now: at everything, or at the one server that failed you."""

import argparse
import sys
from typing import Any

from ollama_locate.core.constants import FALL, FAST_RECHECK, REFRESH_MIN_GAP, STATUS_DEADLINE, TIMEOUT
from ollama_locate.core.errors import OperatorError, StateFolderError
from ollama_locate.core.text import shown
from ollama_locate.edge.folders import reader_folder
from ollama_locate.edge.lock import holder
from ollama_locate.edge.published import Seen, published
from ollama_locate.edge.requests import Request, send

from .asking import wait_for
from .show import note, round_trip
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
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words.add_argument("--failed", metavar="URL", help="the server at this URL failed: check it now")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask, wait for the round to be published, print the endpoint."""
    folder = reader_folder()
    pid = holder(folder)
    if pid is None:
        raise OperatorError("no daemon runs here; start one with `ollama-located &`")
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
    for problem in now.problems:
        note(f"ollama-locate: {problem}")
    return 0


def _request(failed: str | None, before: Seen | None) -> Request:
    if failed is None:
        return Request("refresh")
    url = failed.rstrip("/").removesuffix("/v1")
    if before is not None and not any(server.url == url for server in before.snapshot.servers):
        raise OperatorError(f"no server has the URL {shown(url)}; `ollama-locate status` shows those that there are")
    return Request("failed", url=url)


def _timeout() -> float:
    try:
        return config().timeout
    except OperatorError:
        return TIMEOUT  # the daemon says what is wrong with the config
