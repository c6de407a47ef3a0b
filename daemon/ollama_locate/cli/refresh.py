"""`ollama-locate refresh`: let the daemon look at everything again, now."""

import argparse
import contextlib
import sys
import time
from typing import Any, Final

from ollama_locate.core.constants import FALL, FAST_RECHECK, REFRESH_MIN_GAP, STATUS_DEADLINE, TIMEOUT
from ollama_locate.core.errors import OperatorError, StateFolderError
from ollama_locate.edge.folders import reader_folder
from ollama_locate.edge.lock import holder
from ollama_locate.edge.requests import Request, send

from .show import note, round_trip
from .state import config, published

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
    try:
        before = published(folder)
    except StateFolderError:
        before = None  # damaged; the round that is asked for here writes it anew
    served = before.snapshot.refreshes if before else -1
    send(folder, Request("refresh"), pid)
    # At the worst tailscale hangs, and somebody who may be down is asked FALL times.
    patience = REFRESH_MIN_GAP + STATUS_DEADLINE + FALL * (FAST_RECHECK + _timeout())
    now, ends = None, time.monotonic() + patience
    while time.monotonic() < ends:
        with contextlib.suppress(StateFolderError):
            now = published(folder)
        if now is not None and now.snapshot.refreshes > served:
            decision = now.snapshot.decision
            rtt = next((one.rtt_ms for one in now.snapshot.servers if one.key == decision.server), None)
            sys.stdout.write(decision.endpoint + "\n")
            if decision.server is None:
                note(f"none found: {decision.text}")
            else:
                note(f"{decision.name}, {round_trip(rtt)}, {decision.verdict}: {decision.text}")
            for problem in now.snapshot.problems:
                note(f"ollama-locate: {problem}")
            return 0
        time.sleep(_LOOK_AGAIN)
    raise OperatorError(f"the daemon (pid {pid}) has not answered for {patience:.0f} s; its log says more")


def _timeout() -> float:
    try:
        return config().timeout
    except OperatorError:
        return TIMEOUT  # the daemon says what is wrong with the config
