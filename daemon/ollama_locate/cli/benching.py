"""What `models --bench` does: say what it will do, ask, measure, keep each figure at once, show them."""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import httpx

from ollama_locate.core.aliases import resolved
from ollama_locate.core.bars import figure
from ollama_locate.core.bench import Job, Stocked, lasts, missing, plan
from ollama_locate.core.choosing import alternatives
from ollama_locate.core.duration import about
from ollama_locate.core.errors import OperatorError, StateFolderError
from ollama_locate.core.generation import Miss, Unmeasured
from ollama_locate.core.inventory import Model
from ollama_locate.core.placement import loadable
from ollama_locate.core.snapshot import ServerState, Snapshot
from ollama_locate.core.speed import Speed, merged
from ollama_locate.core.text import shown
from ollama_locate.edge.folders import reader_folder
from ollama_locate.edge.lock import holder
from ollama_locate.edge.measure import listing, measure
from ollama_locate.edge.requests import Request, send
from ollama_locate.edge.speeds import keep_speeds

from . import speeds
from .clients import Clients
from .confirm import confirmed
from .named import few, nobody, not_asked, speaks_of
from .show import note
from .state import config, seen

INTERRUPTED_EXIT = 130


def run(args: argparse.Namespace) -> int:
    """The whole of it; 0 where something was measured, 1 where nothing was, 130 after ctrl-C."""
    folder = reader_folder()
    known = keep_speeds(folder, ())  # what cannot be kept need not be measured
    settings, snapshot = config().models, seen().snapshot
    words = [word for one in args.bench for word in alternatives(one, snapshot.aliases)]
    stock = _stock(snapshot, args.on)
    planned = plan(stock, words, _required(settings.require, snapshot), known)
    for word in missing(planned, words):
        note(f"ollama-locate: no server that answers has {shown(word, 64)}")
    jobs = [job for job in planned if not job.model.cloud]
    left_out = [speeds.Missed(job, Miss(Unmeasured.CLOUD)) for job in planned if job.model.cloud]
    for one in left_out:
        note(f"{one.job.server.name}: {one.job.model.name}: {one.miss.text}")
    if not jobs:
        if words:
            _show(args, (), left_out, stock)
            return 1
        raise OperatorError("no model is loaded now; name those to measure: ollama-locate models --bench mistral")
    note(_said(jobs))
    if not confirmed("Measure them?", yes=args.yes, on=sys.stderr):
        note("ollama-locate: nothing was measured")
        return 1
    bench, code = _Bench(folder, known, Clients(job.server for job in jobs)), 0
    try:
        asyncio.run(bench.run(jobs))
    except KeyboardInterrupt:
        note("stopped; what was measured is kept")
        code = INTERRUPTED_EXIT
    except StateFolderError as error:
        note(f"ollama-locate: {error}")
        code = 1
    if bench.measured:
        _tell(folder)
    _show(args, bench.measured, [*left_out, *bench.missed], stock)
    return code or (0 if bench.measured else 1)


def _required(names: Iterable[str], snapshot: Snapshot) -> set[str]:
    entries = resolved([(name,) for name in names], snapshot.aliases)
    return {model for models in entries for model in models}


def _show(
    args: argparse.Namespace, measured: Iterable[Speed], missed: Iterable[speeds.Missed], stock: Sequence[Stocked]
) -> None:
    found = speeds.rows(measured, (), {one.server.key: one.server.name for one in stock})
    if args.json:
        speeds.as_json(found, missed)
    elif args.csv:
        speeds.as_csv(found)
    elif found:
        speeds.show(found)


class _Bench:
    """One run. A server measures one model after the other; servers work at the same time."""

    def __init__(self, folder: Path, known: tuple[Speed, ...], clients: Clients) -> None:
        self.missed: list[speeds.Missed] = []
        self._folder, self._known, self._clients = folder, known, clients
        self._done: set[tuple[str, str]] = set()
        self._disk = asyncio.Lock()
        self._all = 0

    @property
    def measured(self) -> list[Speed]:
        """The figures of this run, with the loads that were seen before."""
        return [one for one in self._known if (one.server, one.model) in self._done]

    async def run(self, jobs: Sequence[Job]) -> None:
        """All of them. Raises StateFolderError where a figure cannot be kept."""
        self._all = len(jobs)
        by_url: dict[str, list[Job]] = {}
        for job in jobs:
            by_url.setdefault(job.server.url, []).append(job)
        try:
            async with asyncio.TaskGroup() as servers:
                for several in by_url.values():
                    servers.create_task(self._server(several))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _server(self, jobs: Sequence[Job]) -> None:
        try:
            client = await self._clients.of(jobs[0].server)
        except OperatorError as error:
            for job in jobs:
                self._miss(job, Miss(Unmeasured.LOST, str(error)))
            return
        async with client:
            await self._each(client, jobs)

    async def _each(self, client: httpx.AsyncClient, jobs: Sequence[Job]) -> None:
        for job in jobs:
            model = await _now(client, job)
            if isinstance(model, Miss):
                self._miss(job, model)
                continue
            note(f"{job.server.name}: {'measuring' if model.loaded else 'loading'} {model.name}")
            at = time.time()
            context = model.context if model.loaded else None
            came = await measure(client, job.server.url, model.name, context, int(at * 1000))
            if isinstance(came, Miss):
                self._miss(job, came)
                continue
            speed = Speed(job.server.key, model.name, model.digest, at, came.first_token, came.rate, came.load)
            self._known = merged(self._known, (speed,))
            self._done.add((speed.server, speed.model))
            note(f"{job.server.name}: {model.name} makes {figure(speed.rate)}{self._so_far()}")
            # At once, as ctrl-C may come; in a thread, as a slow disk must not delay the clock of the others.
            async with self._disk:
                await asyncio.to_thread(keep_speeds, self._folder, (speed,))

    def _miss(self, job: Job, miss: Miss) -> None:
        self.missed.append(speeds.Missed(job, miss))
        note(f"{job.server.name}: {job.model.name}: {miss.text}{self._so_far()}")

    def _so_far(self) -> str:
        return f" ({len(self._done) + len(self.missed)} of {self._all})"


def _stock(snapshot: Snapshot, on: str | None) -> list[Stocked]:
    """The servers that answer with what they have, or the one that is meant. Raises OperatorError."""
    servers = loadable(snapshot, withheld=bool(on))
    if on:
        servers = [one for one in servers if speaks_of(one, on)]
        if not servers:
            silent = next((one for one in snapshot.servers if speaks_of(one, on)), None)
            raise OperatorError(not_asked(silent)) if silent else nobody(snapshot, on)
    found = asyncio.run(_listings(servers, Clients(servers)))
    for server, models in zip(servers, found, strict=True):
        if isinstance(models, Miss):
            note(f"{server.name}: {models.text}")
    have = [
        Stocked(server, models) for server, models in zip(servers, found, strict=True) if not isinstance(models, Miss)
    ]
    if not have:
        raise OperatorError("no server answers now; `ollama-locate why` says more of each")
    return have


async def _listings(servers: Sequence[ServerState], clients: Clients) -> list[tuple[Model, ...] | Miss]:
    return list(await asyncio.gather(*(_listing(server, clients) for server in servers)))


async def _listing(server: ServerState, clients: Clients) -> tuple[Model, ...] | Miss:
    try:
        async with await clients.of(server) as client:
            return await listing(client, server.url)
    except OperatorError as error:
        return Miss(Unmeasured.LOST, str(error))


async def _now(client: httpx.AsyncClient, job: Job) -> Model | Miss:
    """The model as it is at this moment: what was measured before may have taken its place."""
    models = await listing(client, job.server.url)
    if isinstance(models, Miss):
        return models
    found = next((one for one in models if one.name == job.model.name), None)
    if found is None:
        return Miss(Unmeasured.NOT_FOUND)
    return Miss(Unmeasured.CLOUD) if found.cloud else found


def _said(jobs: Sequence[Job]) -> str:
    servers = list(dict.fromkeys(job.server.name for job in jobs))
    models = list(dict.fromkeys(job.model.name for job in jobs))
    cold = sum(not job.model.loaded for job in jobs)
    loaded = f"{_several(cold, 'model is', 'models are')} loaded for it; " if cold else ""
    return (
        f"{few(models)} on {few(servers)}: {2 * len(jobs)} generations, about {about(lasts(jobs))}; {loaded}"
        "others who use these servers wait meanwhile"
    )


def _several(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _tell(folder: Path) -> None:
    """The daemon is to read the figures."""
    if pid := holder(folder):
        with contextlib.suppress(StateFolderError):
            send(folder, Request("refresh"), pid)
