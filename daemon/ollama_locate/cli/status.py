"""`ollama-locate status`: the daemon, the choice, the servers."""

import argparse
from typing import Any

import msgspec

from ollama_locate.core.snapshot import PinState, ServerState
from ollama_locate.edge.published import Seen

from .hand import hidden
from .help import Help
from .show import ago, legend, line, round_trip, since, standing, table, tailnets
from .state import seen


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "status",
        help="the daemon, the choice, the servers",
        description="The daemon, the choice, the servers; `ollama-locate why` has the reasons.",
        epilog=legend(),
        formatter_class=Help,
    )
    words.add_argument("--json", action="store_true", help="the whole snapshot (docs/state.md)")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print them."""
    now = seen()
    if args.json:
        print(msgspec.json.encode(now.snapshot).decode())
        return 0
    decision = now.snapshot.decision
    table(
        ("", ""),
        [
            ("endpoint", decision.endpoint),
            ("server", f"{decision.name}, for {ago(since(decision.since))}" if decision.server else "none found"),
            ("verdict", decision.verdict),
            ("because", decision.text),
            *tailnets(now.snapshot),
            ("daemon", _daemon(now)),
            *([("pinned", _pin(now.snapshot.pin))] if now.snapshot.pin else []),
            *([("forward", now.snapshot.forward)] if now.snapshot.forward else []),
        ],
    )
    for problem in now.snapshot.problems:
        line(f"problem: {problem}")
    for sentence in hidden(now.snapshot):
        line(sentence)
    line()
    rows = [row(server) for server in now.snapshot.servers if server.kind != "self_check"]
    table(("SERVER", "STANDING", "RTT", "PATH", "MODELS", "ENDPOINT"), rows)
    left = len(now.snapshot.rejected)
    if left:
        line()
        line(f"{left} other {'peer is' if left == 1 else 'peers are'} left alone; `ollama-locate why` says why.")
    return 0


def row(server: ServerState) -> tuple[str, ...]:
    """One server as cells."""
    models = "-" if server.models is None or server.health != "up" else str(len(server.models))
    return (
        server.name,
        standing(server),
        round_trip(server.rtt_ms),
        server.path,
        models,
        server.url,
    )


def _daemon(now: Seen) -> str:
    if now.age is None:
        silent = f"pid {now.pid} has not reported for a while" if now.pid else "none runs"
        return f"{silent}; this was looked up just now"
    heard = f"heard {ago(now.age)} ago, version {now.snapshot.program}"
    return f"pid {now.pid}, {heard}" if now.pid else f"none runs any more; {heard}"


def _pin(pin: PinState) -> str:
    lasts = f", for another {ago(-since(pin.until))}" if pin.until else ""
    lost = "" if pin.followed else "; it is no server that may be asked, so that the pin is not followed"
    return f"{pin.name} ({pin.url}){lasts}{lost}"
