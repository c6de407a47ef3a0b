"""Why a model that some server lists cannot be had: who has it is silent, it runs elsewhere, it is not there at all."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from .choosing import Wish, alternatives
from .placement import answering, asleep
from .snapshot import ServerState, Snapshot

CLOUD = "it runs at ollama.com; `[models] cloud = true` allows it"


class Obstacle(NamedTuple):
    """A server that lists the model, and what is in the way there, as a sentence. `silent`: it does not answer now."""

    server: ServerState
    text: str
    silent: bool = False


def obstacle(wish: Wish, snapshot: Snapshot) -> Obstacle | None:
    """The first one; None where nobody lists such a model. A wish that somebody fulfils is not asked about."""
    words = alternatives(wish.models, snapshot.aliases)
    for word in words:
        if found := next(_all(word, words, wish.can, snapshot), None):
            return found
    return None


def _all(word: str, words: list[str], can: frozenset[str], snapshot: Snapshot) -> Iterator[Obstacle]:
    for server in asleep(snapshot):
        able = {model.name for model in server.inventory or () if can <= {*(model.can or ())}}
        for name in server.models or ():
            if fnmatchcase(name, word) and (not can or name in able):
                yield Obstacle(server, f"{server.name} has {_it(name, words)}, and does not answer", silent=True)
    for server in answering(snapshot):
        for model in server.inventory or ():
            if fnmatchcase(model.name, word) and model.name not in (server.models or ()):
                why = "and then does not find it" if model.absent else f"but {CLOUD}"
                yield Obstacle(server, f"{server.name} lists {_it(model.name, words)}, {why}")


def _it(name: str, words: list[str]) -> str:
    """Its name where more than that one could be meant."""
    return "it" if words == [name] else name
