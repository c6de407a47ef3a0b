"""`--wait TIME`: what is known now, or as soon as it is good enough."""

import time
from typing import Final

from ollama_locate.core.choosing import Wish, fulfil
from ollama_locate.core.duration import duration
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.edge.folders import reader_folder
from ollama_locate.edge.lock import holder

from .asking import wait_for
from .state import seen

HELP: Final = "wait so long for a server that answers: 10s, 2m"
_LONGEST: Final = 86_400.0


def waited(wait: str | None, wish: Wish | None) -> Snapshot:
    """A snapshot in which the wish is fulfilled, or without one a server answers; else the last one.

    `wait` is a duration as it was typed. Raises OperatorError.
    """
    ends = time.monotonic() + _seconds(wait)
    now = _seen(wish)
    while not _serves(now, wish) and time.monotonic() < ends:
        folder = reader_folder()
        if holder(folder) is None:
            now = _seen(wish)  # which takes its time
        else:
            left = max(0.0, ends - time.monotonic())
            now = wait_for(folder, left, lambda snapshot: _serves(snapshot, wish)) or now
    return now


def _seen(wish: Wish | None) -> Snapshot:
    """What models can do is asked only where the wish says it: who names a model waits for nothing else."""
    return seen(models=wish is not None, abilities=wish is not None and bool(wish.can)).snapshot


def _seconds(wait: str | None) -> float:
    if wait is None:
        return 0.0
    try:
        return duration(wait, 0.0, _LONGEST)
    except ValueError as error:
        raise OperatorError(f"--wait {error}") from None


def _serves(snapshot: Snapshot, wish: Wish | None) -> bool:
    if wish is not None:
        return fulfil(wish, snapshot) is not None
    return snapshot.decision.verdict == "fresh"
