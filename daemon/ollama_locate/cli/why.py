"""`ollama-locate why [PEER]`: why that one, and why no other."""

import argparse
import datetime as dt
import os
from typing import Any

import msgspec

from ollama_locate.core.advice import advice, mend
from ollama_locate.core.constants import SCHEMA
from ollama_locate.core.snapshot import RejectedState, ServerState, Snapshot
from ollama_locate.core.text import shown
from ollama_locate.edge.folders import config_file

from .named import is_rejected, nobody, speaks_of
from .show import ago, line, note, round_trip, table
from .state import seen

_SENTINEL = {
    "on": "a connection is held to it, whose end is noticed at once (a silent one within 5 s)",
    "battery": "a connection is held to it, whose end is noticed at once (on battery a silent one within 13 s)",
    "closes_idle": "it closes connections that are idle, so that it is watched by its regular checks",
    "none": "by its regular checks",
    "off": "by its regular checks (`sentinel` is off in the config)",
}
_BELL = {
    "bus": "tailscaled says when the tailnet changes",
    "poll": "the tailnet is looked at every `interval`, as tailscaled's socket cannot be read",
}
_ALLOWABLE = ("other_user", "shared_in", "tagged", "self_tagged", "phone_or_tv")


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser("why", help="why that one, and why no other")
    words.add_argument("peer", nargs="?", metavar="PEER", help="a name, an address or a URL: all about that one")
    words.add_argument("--json", action="store_true", help="the same as data")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the reasons."""
    snapshot = seen().snapshot
    for problem in snapshot.problems:
        note(f"ollama-locate: {problem}")
    if args.peer:
        return _one(snapshot, args.peer, as_json=args.json)
    if args.json:
        _json(snapshot, snapshot.servers, snapshot.rejected)
        return 0
    _decision(snapshot)
    line()
    table(
        ("SERVER", "STANDING", "RTT", "WHY"),
        [(one.name, one.standing.replace("_", " "), round_trip(one.rtt_ms), _reason(one)) for one in snapshot.servers],
    )
    if snapshot.rejected:
        line()
        line("Left alone:")
        table(
            ("PEER", "ADDRESS", "WHY"),
            [(one.name or one.key, (*one.addresses, "-")[0], one.text) for one in snapshot.rejected],
        )
    if snapshot.decision.verdict != "fresh" and (sentences := advice(snapshot)):
        line()
        line("What to do:")
        for sentence in sentences:
            line(f"  {sentence}")
    return 0


def _decision(snapshot: Snapshot) -> None:
    decision = snapshot.decision
    line(f"{decision.endpoint} ({decision.name}, {decision.verdict}): {decision.text}.")
    if decision.server is not None:
        line(f"Watched: {_SENTINEL.get(decision.sentinel, decision.sentinel)}; {_BELL[snapshot.tailnet.watch]}.")
    if snapshot.tailnet.state != "running" and decision.verdict == "fresh":
        line(f"Tailscale: {snapshot.tailnet.text}.")
    hand_set = os.environ.get("OLLAMA_ENDPOINT", "")
    applied = os.environ.get("OLLAMA_LOCATE_APPLIED", "").split(",")
    if hand_set and f"OLLAMA_ENDPOINT={hand_set}" not in applied:
        line(f"But in this shell OLLAMA_ENDPOINT was set by hand, to {shown(hand_set)}; that wins here.")


def _reason(server: ServerState) -> str:
    parts = [server.text]
    if server.detail:
        parts.append(f"({server.detail})")
    for until, standing in ((server.held_until, "held_down"), (server.reported_until, "reported")):
        if until and server.standing == standing:
            parts.append(f"(for another {ago(-_since(until))})")
    if server.busy:
        parts.append(f"(busy: its answers take {_seconds(server.answer_ms)})")
    return " ".join(parts)


def _since(text: str) -> float:
    return (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(text)).total_seconds()


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
    for server in servers:
        _server(server)
    for peer in rejected:
        line(f"{peer.name or peer.key} ({', '.join(peer.addresses)}) is left alone: {peer.text}.")
        if peer.reason in _ALLOWABLE and peer.name:
            line(f'  To use it all the same, write in {config_file()}: allow = ["{peer.name}"]')
    return 0


def _server(server: ServerState) -> None:
    line(f"{server.name}: {server.standing.replace('_', ' ')}: {_reason(server)}")
    models = server.models
    shown_models = ", ".join((models or ())[:8])
    more = len(models or ()) - 8
    facts = [
        ("endpoint", server.url),
        ("answer", f"{server.outcome or 'none yet'}{f' ({server.detail})' if server.detail else ''}"),
        ("health", server.health + (f", {server.fails} in a row failed" if server.fails else "")),
        ("round trip", f"{round_trip(server.rtt_ms)}, spread {round_trip(server.spread_ms)}"),
        ("answer time", f"{_seconds(server.answer_ms)}" if server.answer_ms is not None else "-"),
        ("last alive", f"{ago(_since(server.alive_at))} ago" if server.alive_at else "-"),
        ("path", server.path),
        ("version", server.version or "-"),
        ("models", (shown_models + (f" and {more} more" if more > 0 else "")) or ("-" if models is None else "none")),
        ("asked at", server.checked_at or "-"),
    ]
    table(("", ""), [(f"  {name}", value) for name, value in facts])
    if advised := mend(server):
        line(f"  {advised}")


def _json(snapshot: Snapshot, servers: tuple[ServerState, ...], rejected: tuple[RejectedState, ...]) -> None:
    data = {"schema": SCHEMA, "decision": snapshot.decision, "servers": servers, "rejected": rejected}
    print(msgspec.json.encode(data).decode())
