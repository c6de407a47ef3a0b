"""Which sizes of model run well on which server: a rule of thumb, which figures replace as they come."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from .bars import figure
from .bench import Stocked
from .bounds_models import CONTEXT_SHARE, DENSE_BELOW, ESTIMATE_REACH, Q4_BYTES, RATE_READABLE, RATE_WELL
from .inventory import Model
from .snapshot import ServerState
from .speed import Speed, is_of
from .worded import Worded

_WHOLLY: Final = 0.995
_PARAMETERS: Final = re.compile(r"(?:([0-9]{1,3})x)?([0-9]{1,6}(?:\.[0-9]{1,6})?)([KMBT])", re.IGNORECASE)
_UNITS: Final = {"K": 1e-6, "M": 1e-3, "B": 1.0, "T": 1e3}
_EXPERTS: Final = re.compile(r"moe|[0-9]x[0-9]|[0-9]b-a[0-9]", re.IGNORECASE)
"""Of such models a part works at a time: their rate says nothing of others of that size."""


class Size(NamedTuple):
    """A class of models: from `least` on and `below`, in thousand millions of parameters, as the others here.

    `active`: those of the typical one's `parameters` that are read for each token.
    """

    name: str
    parameters: float
    active: float
    least: float
    below: float
    text: str

    @property
    def bytes(self) -> int:
        """In Q4."""
        return round(self.parameters * Q4_BYTES)

    @property
    def needs(self) -> float:
        """Bytes that it takes when it is loaded."""
        return self.bytes * CONTEXT_SHARE


def gigabytes(size: float) -> str:
    """`2.2 GB`."""
    return f"{size / 1e9:.1f} GB"


SIZES: Final = (
    Size("3B", 3, 3, 2, 4.5, "fast and rough: short questions, completions"),
    Size("7B", 7, 7, 4.5, 10, "the balance over a tailnet: mistral, neural-chat"),
    Size("13B", 13, 13, 10, 20, "better and slower"),
    Size("8x7B", 47, 13, 40, 60, "best and heavy: mixtral"),
)

RULE: Final = (
    *(f"{size.name}, {gigabytes(size.bytes)}, {gigabytes(size.needs)} when loaded: {size.text}" for size in SIZES),
    "A model in Q4 has about 0.6 GB for each 1B of parameters, and takes a fifth more when it is loaded.",
    "It runs well where all of that lies in the card; the rest is left to the processor, and slows all of it.",
)
NOT_KNOWN: Final = (
    "how much memory a card has: Ollama tells only what lies in it now",
    "how much room a disk has for another model: Ollama tells it nowhere",
)


class Grade(Worded):
    """How a size runs: a word for programs, which never changes, and a text."""

    WELL = "well", "runs well"
    READABLE = "readable", "about as fast as one reads"
    SLOW = "slow", "slower than one reads"
    TOO_LARGE = "too_large", "larger than its card"
    UNKNOWN = "unknown", "not known"


class Basis(Worded):
    """What a grade is taken from, the best first."""

    MEASURED = "measured", "measured"
    ESTIMATED = "estimated", "reckoned from another model's figure"
    CARD = "card", "from what lies in the card"
    NONE = "none", "nothing is known"


class Fit(NamedTuple):
    """One size on one server. `rate`: tokens a second, None where there is none; `model`: whose figure it is.

    `proven`: so much has been loaded there before; else the rate holds if it fits.
    """

    size: Size
    grade: Grade
    basis: Basis
    rate: float | None = None
    model: str = ""
    proven: bool = True

    @property
    def text(self) -> str:
        """A few words for a table."""
        if self.rate is not None:
            about = "" if self.basis is Basis.MEASURED else "about "
            return f"{about}{figure(self.rate)}{'' if self.proven else ' if it fits'}"
        if self.basis is Basis.CARD:
            return {Grade.WELL: "fits its card", Grade.SLOW: "slow, no card"}.get(self.grade, self.grade.text)
        return self.grade.text


class Card(NamedTuple):
    """What is known of a server's card: bytes that lie in it, whether something of what is loaded found no room.

    `seen`: a model is loaded, so that anything is known.
    """

    holds: int = 0
    full: bool = False
    seen: bool = False

    @property
    def missing(self) -> bool:
        """Whether what is loaded lies in plain memory, all of it."""
        return self.seen and self.holds == 0


class Guidance(msgspec.Struct, frozen=True):
    """Of one server."""

    server: ServerState
    card: Card
    fits: tuple[Fit, ...]
    sentences: tuple[str, ...]

    @property
    def best(self) -> Fit | None:
        """The largest size that runs well."""
        return next((fit for fit in reversed(self.fits) if fit.grade is Grade.WELL), None)


def guide(stock: Iterable[Stocked], speeds: Iterable[Speed]) -> list[Guidance]:
    """What to use on each of these servers, in their order."""
    known: dict[str, dict[str, Speed]] = {}
    for one in speeds:
        known.setdefault(one.server, {})[one.model] = one
    return [_guide(one.server, one.models, known.get(one.server.key, {})) for one in stock]


def start(guidance: Sequence[Guidance]) -> str:
    """The one sentence for who reads no more than one; empty where no server answers."""
    fit, server = max(
        ((one.best, one.server.name) for one in guidance if one.best is not None),
        key=lambda pair: (SIZES.index(pair[0].size), -_BASES.index(pair[0].basis)),
        default=(None, ""),
    )
    if fit is None:
        return f"No size is known to run well: {_why_none(guidance)}." if guidance else ""
    why = {
        Basis.MEASURED: f"{fit.model} makes {fit.text} there",
        Basis.ESTIMATED: f"{fit.text}, reckoned from {fit.model}",
    }.get(fit.basis, "it fits the card")
    return f"The largest size that runs well is {fit.size.name}, on {server}: {why}."


def _why_none(guidance: Sequence[Guidance]) -> str:
    if not any(one.card.seen for one in guidance):
        return "no server has anything loaded now, and what was measured, if anything, is slower than that"
    if not any(one.card.holds for one in guidance):
        return "no server has anything loaded in a card"
    return "what lies in the cards now is less than any size needs, or slow"


_BASES: Final = tuple(Basis)


def billions(parameters: str) -> float | None:
    """`7.2B` -> 7.2, `8x7B` -> 56, `137M` -> 0.137; None where it is no such number."""
    found = _PARAMETERS.fullmatch(parameters.strip())
    return int(found[1] or 1) * float(found[2]) * _UNITS[found[3].upper()] if found else None


def card(models: Iterable[Model]) -> Card:
    """What the loaded ones tell."""
    loaded = [one for one in models if one.loaded and one.memory > 0]
    holds = sum(min(one.vram, one.memory) for one in loaded)
    full = holds > 0 and any(one.in_card < _WHOLLY for one in loaded)
    return Card(holds, full, seen=bool(loaded))


def _guide(server: ServerState, models: Sequence[Model], speeds: Mapping[str, Speed]) -> Guidance:
    current = [(one, speed) for one in models if (speed := speeds.get(one.name)) and is_of(speed, one.digest)]
    current = [pair for pair in current if not pair[0].cloud]
    there = card(models)
    fits = tuple(_fit(size, there, current) for size in SIZES)
    return Guidance(server, there, fits, tuple(_sentences(server, models, there, current)))


def _fit(size: Size, there: Card, current: Sequence[tuple[Model, Speed]]) -> Fit:
    if of_it := [pair for pair in current if size.least <= (billions(pair[0].parameters) or 0.0) < size.below]:
        model, speed = max(of_it, key=lambda pair: pair[1].rate)
        return Fit(size, _grade(speed.rate), Basis.MEASURED, speed.rate, model.name)
    if there.full and size.needs > there.holds:
        return Fit(size, Grade.TOO_LARGE, Basis.CARD)
    if estimate := _estimate(size, there, current):
        return estimate
    if there.missing:
        return Fit(size, Grade.SLOW, Basis.CARD)
    if there.seen and size.needs <= there.holds:
        return Fit(size, Grade.WELL, Basis.CARD)
    return Fit(size, Grade.UNKNOWN, Basis.NONE)


def _estimate(size: Size, there: Card, current: Sequence[tuple[Model, Speed]]) -> Fit | None:
    """From the figure of the model that is closest: for each token, all that works of a model is read from memory.

    So the rate falls as the bytes grow, where both lie in the same memory; whether a larger one does, nobody knows.
    """
    read = size.active * Q4_BYTES
    bases = [pair for pair in current if _is_dense(pair[0])]
    if not bases:
        return None
    model, speed = min(bases, key=lambda pair: abs(math.log(pair[0].size / read)))
    share = model.size / read
    if not 1 / ESTIMATE_REACH <= share <= ESTIMATE_REACH:
        return None
    rate = speed.rate * share
    proven = size.bytes <= model.size or size.needs <= there.holds
    grade = _grade(rate) if proven or rate < RATE_READABLE else Grade.UNKNOWN
    return Fit(size, grade, Basis.ESTIMATED, rate, model.name, proven)


def _is_dense(model: Model) -> bool:
    """Whether all of it works for each token, as far as can be told."""
    parameters = billions(model.parameters)
    return model.size > 0 and parameters is not None and parameters < DENSE_BELOW and not _EXPERTS.search(model.name)


def _grade(rate: float) -> Grade:
    if rate >= RATE_WELL:
        return Grade.WELL
    return Grade.READABLE if rate >= RATE_READABLE else Grade.SLOW


def _sentences(
    server: ServerState, models: Sequence[Model], there: Card, current: Sequence[tuple[Model, Speed]]
) -> Iterable[str]:
    holds = gigabytes(there.holds)
    if not there.seen:
        yield "nothing is loaded there now, so that nothing is known of its card"
    elif there.missing:
        yield "what is loaded lies in plain memory, nothing of it in a card: the processor computes"
    elif there.full:
        yield f"its card is full with {holds} of what is loaded; the rest lies in plain memory, and slows all of it"
    else:
        yield f"what is loaded lies wholly in its card, {holds}: the card has at least that"
    if path := _path(server):
        yield path
    if not models:
        yield f"it has no model yet: `ollama-locate ensure mistral --on {server.name}` pulls one"
    elif not current:
        yield "no figure is known: `ollama-locate models --bench` measures what is loaded"


def _path(server: ServerState) -> str:
    """How it is reached, as far as that is known; else how far it is, or nothing."""
    rtt = server.rtt_ms
    away = "" if rtt is None else f"{rtt:.0f} ms away" if rtt >= 1 else "less than 1 ms away"
    distance = away and f", {away}"
    if server.path == "local":
        return "this machine: no network between"
    if server.path == "relay":
        return f"reached through a relay{distance}: each answer begins so much later, and its words come as fast"
    return f"reached directly{distance}" if server.path == "direct" else away
