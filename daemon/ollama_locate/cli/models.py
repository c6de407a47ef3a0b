"""`ollama-locate models`: which model is where, what is loaded, how large it is."""

import argparse
from collections import Counter
from typing import Any, Final

import msgspec
from msgspec.structs import asdict

from ollama_locate.core.bars import figure
from ollama_locate.core.bench import Stocked
from ollama_locate.core.bounds import SCHEMA
from ollama_locate.core.errors import StateFolderError, UsageError
from ollama_locate.core.inventory import Model
from ollama_locate.core.placement import answering, asleep
from ollama_locate.core.snapshot import ServerState, Snapshot
from ollama_locate.core.speed import Speed, is_of
from ollama_locate.edge.folders import reader_folder
from ollama_locate.edge.speeds import read_speeds

from .help import Help
from .named import few, silent_for
from .show import fits, line, note, table
from .state import seen
from .url import wanted_models

_UNITS: Final = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_ALL: Final = 0.995
"""Of a model in the card: what a server rounds."""

_ANY: Final = "completion"
"""What nearly every model can do."""

_THERE: Final = "yes"
_NOT_KNOWN: Final = "?"
_UNKNOWN: Final = "its list of models is not known"


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "models",
        help="which model is where, and what is loaded",
        description="Which model is on which of the servers that answer, and what it can do.",
        epilog="A model that is loaded answers at once. `loaded 60% in card`: so much of it lies in the graphics card; "
        "the rest is slow.\n`loaded on CPU`: nothing of it lies in a card. `?`: not known. A name that stands for "
        "different models has a row for each.\n`42 tok/s`: measured by --bench, with the model that is there now.\n"
        "`not found`: its server lists it, and then does not find it.\n"
        "A cloud model runs elsewhere: using it leaves the tailnet, so it is never chosen unless the config says so.",
        formatter_class=Help,
    )
    what = words.add_mutually_exclusive_group()
    what.add_argument(
        "--bench",
        nargs="*",
        metavar="M",
        type=wanted_models,
        help="measure how fast these answer: names, aliases, or patterns such as 'qwen3:*'; without one, those that "
        "are loaded, and those that the config requires",
    )
    what.add_argument("--speeds", action="store_true", help="what was measured, with bars")
    what.add_argument("--advise", action="store_true", help="which sizes run well on which server, and why")
    words.add_argument("--on", metavar="NAME", help="with --bench: on this server alone")
    words.add_argument("--yes", action="store_true", help="with --bench: do not ask")
    how = words.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="the same as data (docs/models.md)")
    how.add_argument("--csv", action="store_true", help="with --bench or --speeds: a row for each server and model")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """What the options ask for; 1 where no server answers."""
    if args.csv and args.bench is None and not args.speeds:
        raise UsageError("--csv is for figures: say --bench, or --speeds for those that are known")
    if (args.on or args.yes) and args.bench is None:
        raise UsageError("--on and --yes belong to --bench")
    if args.bench is not None:
        from .benching import run as bench  # noqa: PLC0415 - httpx, 80 ms, for this alone

        return bench(args)
    snapshot, known = seen(models=True).snapshot, _known()
    servers = answering(snapshot, withheld=True)
    have = [Stocked(server, server.inventory) for server in servers if server.inventory is not None]
    if args.speeds:
        from .speeds import run as speeds  # noqa: PLC0415 - for this alone

        code = speeds(args, snapshot, have, known)
    elif args.advise:
        from .advising import run as advise  # noqa: PLC0415 - for this alone

        code = advise(args, have, known)
    else:
        code = _list(args, servers, have, known)
    if not args.json:
        _remarks(snapshot, servers)
    return code


def _remarks(snapshot: Snapshot, servers: list[ServerState]) -> None:
    """What no table of those that answer can show."""
    for server in servers:
        if server.inventory is None:
            note(f"{server.name}: {_UNKNOWN}")
    for server in asleep(snapshot):
        if server.models:
            note(f"{server.name} has {few(server.models)}, and does not answer{silent_for(server)}")


def _known() -> tuple[Speed, ...]:
    """The figures; a file that cannot be read is said, and hides nothing else."""
    try:
        return read_speeds(reader_folder())
    except StateFolderError as error:
        note(f"ollama-locate: {error}")
        return ()


def _list(args: argparse.Namespace, servers: list[ServerState], have: list[Stocked], known: tuple[Speed, ...]) -> int:
    rates = {(one.server, one.model): one for one in known}
    if args.json:
        _json(servers, rates)
    elif servers:
        _show(have, rates)
    else:
        note("ollama-locate: no server answers; `ollama-locate why` says more")
    return 0 if servers else 1


_Rates = dict[tuple[str, str], Speed]
"""By server and model."""


def _json(servers: list[ServerState], rates: _Rates) -> None:
    found = [
        {
            "name": server.name,
            "url": server.url,
            "trouble": _UNKNOWN if server.inventory is None else "",
            "models": [
                asdict(model) | {"tokens_per_s": _rate(rates, server, model)} for model in server.inventory or ()
            ],
        }
        for server in servers
    ]
    print(msgspec.json.encode({"schema": SCHEMA, "servers": found}).decode())


def _rate(rates: _Rates, server: ServerState, model: Model) -> float | None:
    """Tokens a second; None where it was not measured, or another version of the model was."""
    speed = rates.get((server.key, model.name))
    return round(speed.rate, 2) if speed is not None and is_of(speed, model.digest) else None


def _show(have: list[Stocked], rates: _Rates) -> None:
    """A column for each server where there is room, else the servers' names in one column."""
    rows = _variants(have)
    if not rows:
        if have:
            line("The servers have no models; `ollama-locate ensure mistral` gets one.")
        return

    def cell(server: ServerState, at: dict[str, Model]) -> str:
        model = at.get(server.key)
        return "-" if model is None else _cell(model, _rate(rates, server, model))

    heads = ("MODEL", "SIZE", "KIND", "CAN", *(one.server.name for one in have))
    said = _told_apart(rows)
    matrix = [(*words, *(cell(one.server, at) for one in have)) for words, at in zip(said, rows, strict=True)]
    if fits(heads, matrix):
        table(heads, matrix)
        return
    listed = [
        (*words, ", ".join(_where(one.server, cell(one.server, at)) for one in have if one.server.key in at))
        for words, at in zip(said, rows, strict=True)
    ]
    table(("MODEL", "SIZE", "KIND", "CAN", "ON"), listed)


def _variants(have: list[Stocked]) -> list[dict[str, Model]]:
    """By name, and what is the same model on several servers is one: by key, in the servers' order."""
    found: dict[str, list[dict[str, Model]]] = {}
    for server, models in have:
        for model in models:
            rows = found.setdefault(model.name, [])
            row = next((row for row in rows if all(_same(model, one) for one in row.values())), None)
            if row is None:
                rows.append(row := {})
            row[server.key] = model
    return [row for _, rows in sorted(found.items()) for row in rows]


def _same(one: Model, other: Model) -> bool:
    """Whether nothing that is known of both differs."""
    return (
        one.cloud == other.cloud
        and (one.can == other.can or None in (one.can, other.can) or one.absent or other.absent)
        and (one.digest == other.digest or "" in (one.digest, other.digest))
        and (one.size == other.size or 0 in (one.size, other.size))
    )


def _told_apart(rows: list[dict[str, Model]]) -> list[tuple[str, str, str, str]]:
    """What is said of each; where two say the same they have their digests too."""
    said = [_of(at) for at in rows]
    times = Counter(said)
    return [
        (name, size, f"{kind} {next(iter(at.values())).digest[:7]}" if times[name, size, kind, can] > 1 else kind, can)
        for (name, size, kind, can), at in zip(said, rows, strict=True)
    ]


def _of(at: dict[str, Model]) -> tuple[str, str, str, str]:
    """What is the same on all of these: who knows it says it. `?`: nobody does."""
    models = list(at.values())
    first = models[0]
    if first.cloud:
        size, kind = "-", "cloud"
    else:
        size = _size(max(one.size for one in models))
        kind = next((kind for one in models if (kind := f"{one.parameters} {one.quantisation}".strip())), _NOT_KNOWN)
    there = [one for one in models if not one.absent]
    can = next((one.can for one in there if one.can is not None), None if there else ())
    words = _NOT_KNOWN if can is None else " ".join(word for word in can if word != _ANY) or "-"
    return first.name, size, kind, words


def _cell(model: Model, rate: float | None) -> str:
    if model.absent:
        return "not found"
    words = []
    if model.loaded:
        words.append(_loaded(model.in_card))
    if rate is not None:
        words.append(figure(rate))
    return ", ".join(words) or _THERE


def _loaded(in_card: float) -> str:
    """Where it lies, if not wholly in the card."""
    if in_card >= _ALL:
        return "loaded"
    return f"loaded {in_card:.0%} in card" if in_card >= 1 - _ALL else "loaded on CPU"


def _where(server: ServerState, cell: str) -> str:
    return server.name if cell == _THERE else f"{server.name} ({cell})"


def _size(size: int) -> str:
    for unit, name in _UNITS:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return _NOT_KNOWN
