"""What `ensure` does: find who has the model, else say where it is pulled, ask, pull; load it, print the endpoint."""

import argparse
import asyncio
import contextlib
import sys
import time

import httpx

from ollama_locate.core.bounds import ENSURE_SEEN
from ollama_locate.core.choosing import Wish, fulfil
from ollama_locate.core.config import Config
from ollama_locate.core.errors import OperatorError, StateFolderError
from ollama_locate.core.models import has_model, is_cloud
from ollama_locate.core.net import Net
from ollama_locate.core.obstacle import obstacle
from ollama_locate.core.placement import barred, belongs, holders, loadable
from ollama_locate.core.pulling import Failure, Meter, Trouble
from ollama_locate.core.snapshot import ServerState, Snapshot, best_by_model
from ollama_locate.core.tailnet import Tailnet, Unavailable
from ollama_locate.edge import pull, tailscale
from ollama_locate.edge.folders import reader_folder
from ollama_locate.edge.lock import holder
from ollama_locate.edge.requests import Request, send

from .asking import wait_for
from .clients import Clients
from .confirm import confirmed
from .named import in_the_way, nobody, not_asked, speaks_of
from .pulled import Teller, teller
from .show import note
from .state import config, seen
from .url import NONE_EXIT

INTERRUPTED_EXIT = 130


class _FailedError(OperatorError):
    """With a word for programs."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def run(args: argparse.Namespace) -> int:
    """The whole of it; the exit code."""
    tells = teller(json=args.json)
    task = _Task(args, tells)
    try:
        return task.run()
    except OperatorError as error:
        tells.end()
        tells.failed(error.code if isinstance(error, _FailedError) else "failed", str(error))
        note(f"ollama-locate: {error}")
        return NONE_EXIT if isinstance(error, _FailedError) and error.code == "no_server" else 1
    except KeyboardInterrupt:
        tells.end()
        tells.failed("interrupted", task.interrupted)
        note(f"ollama-locate: {task.interrupted}")
        return INTERRUPTED_EXIT
    finally:
        tells.end()


class _Task:
    """One call of the command. `interrupted`: what ctrl-C leaves, at this moment."""

    def __init__(self, args: argparse.Namespace, tells: Teller) -> None:
        self.interrupted = "stopped; nothing was changed"
        self._args, self._tells = args, tells
        self._model: str = args.model
        self._clients = Clients(())

    def run(self) -> int:
        if is_cloud(self._model):
            raise _FailedError("cloud", _elsewhere(self._model))
        snapshot = seen().snapshot
        if meant := snapshot.aliases.get(self._model.removesuffix(":latest")):
            raise _FailedError("alias", f"this is an alias; name the model: {' or '.join(meant)}")
        servers = loadable(snapshot, withheld=bool(self._args.on))
        if self._args.on:
            servers = [_named(snapshot, servers, self._args.on)]
        if not servers:
            raise _FailedError("no_server", "no server answers now; `ollama-locate why` says more of each")
        self._clients = Clients(servers)
        if where := asyncio.run(self._load_any(holders(servers, self._model, snapshot.best.get(self._model)))):
            return self._done(snapshot, where)
        where = self._where(snapshot, servers)
        current = where.url == snapshot.decision.endpoint
        away = obstacle(Wish(self._model), snapshot)
        asleep = away is not None and away.silent
        if away is not None and asleep:
            self._tells.remark(in_the_way(away))
        self._tells.pulling(self._model, where, current=current)
        if not self._may_pull(sure=current and not asleep):
            raise _FailedError("declined", "nothing was pulled")
        asyncio.run(self._pull(where))
        return self._done(snapshot, where, pulled=True)

    def _may_pull(self, *, sure: bool) -> bool:
        """`sure`: where else nobody would be asked."""
        if (sure or self._args.on) and not self._args.ask:
            return True
        return confirmed("Pull it there?", yes=self._args.yes, on=sys.stderr, piped=self._args.ask)

    def _done(self, snapshot: Snapshot, where: ServerState, *, pulled: bool = False) -> int:
        now = _refreshed(where, self._model) or snapshot
        current = where.url == snapshot.decision.endpoint
        if where.withheld:
            self._tells.remark(f"a program that uses {where.url} must send the headers of its table itself")
        again = "" if current else _again(now, where, self._model)
        self._tells.done(self._model, where, current=current, pulled=pulled, again=again)
        return 0

    async def _load_any(self, servers: list[ServerState]) -> ServerState | None:
        """The first of those that list it that can load it; None where none has it after all."""
        trouble: OperatorError | None = None
        for server in servers:
            try:
                async with await self._clients.of(server) as client:
                    failure = await self._load(client, server)
            except OperatorError as error:
                trouble = trouble or OperatorError(f"{server.name}: {error}")
                continue
            if failure is None:
                return server
            if failure.trouble is Trouble.NOT_FOUND:
                self._tells.remark(f"{server.name} lists {self._model}, and says that it is not there")
                await asyncio.to_thread(_refresh)
                continue
            trouble = trouble or _failed(server, failure)
        if trouble is not None:
            raise trouble
        return None

    async def _load(self, client: httpx.AsyncClient, server: ServerState) -> Failure | None:
        self.interrupted = f"stopped; {server.name} may go on loading {self._model}"
        self._tells.loading(self._model, server)
        return await pull.load(client, server.url, self._model)

    def _where(self, snapshot: Snapshot, servers: list[ServerState]) -> ServerState:
        """Where it is pulled. Raises where that is nowhere."""
        settings = config()
        self.interrupted = "stopped; nothing was changed"
        no_pull = settings.models.no_pull
        closed = barred(servers, no_pull, asyncio.run(_looks(settings))) if no_pull else frozenset()
        pinned = snapshot.pin.url if snapshot.pin is not None and snapshot.pin.followed else ""
        where = belongs(servers, closed, pinned)
        if where is not None:
            return where
        who = f"{servers[0].name} does not have" if self._args.on else "no server that answers has"
        raise _FailedError(
            "no_pull", f"{who} {self._model}, and by [models] no_pull of the config nothing is pulled there"
        )

    async def _pull(self, where: ServerState) -> None:
        self.interrupted = "stopped; what has come is kept by Ollama, the same command goes on from there"
        body = {"model": self._model, "insecure": self._args.insecure}
        async with await self._clients.of(where) as client:
            failure = await pull.pull(client, where.url, body, Meter(time.monotonic()), self._tells.progress)
            if failure is not None:
                raise _failed(where, failure)
            await asyncio.to_thread(_refresh)
            failure = await self._load(client, where)
            if failure is not None:
                raise _failed(where, failure)


async def _looks(settings: Config) -> dict[Net, Tailnet | Unavailable]:
    """What each tailnet says now."""
    looks = await asyncio.gather(*(tailscale.look(settings.tailscale, net) for net in settings.nets))
    return {net: look.found for net, look in zip(settings.nets, looks, strict=True)}


def _failed(server: ServerState, failure: Failure) -> _FailedError:
    return _FailedError(failure.trouble.word, f"{server.name}: {failure.text}")


def _named(snapshot: Snapshot, servers: list[ServerState], wanted: str) -> ServerState:
    """The server that this word means, of those that answer. Raises OperatorError."""
    found = [one for one in servers if speaks_of(one, wanted)]
    if len({one.url for one in found}) > 1:
        raise OperatorError(f"`{wanted}` could be {', '.join(one.url for one in found)}: say one of these")
    if found:
        return found[0]
    silent = next((one for one in snapshot.servers if one.kind != "self_check" and speaks_of(one, wanted)), None)
    if silent is None:
        raise nobody(snapshot, wanted)
    raise _FailedError("no_server", not_asked(silent))


def _elsewhere(model: str) -> str:
    """What is said of a model that is neither loaded nor pulled by anybody."""
    said = f"{model} runs at ollama.com: what you say to it would leave your tailnet"
    if not config().models.cloud:
        return said
    found = fulfil(Wish(model), seen().snapshot)
    there = (
        f"`ollama-locate --model {model}` gives the server that has it" if found else "no server that answers has it"
    )
    return f"{said}. The config allows that, but there is nothing to load or to pull: {there}"


def _again(now: Snapshot, where: ServerState, model: str) -> str:
    """How programs come to the server that was loaded, which is not the current one."""
    best = best_by_model(now).get(model)
    said = f"{where.name} is not the current endpoint"
    if where.withheld:
        return said
    if best not in (None, where.url):
        name = next((one.name for one in now.servers if one.url == best), best)
        return f"{said}; `ollama-locate url --model {model}` prefers {name} now"
    return f"{said}; `ollama-locate url --model {model}` finds it again"


def _refresh() -> bool:
    """The daemon is to read the lists again, as it does by itself within half a minute; whether there is one."""
    folder = reader_folder()
    pid = holder(folder)
    if pid is None:
        return False
    with contextlib.suppress(StateFolderError):
        send(folder, Request("refresh"), pid)
    return True


def _refreshed(where: ServerState, model: str) -> Snapshot | None:
    """The same, and what it published when it had read that one's; None where that did not come."""

    def lists(snapshot: Snapshot) -> bool:
        server = next((one for one in snapshot.servers if one.key == where.key), None)
        if server is None or not has_model(server.models, model):
            return False
        return bool(server.withheld) or model in snapshot.best

    return wait_for(reader_folder(), ENSURE_SEEN, lists) if _refresh() else None
