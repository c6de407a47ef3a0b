"""`ollama-locate why [PEER]`: why that one, and why no other."""

import argparse
from collections.abc import Iterable
from typing import Any

import msgspec

from ollama_locate.core.advice import advice, mend
from ollama_locate.core.bounds import SCHEMA
from ollama_locate.core.choosing import Wish, alternatives, fulfil
from ollama_locate.core.for_model import stand_for
from ollama_locate.core.lan import Unfit
from ollama_locate.core.server import Kind, port_of
from ollama_locate.core.snapshot import RejectedState, ServerState, Snapshot, usable_url
from ollama_locate.edge.folders import reader_config

from .hand import hidden
from .help import Help
from .named import is_rejected, nobody, speaks_of
from .show import ago, legend, line, note, round_trip, since, standing, table, word
from .state import seen
from .url import NONE_EXIT, wanted_models

_SENTINEL = {
    "on": "a connection is held to it, whose end is noticed at once (a silent one within 6 s)",
    "battery": "a connection is held to it, whose end is noticed at once (on battery a silent one within 14 s)",
    "socks5": "a connection is held to it through the proxy, whose end is noticed at once",
    "closes_idle": "it closes connections that are idle, so that it is watched by its regular checks",
    "none": "by its regular checks",
    "off": "by its regular checks (`sentinel` is off in the config)",
}
_BELL = {
    "bus": "tailscaled says when the tailnet changes",
    "poll": "the tailnet is looked at every `interval`, as tailscaled's socket cannot be read",
}
_MODELS_SHOWN = 8
_ALLOWABLE = ("other_user", "shared_in", "tagged", "self_tagged", "phone_or_tv")


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "why",
        help="why that one, and why no other",
        description="Why that one, and why no other.",
        epilog=legend(),
        formatter_class=Help,
    )
    words.add_argument("peer", nargs="?", metavar="PEER", help="a name, an address or a URL: all about that one")
    words.add_argument(
        "--model", metavar="M[,M2]", type=wanted_models, help="the same for the first of these models that a server has"
    )
    words.add_argument("--json", action="store_true", help="the same as data")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the reasons."""
    snapshot = seen(models=args.model is not None).snapshot
    for problem in snapshot.problems:
        note(f"ollama-locate: {problem}")
    if args.model is not None:
        return _model(snapshot, args.model, args.peer, as_json=args.json)
    if args.peer:
        return _one(snapshot, args.peer, as_json=args.json)
    if args.json:
        _json(snapshot, snapshot.servers, snapshot.rejected)
        return 0
    _decision(snapshot)
    line()
    table(
        ("SERVER", "STANDING", "RTT", "WHY"),
        [
            (one.name, standing(one), round_trip(one.rtt_ms), _why(snapshot, one))
            for one in _each_once(snapshot.servers)
        ],
    )
    if snapshot.rejected:
        line()
        line("Left alone:")
        table(
            ("PEER", "ADDRESS", "WHY"),
            [(_peer(one), (*one.addresses, "-")[0], one.text) for one in snapshot.rejected],
        )
    if snapshot.decision.verdict != "fresh" and (sentences := advice(snapshot)):
        line()
        line("What to do:")
        for sentence in sentences:
            line(f"  {sentence}")
    return 0


def _model(snapshot: Snapshot, wanted: str, peer: str | None, *, as_json: bool) -> int:
    """Why this server for the model, and why no other; 4 where nobody has it who answers."""
    chosen = fulfil(Wish(wanted), snapshot)
    names = [chosen.model] if chosen else alternatives(wanted, snapshot.aliases)
    found = [stand_for(snapshot, name) for name in names]
    if peer:
        found = [one._replace(servers=tuple(at for at in one.servers if speaks_of(at.server, peer))) for one in found]
        if not any(one.servers for one in found):
            raise nobody(snapshot, peer)
    if as_json:
        models = [
            {
                "model": one.model,
                "server": one.server.key if one.server else None,
                "endpoint": (usable_url(snapshot, one.server) or None) if one.server else None,
                "text": one.text,
                "servers": [
                    {"key": at.server.key, "name": at.server.name, "standing": at.word, "text": at.text}
                    for at in one.servers
                ],
            }
            for one in found
        ]
        print(msgspec.json.encode({"schema": SCHEMA, "models": models}).decode())
    else:
        for one in found:
            where = (
                f"{usable_url(snapshot, one.server) or one.server.socks5} ({one.server.name})"
                if one.server
                else "no server"
            )
            line(f"{one.model}: {where}: {one.text}.")
            table(
                ("SERVER", "STANDING", "RTT", "WHY"),
                [(at.server.name, word(at.word), round_trip(at.server.rtt_ms), at.text) for at in one.servers],
            )
    return 0 if chosen else NONE_EXIT


def _decision(snapshot: Snapshot) -> None:
    decision = snapshot.decision
    line(f"{decision.endpoint} ({decision.name}, {decision.verdict}): {decision.text}.")
    if decision.server is not None:
        line(f"Watched: {_SENTINEL.get(decision.sentinel, decision.sentinel)}; {_bells(snapshot)}.")
    if decision.verdict == "fresh":
        for one in snapshot.every_tailnet:
            if one.state != "running":
                line(f"{f'Tailnet {one.name}' if one.name else 'Tailscale'}: {one.text}.")
    for sentence in hidden(snapshot):
        line(sentence)


def _bells(snapshot: Snapshot) -> str:
    """Who says when a tailnet changes; the least of them where there are several."""
    watched = {one.watch for one in snapshot.every_tailnet}
    return _BELL["poll" if "poll" in watched else "bus"]


def _each_once(servers: Iterable[ServerState]) -> list[ServerState]:
    """This machine once for each port: what its tailnet address answers is said of its own Ollama."""
    every = list(servers)
    own = {_port(one) for one in every if one.kind == Kind.LOCAL.value}
    return [one for one in every if one.kind != Kind.SELF_CHECK.value or _port(one) not in own]


def _why(snapshot: Snapshot, server: ServerState) -> str:
    """The reason; of this machine's own Ollama also whether its tailnet sees it."""
    checks = [one for one in snapshot.servers if one.kind == Kind.SELF_CHECK.value and _port(one) == _port(server)]
    if server.kind != Kind.LOCAL.value or not checks or checks[0].outcome is None:
        return _reason(server)
    serves = checks[0].outcome == "alive"
    if server.outcome == "alive":
        return f"{_reason(server)}; it {'serves' if serves else 'does not serve'} the tailnet"
    return _reason(server) + ("; one answers at its tailnet address" if serves else "")


def _port(server: ServerState) -> str:
    return port_of(server.url)


def _reason(server: ServerState) -> str:
    parts = [server.text]
    if server.detail:
        parts.append(f"({server.detail})")
    for until, named in ((server.held_until, "held_down"), (server.reported_until, "reported")):
        if until and server.standing == named:
            parts.append(f"(for another {ago(-since(until))})")
    if server.outcome not in (None, "alive") and server.alive_at:
        parts.append(f"(it answered until {ago(since(server.alive_at))} ago)")
    if server.busy:
        parts.append(f"(busy: its answers take {_seconds(server.answer_ms)})")
    return " ".join(parts)


def _seconds(milliseconds: float | None) -> str:
    return "longer than it is waited for" if milliseconds is None else f"{milliseconds / 1000:.2g} s"


def _one(snapshot: Snapshot, wanted: str, *, as_json: bool) -> int:
    servers = tuple(one for one in snapshot.servers if speaks_of(one, wanted))
    rejected = tuple(one for one in snapshot.rejected if is_rejected(one, wanted))
    if not servers and not rejected:
        raise nobody(snapshot, wanted)
    if as_json:
        _json(snapshot, servers, rejected)
        return 0
    for server in _each_once(servers):
        _server(snapshot, server)
    for peer in rejected:
        line(f"{_peer(peer)} ({', '.join(peer.addresses)}) is left alone: {peer.text}.")
        if peer.reason in _ALLOWABLE and peer.name:
            line(f'  To use it all the same, write in {reader_config()}: allow = ["{peer.name}"]')
        if peer.reason == Unfit.NOT_ALLOWED.word and peer.addresses:
            line(f'  If it is yours, write in {reader_config()}, under [mdns]: allow = ["{peer.addresses[0]}"]')
    return 0


def _peer(peer: RejectedState) -> str:
    """Its name, with its tailnet's where there are several."""
    return f"{peer.tailnet}/{peer.name or peer.key}" if peer.tailnet else peer.name or peer.key


def _server(snapshot: Snapshot, server: ServerState) -> None:
    line(f"{server.name}: {standing(server)}: {_why(snapshot, server)}")
    facts = [
        ("endpoint", server.url),
        ("answer", f"{server.outcome or 'none yet'}{f' ({server.detail})' if server.detail else ''}"),
        ("health", server.health + (f", {server.fails} in a row failed" if server.fails else "")),
        ("round trip", _round_trips(server)),
        ("answer time", "" if server.answer_ms is None else _seconds(server.answer_ms)),
        ("last alive", f"{ago(since(server.alive_at))} ago" if server.alive_at else ""),
        ("tailnet", server.tailnet),
        (
            "SOCKS5",
            f"{server.socks5}; its work is part of the round trip, which a clock has taken" if server.socks5 else "",
        ),
        ("path", server.path),
        ("version", server.version),
        ("models", _models(server.models)),
        ("asked", f"{ago(since(server.checked_at))} ago" if server.checked_at else ""),
    ]
    table(("", ""), [(f"  {name}", value) for name, value in facts if value])
    if advised := mend(server):
        line(f"  {advised}")


def _round_trips(server: ServerState) -> str:
    if server.rtt_ms is None:
        return ""
    return round_trip(server.rtt_ms) + ("" if server.spread_ms is None else f", spread {round_trip(server.spread_ms)}")


def _models(models: tuple[str, ...] | None) -> str:
    if models is None:
        return ""
    more = len(models) - _MODELS_SHOWN
    return (", ".join(models[:_MODELS_SHOWN]) + (f" and {more} more" if more > 0 else "")) or "none"


def _json(snapshot: Snapshot, servers: tuple[ServerState, ...], rejected: tuple[RejectedState, ...]) -> None:
    data = {"schema": SCHEMA, "decision": snapshot.decision, "servers": servers, "rejected": rejected}
    print(msgspec.json.encode(data).decode())
