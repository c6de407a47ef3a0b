"""A model by what a person asks for: one name, several in the order of preference, a pattern."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from .models import full_name

_PATTERN: Final = frozenset("*?[")


class Chosen(NamedTuple):
    """A model by its full name, and the URL of the best server that has it."""

    model: str
    url: str


def alternatives(wanted: str) -> list[str]:
    """`mistral,qwen3:*` -> full names and patterns, in order; blanks and empty ones are left out."""
    words = [word.strip() for word in wanted.split(",")]
    return [word if _PATTERN & set(word) else full_name(word) for word in words if word]


def choose_model(wanted: str, best: Mapping[str, str]) -> Chosen | None:
    """The first alternative that some server has. `best`: model -> URL, in the order of the servers.

    Of the models that a pattern means, the one on the best server is taken, there the first by name.
    """
    for word in alternatives(wanted):
        if word in best:
            return Chosen(word, best[word])
        if _PATTERN & set(word):
            for name, url in best.items():
                if fnmatchcase(name, word):
                    return Chosen(name, url)
    return None
