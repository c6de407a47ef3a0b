"""For each model the best server that has it, by the same rules as the endpoint."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from . import selection
from .selection import Contender

_NONE: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType({})


class ByModel:
    """Remembers whose turn it was for each model, whom the dead band protects."""

    def __init__(self) -> None:
        self._current: dict[str, str] = {}

    def choose(
        self,
        contenders: Sequence[Contender],
        loaded: Mapping[str, frozenset[str]],
        *,
        doubtful: Iterable[Contender] = (),
        pinned: str | None = None,
        answers: Mapping[str, Mapping[str, float]] = _NONE,
    ) -> dict[str, str]:
        """Model -> the key of its server. The `contenders` are healthy and ranked; `loaded` is by key.

        `doubtful`: who failed a check and is not down yet; a model that nobody else has stays with it. `pinned` is
        taken where it has the model. `answers`: model -> key -> the seconds of a typical answer, where `rank` is by
        speed.
        """
        found: dict[str, str] = {}
        alike: dict[tuple[object, ...], str | None] = {}
        for name, having in _holders(contenders).items():
            times = answers.get(name, {})
            if len(having) == 1:
                found[name] = having[0].key
                continue
            warm = frozenset(one.key for one in having if name in loaded.get(one.key, ()))
            question = (tuple(one.key for one in having), warm, self._current.get(name), tuple(times.items()))
            if question not in alike:
                alike[question] = _best(having, warm, times, self._current.get(name), pinned)
            found[name] = alike[question] or having[0].key
        for name, having in _holders(doubtful).items():
            found.setdefault(name, having[0].key)
        self._current = found
        return found


def _holders(contenders: Iterable[Contender]) -> dict[str, list[Contender]]:
    found: dict[str, list[Contender]] = {}
    for one in contenders:
        for name in one.models or ():
            found.setdefault(name, []).append(one)
    return found


def _best(
    having: Sequence[Contender],
    warm: frozenset[str],
    times: Mapping[str, float],
    current: str | None,
    pinned: str | None,
) -> str | None:
    if any(one.key == pinned for one in having):
        return pinned
    return selection.choose(for_model(having, warm, times), current).key


def for_model(having: Iterable[Contender], warm: frozenset[str], times: Mapping[str, float]) -> list[Contender]:
    """The contenders as they stand for one model: `warm` have it loaded, `times` are of a typical answer of it."""
    return [
        Contender(
            one.key,
            one.tier,
            one.rtt,
            one.models,
            held=one.held,
            demoted=one.demoted,
            cold=one.key not in warm,
            answer=times.get(one.key),
        )
        for one in having
    ]
