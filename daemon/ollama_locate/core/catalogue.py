"""What servers have of models: told by probes, asked by the snapshot."""

from collections.abc import Mapping, Sequence

from . import selection
from .board import Board
from .by_model import ByModel
from .inventory import Model, same_to_choose_by, usable
from .models import is_model_name
from .text import is_value
from .track import Decision, Track, Verdict


class Catalogue:
    """Reads the board, and writes the models of its tracks."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._by_model = ByModel()

    def recall(self, best: Mapping[str, str]) -> None:
        """Whose turn it was for each model in an earlier run."""
        self._by_model.recall(best)

    # --- told

    def listed(self, track: Track, names: tuple[str, ...] | None) -> None:
        """A list of names; what else is known of its models says which of them cannot be had, or more can."""
        if names is None:
            return
        cloud, stock = self._board.settings.cloud, track.stock or ()
        absent = {model.name for model in stock if model.absent}
        more = {model.name for model in stock if model.cloud and not model.absent} if cloud else set()
        track.models = tuple(sorted({*names, *more} - absent)) if more or absent else names

    def stocked(self, track: Track, models: tuple[Model, ...]) -> bool:
        """All that is known of its models; returns whether another server may be the best for one now."""
        before, track.stock = track.stock, models
        self.listed(track, usable(models))
        return before is None or not same_to_choose_by(before, models)

    def reconfigure(self) -> None:
        """Other settings: whether a cloud may be used counts at once."""
        for track in self._board.tracks.values():
            if track.stock is not None and track.models is not None:
                self.listed(track, usable(track.stock))

    # --- asked

    def best(self, now: float) -> dict[str, str]:
        """For each model the key of the server that is the best for it now."""
        board, pinned = self._board, self._board.pinned()
        loaded = {
            key: frozenset(model.name for model in track.stock or () if model.loaded)
            for key, track in board.tracks.items()
        }
        contenders = board.contenders(now)
        return self._by_model.choose(
            selection.rank(contenders),
            loaded,
            doubtful=selection.rank(board.doubtful(contenders)),
            provisional=board.provisional,
            pinned=pinned.server.key if pinned is not None else None,
            answers=board.answers(),
        )

    def publishable(self, order: Sequence[str], now: float) -> dict[str, str]:
        """The same, in the order of the servers, of those whose name and URL may be written."""
        places = {key: place for place, key in enumerate(order) if is_value(self._board.tracks[key].server.url)}
        found = self.best(now)
        fit = [(places[key], model) for model, key in found.items() if key in places and is_model_name(model)]
        return {model: order[place] for place, model in sorted(fit)}

    def aliases(self) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
        """Those in force, and what is said of the others."""
        found = self._board.aliases()
        said = tuple(
            f"[models.alias] {name} is not used: a server has a model of that name"
            for name in self._board.settings.aliases
            if name not in found
        )
        return found, said

    def lacking(self, decision: Decision, best: Mapping[str, str]) -> tuple[str, ...]:
        """What is said of required models that nobody has who answers."""
        if decision.verdict is not Verdict.FRESH or decision.provisional or decision.server is None:
            return ()
        name = decision.server.name
        return tuple(
            f"no server that answers has {' or '.join(names)}, which [models] require names; {name} is used anyway"
            for names in self._board.required()
            if not any(one in best for one in names)
        )
