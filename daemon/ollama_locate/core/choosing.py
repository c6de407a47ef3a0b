"""A model by what a person asks for: one name, several in the order of preference, a pattern."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final, NamedTuple

from .models import full_name
from .placement import answering
from .snapshot import Snapshot, best_by_model, usable_url

_PATTERN: Final = frozenset("*?[")
ABILITIES: Final = frozenset({"completion", "tools", "insert", "vision", "embedding", "thinking", "image"})
"""What Ollama has words for (types/model/capability.go)."""
_NONE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})


class Wish(NamedTuple):
    """What is asked for: names, patterns and aliases in order, none for any; what the model must be able to do."""

    models: str = "*"
    can: frozenset[str] = frozenset()
    loaded: bool = False


class Chosen(NamedTuple):
    """A model by its full name, and the URL of the best server that has it."""

    model: str
    url: str


def alternatives(wanted: str, aliases: Mapping[str, tuple[str, ...]] = _NONE) -> list[str]:
    """`mistral,qwen3:*` -> full names and patterns, in order; blanks and empty ones are left out.

    An alias stands for its models.
    """
    found: list[str] = []
    for word in (word.strip() for word in wanted.split(",")):
        if word in aliases:
            found += aliases[word]
        elif word:
            found.append(word if _PATTERN & set(word) else full_name(word))
    return found


def choose_model(wanted: str, best: Mapping[str, str], aliases: Mapping[str, tuple[str, ...]] = _NONE) -> Chosen | None:
    """The first alternative that some server has. `best`: model -> URL, in the order of the servers.

    Of the models that a pattern means, the one on the best server is taken, there the first by name.
    """
    for word in alternatives(wanted, aliases):
        if word in best:
            return Chosen(word, best[word])
        if _PATTERN & set(word):
            for name, url in best.items():
                if fnmatchcase(name, word):
                    return Chosen(name, url)
    return None


def fulfil(wish: Wish, snapshot: Snapshot) -> Chosen | None:
    """The best model and server for this wish, by what is known now."""
    return choose_model(wish.models, _offered(wish, snapshot), snapshot.aliases)


def _offered(wish: Wish, snapshot: Snapshot) -> Mapping[str, str]:
    """Model -> URL, of those that can do what is asked for; where it must be loaded, of a server that has it so."""
    if not wish.can and not wish.loaded:
        return best_by_model(snapshot)
    having: dict[str, dict[str, str]] = {}
    for server in answering(snapshot):
        names, url = frozenset(server.models or ()), usable_url(snapshot, server)
        for model in (server.inventory or ()) if url else ():
            if model.name in names and wish.can <= {*(model.can or ())} and (model.loaded or not wish.loaded):
                having.setdefault(model.name, {})[server.key] = url
    return {name: urls.get(snapshot.best.get(name, ""), next(iter(urls.values()))) for name, urls in having.items()}


def abilities(snapshot: Snapshot) -> list[str]:
    """What the models of those that answer can do, as far as that is known."""
    return sorted({word for one in answering(snapshot) for model in one.inventory or () for word in model.can or ()})


def why_none(wish: Wish, snapshot: Snapshot) -> str:
    """Of a wish that nobody fulfils: what the models that it means lack, empty where nobody has such a model."""
    bare = fulfil(Wish(wish.models), snapshot)
    if bare is None:
        return ""
    wanted = alternatives(wish.models, snapshot.aliases)
    meant = [name for name in best_by_model(snapshot) if any(fnmatchcase(name, word) for word in wanted)]
    if len(meant) > 1:
        lacks = [f"can {' and '.join(sorted(wish.can))}"] * bool(wish.can) + ["is loaded"] * wish.loaded
        return f"of {len(meant)} models none {' and '.join(lacks)}"
    known = {
        one.name: one for server in answering(snapshot) for one in server.inventory or () if one.name == bare.model
    }
    model = known.get(bare.model)
    if wish.can and (model is None or model.can is None):
        return f"what {bare.model} can do is not known yet"
    if wish.can and model is not None and not wish.can <= {*(model.can or ())}:
        return f"{bare.model} can: {', '.join(model.can or ()) or 'nothing that its server names'}"
    return f"{bare.model} is there, but loaded nowhere; `ollama-locate ensure {bare.model}` loads it"
