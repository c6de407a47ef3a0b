"""`ollama-locate doctor [PEER]`: what is wrong, why, and the command that mends it."""

import argparse
import time
from typing import TYPE_CHECKING, Any

import msgspec

from ollama_locate.core.bounds import SCHEMA
from ollama_locate.core.finding import Finding, exit_code, shown
from ollama_locate.core.rule import Severity
from ollama_locate.core.snapshot import RejectedState, ServerState

from .findings import Progress, counted, show
from .named import is_rejected, nobody, speaks_of
from .show import line, table

if TYPE_CHECKING:
    from ollama_locate.checks.case import Case
    from ollama_locate.checks.depth import Depth
    from ollama_locate.edge.dial import Wire


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "doctor",
        help="what is wrong, why, and the command that mends it",
        description="Looks at everything that ollama-locate depends on. It changes nothing. Exits 1 at a problem.",
    )
    words.add_argument("peer", nargs="?", metavar="PEER", help="a name, an address or a URL: that machine in depth")
    words.add_argument("--json", action="store_true", help="the same as data (docs/doctor.md)")
    words.set_defaults(run=run)


def run(args: argparse.Namespace, wire: "Wire | None" = None) -> int:
    """Look, print, and say by the exit code whether there is a problem."""
    from ollama_locate.checks.case import Case  # noqa: PLC0415 - 50 ms that no other command need pay
    from ollama_locate.checks.every import CHECKS, run_all  # noqa: PLC0415 - as above

    case = Case(wire=wire)
    if args.peer:
        return _one(case, args.peer, as_json=args.json)
    began, progress = time.monotonic(), Progress()
    findings, hidden = shown(run_all(case, waiting=progress))
    took = time.monotonic() - began
    progress.end()
    if args.json:
        _json(case, findings, hidden, checked=list(CHECKS), took_s=round(took, 2))
        return exit_code(findings)
    show(findings)
    problems = exit_code(findings)
    if not problems:
        also = "Nothing else is wrong" if findings else "All is well"
        line(f"{also}: {len(CHECKS)} checks in {took:.1f} s ({', '.join(CHECKS)}).")
    else:
        line(f"{counted(findings)}, by {len(CHECKS)} checks in {took:.1f} s.")
    _endpoint(case)
    return problems


def _endpoint(case: "Case") -> None:
    try:
        decision = case.now().decision
    except Exception:  # noqa: BLE001 - the check that needs it has said what is wrong
        return
    found = "nobody was found: the default" if decision.verdict == "none" else f"{decision.name}, {decision.verdict}"
    line(f"The endpoint is {decision.endpoint} ({found}).")


def _json(case: "Case", findings: list[Finding], hidden: list[Finding], **more: object) -> None:
    try:
        decision = case.now().decision
        endpoint: str | None = decision.endpoint
        verdict: str | None = decision.verdict
    except Exception:  # noqa: BLE001 - as in _endpoint
        endpoint = verdict = None
    data = {
        "schema": SCHEMA,
        "endpoint": endpoint,
        "verdict": verdict,
        "findings": findings,
        "hidden": sorted({one.code for one in hidden}),
        **more,
    }
    print(msgspec.json.encode(data).decode())


def _one(case: "Case", wanted: str, *, as_json: bool) -> int:
    """One machine in depth; what is wrong here comes first, as it explains the rest."""
    from ollama_locate.checks import depth  # noqa: PLC0415 - as above
    from ollama_locate.checks.every import CHECKS  # noqa: PLC0415 - as above

    here = [CHECKS[name] for name in ("tailscale", "config")]
    local = [finding for check in here for finding in check(case)]
    snapshot = case.round().snapshot
    servers = [one for one in snapshot.servers if speaks_of(one, wanted) and one.kind != "self_check"]
    left_alone = [one for one in snapshot.rejected if is_rejected(one, wanted)]
    if not servers and not left_alone and not any(one.severity is Severity.PROBLEM for one in local):
        raise nobody(snapshot, wanted)
    deep = [(server, depth.look(case, server)) for server in servers]
    findings, hidden = shown([*local, *(finding for _, one in deep for finding in one.findings)])
    if as_json:
        looked = [{"name": server.name, "steps": dict(one.steps)} for server, one in deep]
        _json(case, findings, hidden, servers=looked, left_alone=left_alone)
        return max(exit_code(findings), int(bool(left_alone)))
    _say(deep, left_alone)
    show(findings)
    if not findings and deep:
        line("All is well with it.")
    return max(exit_code(findings), int(bool(left_alone)))


def _say(deep: "list[tuple[ServerState, Depth]]", left_alone: list[RejectedState]) -> None:
    for server, one in deep:
        line(f"{server.name}: {server.standing.replace('_', ' ')}: {server.text}")
        table(("", ""), [(f"  {name}", value) for name, value in one.steps])
        line()
    for peer in left_alone:
        line(f"{peer.name or peer.key} ({', '.join(peer.addresses)}) is left alone, and was not asked: {peer.text}.")
        line()
