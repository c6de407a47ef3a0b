"""What a bench does: which models of which servers, and how long that will take, about."""

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from .bounds_models import BENCH_RATE_GUESSED, BENCH_TOKENS, BENCH_WARM, DISK_RATE_GUESSED
from .inventory import Model
from .snapshot import ServerState
from .speed import Speed, is_of


class Stocked(NamedTuple):
    """A server, and the models that it has now."""

    server: ServerState
    models: tuple[Model, ...]


class Job(NamedTuple):
    """One model of one server that is to be measured. `known`: the figure of an earlier time."""

    server: ServerState
    model: Model
    known: Speed | None = None


def plan(
    stock: Iterable[Stocked], words: Sequence[str], required: Collection[str], known: Iterable[Speed]
) -> list[Job]:
    """The jobs, in the servers' order. `words`: full names and patterns; without any: what is loaded, or `required`.

    A model that runs elsewhere is a job only where it is called by its name, so that somebody says why not.
    """
    figures = {(one.server, one.model): one for one in known}
    return [
        Job(server, model, figure if figure is not None and is_of(figure, model.digest) else None)
        for server, models in stock
        for model in models
        if _is_meant(model, words, required)
        for figure in (figures.get((server.key, model.name)),)
    ]


def missing(jobs: Iterable[Job], words: Sequence[str]) -> list[str]:
    """Those of the names and patterns that no job is for."""
    names = {job.model.name for job in jobs}
    return [word for word in words if not any(_matches(name, [word]) for name in names)]


def lasts(jobs: Iterable[Job]) -> float:
    """Seconds that all of it takes, about: the servers work at the same time, one model after another on each."""
    each: dict[str, float] = {}
    for job in jobs:
        each[job.server.key] = each.get(job.server.key, 0.0) + _lasts(job)
    return max(each.values(), default=0.0)


def _is_meant(model: Model, words: Sequence[str], required: Collection[str]) -> bool:
    if model.cloud:
        return model.name in words
    return _matches(model.name, words) if words else model.loaded or model.name in required


def _lasts(job: Job) -> float:
    known = job.known
    load = 0.0 if job.model.loaded else (known.load if known else 0.0) or job.model.size / DISK_RATE_GUESSED
    rate, first = (known.rate, known.first_token) if known else (BENCH_RATE_GUESSED, 0.0)
    return load + 2 * first + (BENCH_TOKENS + BENCH_WARM) / rate


def _matches(name: str, words: Sequence[str]) -> bool:
    return any(fnmatchcase(name, word) for word in words)
