"""What the caller's own environment has instead of what was found."""

import os

from ollama_locate.core.marker import overridden
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.text import shown


def hidden(snapshot: Snapshot) -> list[str]:
    """A sentence for each variable that was set by hand and hides the published value."""
    found = overridden(os.environ, snapshot.variables)
    return [
        f"But in this shell {name} was set by hand, to {shown(value)}; that wins here." for name, value in found.items()
    ]
