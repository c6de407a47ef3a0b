"""Which models the hosts of a world have, and what is loaded where: by name and time alone, nothing is drawn."""

import zlib

from ollama_locate.core.inventory import Model

EVERYWHERE = "mistral:latest"
KINDS = 3
HOURS = 4
"""A host has the common model loaded for one hour of so many."""


def names(key: str) -> tuple[str, ...]:
    """What a host has: what all have, and one that about a third of them have."""
    return (EVERYWHERE, f"own-{_number(key) % KINDS}:1b")


def stock(key: str, at: float) -> tuple[Model, ...]:
    """The same in detail, at this time of the world."""
    return tuple(Model(name, loaded=name == EVERYWHERE and loaded(key, at)) for name in names(key))


def loaded(key: str, at: float) -> bool:
    """Whether it has the common model in its memory."""
    return (int(at // 3600) + _number(key)) % HOURS == 0


def loaded_for(at: float) -> float:
    """For how many seconds this has been as it is, everywhere."""
    return at % 3600


def _number(key: str) -> int:
    return zlib.crc32(key.encode())
