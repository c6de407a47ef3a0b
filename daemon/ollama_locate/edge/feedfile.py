"""Where a feed is written."""

import os
from pathlib import Path

from ollama_locate.core.bounds import FEED_FILE_MODE
from ollama_locate.core.feed import Format
from ollama_locate.core.feeds import FIRST

from .textfile import Target


def target(file: str, kind: Format) -> Target:
    """The file of a feed; `~/` is the home folder."""
    path = Path(os.path.expanduser(file))  # noqa: PTH111 - raises without a home
    return Target(f"feed {kind.value}", path, FEED_FILE_MODE, FIRST[kind].encode(), durable=True)
