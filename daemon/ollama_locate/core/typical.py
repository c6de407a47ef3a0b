"""How long a typical answer takes each server, by what was measured: what `rank = "speed"` compares by."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from .inventory import Model
from .selection import Required
from .speed import Speed, expected, is_of
from .track import Track


class Typical:
    """The figures, by model. With none, everything is None or empty: then round trips decide."""

    def __init__(self, speeds: Iterable[Speed]) -> None:
        by_model: dict[str, dict[str, Speed]] = {}
        for one in speeds:
            by_model.setdefault(one.model, {})[one.server] = one
        self._by_model = dict(sorted(by_model.items(), key=lambda item: (-len(item[1]), item[0])))

    def of_servers(self, tracks: Mapping[str, Track], required: Required) -> dict[str, float]:
        """Key -> seconds, by one model for all: a required one, else the one that was measured on most of them.

        As if it were loaded: who is chosen shall not hang on who was asked last.
        """
        for names in required:
            for model in names:
                if found := self._times(model, tracks, warm=True):
                    return found
        best: dict[str, float] = {}
        for model, measured in self._by_model.items():
            if len(measured) <= len(best):
                break
            best = max(best, self._times(model, tracks, warm=True), key=len)
        return best

    def of_models(self, tracks: Mapping[str, Track]) -> dict[str, dict[str, float]]:
        """Model -> key -> seconds; of a server that must load it first, with that."""
        times = ((model, self._times(model, tracks, warm=False)) for model in self._by_model)
        return {model: found for model, found in times if found}

    def _times(self, model: str, tracks: Mapping[str, Track], *, warm: bool) -> dict[str, float]:
        found = {}
        for key, speed in self._by_model.get(model, {}).items():
            track = tracks.get(key)
            there = _model(track, model) if track is not None else None
            if track is not None and there is not None and is_of(speed, there.digest):
                found[key] = expected(speed, track.floor or 0.0, loaded=warm or there.loaded)
        return found


def _model(track: Track, name: str) -> Model | None:
    """Of a stock that is sorted by name."""
    stock = track.stock or ()
    place = bisect_left(stock, name, key=lambda one: one.name)
    return stock[place] if place < len(stock) and stock[place].name == name and not stock[place].absent else None
