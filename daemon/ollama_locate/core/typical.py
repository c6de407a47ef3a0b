"""How long a typical answer takes each server, by what was measured: what `rank = "speed"` compares by."""

from collections.abc import Iterable, Mapping

from .inventory import Model
from .selection import Required
from .speed import Speed, expected, is_of
from .track import Track


class Typical:
    """The figures, by model. With none, everything is None or empty: then round trips decide."""

    def __init__(self, speeds: Iterable[Speed]) -> None:
        self._by_model: dict[str, dict[str, Speed]] = {}
        for one in speeds:
            self._by_model.setdefault(one.model, {})[one.server] = one

    def of_servers(self, tracks: Mapping[str, Track], required: Required) -> dict[str, float]:
        """Key -> seconds, by one model for all: a required one, else the one that was measured on most of them.

        As if it were loaded: who is chosen shall not hang on who was asked last.
        """
        for names in required:
            for model in names:
                if found := self._times(model, tracks, warm=True):
                    return found
        every = (self._times(model, tracks, warm=True) for model in sorted(self._by_model))
        return max(every, key=len, default={})

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
    return next((one for one in track.stock or () if one.name == name and not one.absent), None)
