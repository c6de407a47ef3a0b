"""Where each server stands for one model, by what is published: the words of `why --model`."""

from typing import Final, NamedTuple

from .by_model import for_model
from .choosing import Wish
from .inventory import Model
from .obstacle import CLOUD, obstacle
from .placement import answering
from .selection import LAST_TIER, Choice, Contender, Reason, explained
from .server import Kind
from .snapshot import ServerState, Snapshot

_NOBODY: Final = "nobody who answers has it"
_ONLY: Final = "it is the only server that answers and has it"


class Stands(NamedTuple):
    """A server, a word for its standing, and why in words."""

    server: ServerState
    word: str
    text: str


class ForModel(NamedTuple):
    """Who is the best for a model and why; `server` is None where nobody has it who answers. And everybody else."""

    model: str
    server: ServerState | None
    text: str
    servers: tuple[Stands, ...]


def stand_for(snapshot: Snapshot, model: str) -> ForModel:
    """Of every server but the check of this machine's own address."""
    every = [one for one in snapshot.servers if one.kind != Kind.SELF_CHECK.value]
    asked = {one.key for one in answering(snapshot)}
    having = [one for one in every if one.key in asked and model in (one.models or ())]
    best = next((one for one in having if one.key == snapshot.best.get(model)), None)
    choice = _choice(snapshot, having, best, model) if best is not None else None
    if choice is not None:
        text = _ONLY if choice.reason is Reason.ONLY else choice.reason.text
    else:
        found = obstacle(Wish(model), snapshot)
        text = f"{_NOBODY}; {found.text}" if found else _NOBODY
    stands = tuple(_stands(one, choice, model, text, answers=one.key in asked) for one in every)
    return ForModel(model, best, text, stands)


def _choice(snapshot: Snapshot, having: list[ServerState], best: ServerState, model: str) -> Choice:
    warm = frozenset(one.key for one in having if (found := _model(one, model)) is not None and found.loaded)
    times = {one.key: found.seconds for one in having if (found := _model(one, model)) is not None and found.seconds}
    contenders = for_model([_contender(one) for one in having], warm, times)
    if snapshot.pin is not None and snapshot.pin.followed and snapshot.pin.url == best.url:
        return Choice(best.key, Reason.PINNED, contenders)
    return explained(best.key, contenders)


def _contender(server: ServerState) -> Contender:
    return Contender(
        server.key,
        LAST_TIER if server.tier is None else server.tier,
        None if server.rtt_ms is None else server.rtt_ms / 1000,
        server.models,
        held=server.held_until is not None,
        demoted=server.reported_until is not None,
    )


def _stands(server: ServerState, choice: Choice | None, model: str, text: str, *, answers: bool) -> Stands:
    if not answers:
        has = "; it has the model" if model in (server.models or ()) else ""
        return Stands(server, server.standing, server.text + has)
    found = _model(server, model)
    if found is not None and found.absent:
        return Stands(server, "absent", "it lists it, and then does not find it")
    if found is not None and found.cloud and model not in (server.models or ()):
        return Stands(server, "cloud", f"it lists it, but {CLOUD}")
    if choice is None or server.key not in choice.standings:
        known = server.models is not None
        return Stands(server, "lacks_model", "it does not have it" if known else "its list of models is not known yet")
    standing = choice.standings[server.key]
    return Stands(server, standing.word, text if server.key == choice.key else standing.text)


def _model(server: ServerState, name: str) -> Model | None:
    return next((one for one in server.inventory or () if one.name == name), None)
