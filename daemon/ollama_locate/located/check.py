"""`ollama-located --check`: whether the daemon lives, for whoever restarts what does not (a container's health check).

Which servers there are, and whether any, is not asked: to start the daemon anew would mend neither.
"""

import sys

from ollama_locate.core.bounds import HEARTBEAT_DEAD
from ollama_locate.core.errors import OperatorError
from ollama_locate.edge.folders import state_folder
from ollama_locate.edge.published import published


def check() -> int:
    """Print one line; 0 where a daemon holds the state folder and its heart beats, else 1."""
    try:
        folder = state_folder()
        seen = published(folder)
    except OperatorError as error:
        sys.stderr.write(f"ollama-located: {error}\n")
        return 1
    if seen is None or seen.pid is None or seen.age is None:
        why = f"has said nothing for {HEARTBEAT_DEAD:.0f} s, if one runs" if seen is None else "does not run any more"
        sys.stderr.write(f"ollama-located: the daemon of {folder} {why}\n")
        return 1
    decision = seen.snapshot.decision
    sys.stdout.write(f"pid {seen.pid}, heard {seen.age:.0f} s ago: {decision.endpoint} ({decision.verdict})\n")
    return 0
