"""For each model the best server that has it, by the same rules as the endpoint."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from . import selection
from .selection import Contender

_NONE: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType({})


class ByModel:
    """Remembers whose turn it was for each model, whom the dead band protects."""

    def __init__(self) -> None:
        self._current: dict[str, str] = {}
        self._pinned: str | None = None

    def recall(self, best: Mapping[str, str]) -> None:
        """Whose turn it was in an earlier run."""
        self._current = dict(best)

    def choose(
        self,
        contenders: Sequence[Contender],
        loaded: Mapping[str, frozenset[str]],
        *,
        doubtful: Iterable[Contender] = (),
        pinned: str | None = None,
        provisional: bool = False,
        answers: Mapping[str, Mapping[str, float]] = _NONE,
    ) -> dict[str, str]:
        """Model -> the key of its server. The `contenders` are healthy and ranked; `loaded` is by key.

        `doubtful`: who is up and no contender now; a model that nobody else has stays with it. `pinned` is taken where
        it has the model. `provisional`: in the first round no dead band protects anyone. `answers`: model -> key -> the
        seconds of a typical answer, where `rank` is by speed.
        """
        if self._pinned is not None and pinned != self._pinned:
            # It was not chosen for its merits: no dead band protects it.
            self._current = {model: key for model, key in self._current.items() if key != self._pinned}
        self._pinned = pinned
        found: dict[str, str] = {}
        alike: dict[tuple[object, ...], str | None] = {}
        by_rtt = pinned is None and not answers and all(one.answer is None for one in contenders)
        for name, having in _holders(contenders).items():
            times, current = answers.get(name, {}), self._current.get(name)
            if len(having) == 1:
                found[name] = having[0].key
                continue
            warm = frozenset(one.key for one in having if name in loaded.get(one.key, ()))
            if by_rtt and _first_anyway(having[0].key, warm, current):
                found[name] = having[0].key
                continue
            question = (tuple(one.key for one in having), warm, current, tuple(times.items()))
            if question not in alike:
                alike[question] = _best(for_model(having, warm, times), current, pinned, provisional=provisional)
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


def _first_anyway(first: str, warm: frozenset[str], current: str | None) -> bool:
    """Whether the one that ranks first is so for this model as well, and displaces nobody: so it is for most."""
    return (not warm or first in warm) and current in (None, first)


def _best(having: Sequence[Contender], current: str | None, pinned: str | None, *, provisional: bool) -> str | None:
    if any(one.key == pinned for one in having):
        return pinned
    return selection.choose(having, current, provisional=provisional).key


def for_model(having: Iterable[Contender], warm: frozenset[str], times: Mapping[str, float]) -> list[Contender]:
    """The contenders as they stand for one model: `warm` have it loaded, `times` are of a typical answer of it."""
    return [
        replace(one, cold=one.key not in warm, answer=times.get(one.key), outdated=False)  # docs/scale.md says why
        for one in having
    ]
