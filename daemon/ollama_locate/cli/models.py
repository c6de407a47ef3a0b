"""`ollama-locate models`: which model is where, what is loaded, how large it is."""

import argparse
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ollama_locate.core.bars import figure
from ollama_locate.core.bench import Stocked
from ollama_locate.core.bounds import SCHEMA
from ollama_locate.core.errors import OperatorError, StateFolderError
from ollama_locate.core.snapshot import ServerState, Snapshot
from ollama_locate.core.speed import Speed, is_of
from ollama_locate.edge.folders import reader_folder
from ollama_locate.edge.speeds import read_speeds

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
        "rest is slow.\n`42 tok/s`: measured by --bench, with the model that is there now.\n"
        "A cloud model runs elsewhere: using it leaves the tailnet, so it is never chosen.",
        formatter_class=Help,
    )
    what = words.add_mutually_exclusive_group()
    what.add_argument(
        "--bench",
        nargs="*",
        metavar="M",
        help="measure how fast these answer: names, or patterns such as 'qwen3:*'; without one, those that are loaded",
    )
    what.add_argument("--speeds", action="store_true", help="what was measured, with bars")
    what.add_argument("--advise", action="store_true", help="which sizes run well on which server, and why")
    words.add_argument("--on", metavar="NAME", help="with --bench: on this server alone")
    words.add_argument("--yes", action="store_true", help="with --bench: do not ask")
    how = words.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="the same as data (docs/models.md)")
    how.add_argument("--csv", action="store_true", help="with --bench or --speeds: a row for each server and model")
    words.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    """What the options ask for."""
    if args.csv and args.bench is None and not args.speeds:
        raise OperatorError("--csv is for figures: say --bench, or --speeds for those that are known")
    if (args.on or args.yes) and args.bench is None:
        raise OperatorError("--on and --yes belong to --bench")
    if args.bench is not None:
        from .benching import run as bench  # noqa: PLC0415 - httpx, 80 ms, for this alone

        return bench(args)
    return run(args)


def run(args: argparse.Namespace, wire: "Wire | None" = None) -> int:
    """Ask, and print; 1 where no server answers."""
    import asyncio  # noqa: PLC0415 - 50 ms that no other command need pay

    from ollama_locate.edge import dial  # noqa: PLC0415 - as above
    from ollama_locate.edge.inventory import stocks  # noqa: PLC0415 - as above

    snapshot = seen().snapshot
    servers = [one for one in snapshot.servers if one.health == "up" and one.kind != "self_check"]
    found = list(zip(servers, asyncio.run(stocks([one.url for one in servers], wire or dial.Wire())), strict=True))
    have = [Stocked(server, stock.models) for server, stock in found if not stock.trouble]
    known = _known()
    if args.speeds or args.advise:
        code = _advise(args, have, known) if args.advise else _speeds(args, snapshot, have, known)
    elif args.json:
        _json(found, known)
        return 0 if servers else 1
    elif servers:
        _show(have, known)
        code = 0
    else:
        note("ollama-locate: no server answers; `ollama-locate why` says more")
        return 1
    for server, stock in found:
        if stock.trouble:
            note(f"{server.name}: {stock.trouble}")
    return code


def _known() -> tuple[Speed, ...]:
    """The figures; a file that cannot be read is said, and hides nothing else."""
    try:
        return read_speeds(reader_folder())
    except StateFolderError as error:
        note(f"ollama-locate: {error}")
        return ()


def _advise(args: argparse.Namespace, have: list[Stocked], known: tuple[Speed, ...]) -> int:
    from .advising import run as advise  # noqa: PLC0415 - for this alone

    return advise(args, have, known)


def _speeds(args: argparse.Namespace, snapshot: Snapshot, have: list[Stocked], known: tuple[Speed, ...]) -> int:
    from . import speeds  # noqa: PLC0415 - for this alone

    found = speeds.rows(known, have, {one.key: one.name for one in snapshot.servers})
    if args.json:
        speeds.as_json(found)
    elif args.csv:
        speeds.as_csv(found)
    elif found:
        speeds.show(found)
    else:
        note("ollama-locate: nothing is measured yet; `ollama-locate models --bench` does that")
        return 1
    return 0


def _json(found: "list[tuple[ServerState, Stock]]", known: tuple[Speed, ...]) -> None:
    servers = [
        {
            "name": server.name,
            "url": server.url,
            "trouble": stock.trouble,
            "models": [
                msgspec.to_builtins(model) | {"tokens_per_s": _rate(_figures(known), server, model)}
                for model in stock.models
            ],
        }
        for server, stock in found
    ]
    print(msgspec.json.encode({"schema": SCHEMA, "servers": servers}).decode())


def _figures(known: tuple[Speed, ...]) -> dict[tuple[str, str], Speed]:
    return {(one.server, one.model): one for one in known}


def _rate(figures: dict[tuple[str, str], Speed], server: ServerState, model: "Model") -> float | None:
    """Tokens a second; None where it was not measured, or another version of the model was."""
    speed = figures.get((server.key, model.name))
    return round(speed.rate, 2) if speed is not None and is_of(speed, model.digest) else None


def _show(found: list[Stocked], known: tuple[Speed, ...]) -> None:
    """A column for each server where there is room, else the servers' names in one column."""
    figures = _figures(known)
    by_name: dict[str, dict[str, tuple[Model, str]]] = {}
    for server, models in found:
        for model in models:
            cell = _cell(model, _rate(figures, server, model))
            by_name.setdefault(model.name, {})[server.key] = (model, cell)
    if not by_name:
        line("The servers have no models; `ollama pull mistral` on one of them gets one.")
        return
    rows = [(_of(next(iter(at.values()))[0]), at) for _, at in sorted(by_name.items())]
    heads = ("MODEL", "SIZE", "KIND", *(one.server.name for one in found))
    matrix = [(*of, *(at[one.server.key][1] if one.server.key in at else "-" for one in found)) for of, at in rows]
    if fits(heads, matrix):
        table(heads, matrix)
        return
    listed = [
        (*of, ", ".join(_where(one.server, at[one.server.key][1]) for one in found if one.server.key in at))
        for of, at in rows
    ]
    table(("MODEL", "SIZE", "KIND", "ON"), listed)


def _of(model: "Model") -> tuple[str, str, str]:
    """What is the same wherever it is installed: the first server's word is taken."""
    kind = "cloud" if model.cloud else " ".join(filter(None, (model.parameters, model.quantisation)))
    return model.name, _size(model.size), kind or "-"


def _cell(model: "Model", rate: float | None) -> str:
    words = []
    if model.loaded:
        words.append("loaded" if model.in_card >= _ALL else f"loaded {model.in_card:.0%}")
    if rate is not None:
        words.append(figure(rate))
    return ", ".join(words) or "yes"


def _where(server: ServerState, cell: str) -> str:
    return server.name if cell == "yes" else f"{server.name} ({cell})"


def _size(size: int) -> str:
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return "-"
