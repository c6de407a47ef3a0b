"""`ollama-locate models`: which model is where, what is loaded, how large it is."""

import argparse
from typing import Any, Final

import msgspec
from msgspec.structs import asdict

from ollama_locate.core.bounds import SCHEMA
from ollama_locate.core.inventory import Model
from ollama_locate.core.placement import answering
from ollama_locate.core.snapshot import ServerState

from .help import Help
from .show import fits, line, note, table
from .state import seen

_UNITS: Final = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_ALL: Final = 0.995
"""Of a model in the card: what a server rounds."""

_ANY: Final = "completion"
"""What nearly every model can do."""

_UNKNOWN: Final = "its list of models is not known"


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "models",
        help="which model is where, and what is loaded",
        description="Which model is on which of the servers that answer, and what it can do.",
        epilog="A model that is loaded answers at once. `loaded 60%`: so much of it lies in the graphics card; the "
        "rest is slow.\n`not found`: its server lists it, and then does not find it.\n"
        "A cloud model runs elsewhere: using it leaves the tailnet, so it is never chosen unless the config says so.",
        formatter_class=Help,
    )
    words.add_argument("--json", action="store_true", help="the same as data (docs/models.md)")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print them; 1 where no server answers."""
    servers = answering(seen(models=True).snapshot)
    if args.json:
        _json(servers)
        return 0 if servers else 1
    if not servers:
        note("ollama-locate: no server answers; `ollama-locate why` says more")
        return 1
    _show([server for server in servers if server.inventory is not None])
    for server in servers:
        if server.inventory is None:
            note(f"{server.name}: {_UNKNOWN}")
    return 0


def _json(servers: list[ServerState]) -> None:
    found = [
        {
            "name": server.name,
            "url": server.url,
            "trouble": _UNKNOWN if server.inventory is None else "",
            "models": [asdict(model) for model in server.inventory or ()],
        }
        for server in servers
    ]
    print(msgspec.json.encode({"schema": SCHEMA, "servers": found}).decode())


def _show(servers: list[ServerState]) -> None:
    """A column for each server where there is room, else the servers' names in one column."""
    by_name: dict[str, dict[str, Model]] = {}
    for server in servers:
        for model in server.inventory or ():
            by_name.setdefault(model.name, {})[server.key] = model
    if not by_name:
        line("The servers have no models; `ollama-locate ensure mistral` gets one.")
        return
    rows = sorted(by_name.items())
    heads = ("MODEL", "SIZE", "KIND", "CAN", *(server.name for server in servers))
    matrix = [(*_of(at), *(_cell(at.get(server.key)) for server in servers)) for _, at in rows]
    if fits(heads, matrix):
        table(heads, matrix)
        return
    listed = [
        (*_of(at), ", ".join(_where(server, at[server.key]) for server in servers if server.key in at))
        for _, at in rows
    ]
    table(("MODEL", "SIZE", "KIND", "CAN", "ON"), listed)


def _of(at: dict[str, Model]) -> tuple[str, str, str, str]:
    """What is the same wherever it is installed: the first server's word is taken."""
    model = next(iter(at.values()))
    kind = "cloud" if model.cloud else " ".join(filter(None, (model.parameters, model.quantisation)))
    can = next((one.can for one in at.values() if one.can is not None), ())
    return model.name, _size(model.size), kind or "-", " ".join(word for word in can if word != _ANY) or "-"


def _cell(model: Model | None) -> str:
    if model is None:
        return "-"
    if model.absent:
        return "not found"
    if not model.loaded:
        return "yes"
    return "loaded" if model.in_card >= _ALL else f"loaded {model.in_card:.0%}"


def _where(server: ServerState, model: Model) -> str:
    return f"{server.name} ({_cell(model)})" if model.loaded or model.absent else server.name


def _size(size: int) -> str:
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return "-"
