"""`ollama-locate refresh`: let the daemon look at everything again, now."""

import argparse
import sys
import time
from typing import Any, Final

from ollama_locate.core.constants import REFRESH_MIN_GAP, STATUS_DEADLINE, TIMEOUT
from ollama_locate.core.errors import OperatorError
from ollama_locate.edge.folders import reader_folder
from ollama_locate.edge.lock import holder
from ollama_locate.edge.requests import Request, send

from .show import note, round_trip
from .state import published

_PATIENCE: Final = REFRESH_MIN_GAP + STATUS_DEADLINE + TIMEOUT
_LOOK_AGAIN: Final = 0.02


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser("refresh", help="look again at everything, now")
    words.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """Ask, wait for the round to be published, print the endpoint."""
    folder = reader_folder()
    pid = holder(folder)
    if pid is None:
        raise OperatorError("no daemon runs here; start one with `ollama-located &`")
    before = published(folder)
    served = before.snapshot.refreshes if before else -1
    send(folder, Request("refresh"), pid)
    ends = time.monotonic() + _PATIENCE
    while time.monotonic() < ends:
        now = published(folder)
        if now is not None and now.snapshot.refreshes > served:
            decision = now.snapshot.decision
            rtt = next((one.rtt_ms for one in now.snapshot.servers if one.key == decision.server), None)
            up = sum(one.health == "up" and one.kind != "self_check" for one in now.snapshot.servers)
            sys.stdout.write(decision.endpoint + "\n")
            note(f"{decision.name}, {round_trip(rtt)}, {decision.verdict}; {up} healthy: {decision.text}")
            return 0
        time.sleep(_LOOK_AGAIN)
    raise OperatorError(f"the daemon (pid {pid}) has not answered for {_PATIENCE:.0f} s; its log says more")
