"""To have the daemon do something, and to wait until what it published shows it."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.edge.published import published

_LOOK_AGAIN: Final = 0.02


def wait_for(folder: Path, patience: float, shows: Callable[[Snapshot], bool]) -> Snapshot | None:
    """The first snapshot that shows it, None where none did within `patience` seconds."""
    ends = time.monotonic() + patience
    while time.monotonic() < ends:
        with contextlib.suppress(StateFolderError):
            now = published(folder)
            if now is not None and shows(now.snapshot):
                return now.snapshot
        time.sleep(_LOOK_AGAIN)
    return None
