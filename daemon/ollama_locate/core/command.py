"""A command of the user's: what the config says is run when something has changed."""

from typing import NamedTuple


class Command(NamedTuple):
    """Its words, and how long it may take (seconds)."""

    words: tuple[str, ...]
    seconds: float
