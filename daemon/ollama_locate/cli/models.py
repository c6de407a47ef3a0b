"""`ollama-locate models`: which model is where, what is loaded, how large it is."""

import argparse
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ollama_locate.core.bounds import SCHEMA
from ollama_locate.core.net import read_proxy
from ollama_locate.core.snapshot import ServerState

from .help import Help
from .show import fits, line, note, table
from .state import seen

if TYPE_CHECKING:
    from ollama_locate.core.inventory import Model
    from ollama_locate.edge.dial import Wire
    from ollama_locate.edge.inventory import Stock

_UNITS: Final = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_ALL: Final = 0.995
"""Of a model in the card: what a server rounds."""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "models",
        help="which model is where, and what is loaded",
        description="Asks the servers that answer for their models, and shows who has which.",
        epilog="A model that is loaded answers at once. `loaded 60%`: so much of it lies in the graphics card; the "
        "rest is slow.\nA cloud model runs elsewhere: using it leaves the tailnet, so it is never chosen.",
        formatter_class=Help,
    )
    words.add_argument("--json", action="store_true", help="the same as data (docs/models.md)")
    words.set_defaults(run=run)


def run(args: argparse.Namespace, wire: "Wire | None" = None) -> int:
    """Ask, and print; 1 where no server answers."""
    import asyncio  # noqa: PLC0415 - 50 ms that no other command need pay

    from ollama_locate.edge import dial  # noqa: PLC0415 - as above
    from ollama_locate.edge.inventory import stocks  # noqa: PLC0415 - as above

    servers = [one for one in seen().snapshot.servers if one.health == "up" and one.kind != "self_check"]
    places = [(one.url, read_proxy(one.proxy)) for one in servers]
    found = list(zip(servers, asyncio.run(stocks(places, wire or dial.Wire())), strict=True))
    if args.json:
        _json(found)
        return 0 if servers else 1
    if not servers:
        note("ollama-locate: no server answers; `ollama-locate why` says more")
        return 1
    _show([(server, stock) for server, stock in found if not stock.trouble])
    for server, stock in found:
        if stock.trouble:
            note(f"{server.name}: {stock.trouble}")
    return 0


def _json(found: "list[tuple[ServerState, Stock]]") -> None:
    servers = [
        {"name": server.name, "url": server.url, "trouble": stock.trouble, "models": stock.models}
        for server, stock in found
    ]
    print(msgspec.json.encode({"schema": SCHEMA, "servers": servers}).decode())


def _show(found: "list[tuple[ServerState, Stock]]") -> None:
    """A column for each server where there is room, else the servers' names in one column."""
    by_name: dict[str, dict[str, Model]] = {}
    for server, stock in found:
        for model in stock.models:
            by_name.setdefault(model.name, {})[server.key] = model
    if not by_name:
        line("The servers have no models; `ollama pull mistral` on one of them gets one.")
        return
    rows = sorted(by_name.items())
    heads = ("MODEL", "SIZE", "KIND", *(server.name for server, _ in found))
    matrix = [(*_of(at), *(_cell(at.get(server.key)) for server, _ in found)) for _, at in rows]
    if fits(heads, matrix):
        table(heads, matrix)
        return
    listed = [
        (*_of(at), ", ".join(_where(server, at[server.key]) for server, _ in found if server.key in at))
        for _, at in rows
    ]
    table(("MODEL", "SIZE", "KIND", "ON"), listed)


def _of(at: "dict[str, Model]") -> tuple[str, str, str]:
    """What is the same wherever it is installed: the first server's word is taken."""
    model = next(iter(at.values()))
    kind = "cloud" if model.cloud else " ".join(filter(None, (model.parameters, model.quantisation)))
    return model.name, _size(model.size), kind or "-"


def _cell(model: "Model | None") -> str:
    if model is None:
        return "-"
    if not model.loaded:
        return "yes"
    return "loaded" if model.in_card >= _ALL else f"loaded {model.in_card:.0%}"


def _where(server: ServerState, model: "Model") -> str:
    return f"{server.name} ({_cell(model)})" if model.loaded else server.name


def _size(size: int) -> str:
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return "-"
