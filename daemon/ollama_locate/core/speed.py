"""How fast a server's models answer: the figures that were measured, kept in speeds.json, and what follows from one."""

import math
from collections.abc import Iterable
from typing import Final

import msgspec

from .believed import read_back
from .bounds import SCHEMA
from .bounds_models import ANSWER_TOKENS, LOAD_ASSUMED, RATE_MAX, SPEEDS_KEPT
from .models import is_model_name, short_digest
from .pin import LATEST
from .text import shown

_KEY_MAX: Final = 256
_LONGEST: Final = 86_400.0
"""Seconds; no first token and no load takes a day."""


class Speed(msgspec.Struct, frozen=True):
    """Of one model on one server. `server` is its key in state.json, `model` the full name as in `/api/tags`.

    `digest`: of the model when it was measured, 12 hex digits; empty where the server did not say. `at`: epoch seconds.
    `first_token`: seconds from the request to the first token, the model being loaded, the network included. `rate`:
    tokens a second while it generates. `load`: seconds to load it; 0.0 where that was never seen.
    """

    server: str
    model: str
    digest: str
    at: float
    first_token: float
    rate: float
    load: float = 0.0


def expected(speed: Speed, rtt: float, *, loaded: bool, tokens: int = ANSWER_TOKENS) -> float:
    """Seconds until a typical answer is there: connect, load if need be, first token, the rest.

    `rtt` in seconds: one more round trip, as a program connects anew. A load that was never seen counts LOAD_ASSUMED.
    """
    load = 0.0 if loaded else speed.load or LOAD_ASSUMED
    return rtt + load + speed.first_token + tokens / speed.rate


def is_of(speed: Speed, digest: str) -> bool:
    """Whether it was measured with the model that has this digest; one of another model is outdated."""
    return speed.digest == short_digest(digest)


def merged(old: Iterable[Speed], new: Iterable[Speed]) -> tuple[Speed, ...]:
    """The figures, one for each model of each server, `new` before `old`; the SPEEDS_KEPT newest, sorted.

    A load that was seen before is kept where the same model was loaded already this time.
    """
    found: dict[tuple[str, str], Speed] = {}
    for one in (*old, *new):
        before = found.get((one.server, one.model))
        if before is not None and not one.load and before.digest == one.digest:
            one = msgspec.structs.replace(one, load=before.load)  # noqa: PLW2901 - what is known besides
        found[one.server, one.model] = one
    newest = sorted(found.values(), key=lambda one: one.at)[-SPEEDS_KEPT:]
    return tuple(sorted(newest, key=lambda one: (one.server, one.model)))


class _File(msgspec.Struct, frozen=True):
    schema: int
    speeds: tuple[Speed, ...]


_DECODER: Final = msgspec.json.Decoder(_File)


def parse_speeds(data: bytes) -> tuple[Speed, ...]:
    """What lies in speeds.json. Raises ValueError with a sentence."""
    return merged((), (one for one in read_back(_DECODER, data).speeds if is_sane(one)))


def render_speeds(speeds: Iterable[Speed]) -> bytes:
    """The content of speeds.json."""
    return msgspec.json.encode(_File(SCHEMA, tuple(speeds))) + b"\n"


def is_sane(one: Speed) -> bool:
    """Whether it may be kept, shown, and reckoned with: no figure is below zero, none is absurd."""
    return (
        one.server == shown(one.server, _KEY_MAX) != ""
        and is_model_name(one.model)
        and one.digest in ("", short_digest(one.digest))
        and _within(one.at, LATEST)
        and _within(one.first_token, _LONGEST)
        and _within(one.load, _LONGEST)
        and _within(one.rate, RATE_MAX)
        and one.rate > 0.0
    )


def _within(value: float, most: float) -> bool:
    return math.isfinite(value) and 0.0 <= value <= most
