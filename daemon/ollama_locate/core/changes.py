"""What changed between two snapshots, as sentences for the log: each change is said once."""

from enum import IntEnum

from msgspec.structs import replace

from .snapshot import ServerState, Snapshot, TailnetState
from .track import Verdict


class Level(IntEnum):
    """How loud; the numbers are those of the standard library's logging."""

    DEBUG = 10
    INFO = 20
    WARNING = 30


def changes(old: Snapshot | None, new: Snapshot) -> list[tuple[Level, str]]:
    """The sentences, the most important first."""
    said = []
    if old is None or _outward(old) != _outward(new):
        said.append(_decision(old, new))
    known = {one.name: one for one in old.every_tailnet} if old else {}
    for tailnet in new.every_tailnet:
        was = known.get(tailnet.name)
        if was is None or replace(was, watch=tailnet.watch) != tailnet:  # who rings is said elsewhere
            said.append(_tailnet(new, tailnet))
    before = {server.key: server for server in old.servers} if old else {}
    said += [sentence for server in new.servers if (sentence := _server(before.get(server.key), server))]
    gone = before.keys() - {server.key for server in new.servers}
    said += [(Level.INFO, _left(before[key])) for key in sorted(gone)]
    return said


def _left(server: ServerState) -> str:
    return f"{server.name}: no longer a server{' of the tailnet' if server.kind == 'peer' else ''}"


def _outward(snapshot: Snapshot) -> tuple[str, ...]:
    """Of what lies behind the stable address also who it is: the endpoint stays the same."""
    decision = snapshot.decision
    behind = decision.name if decision.endpoint == snapshot.forward else ""
    return decision.verdict, decision.endpoint, behind


def _decision(old: Snapshot | None, new: Snapshot) -> tuple[Level, str]:
    decision = new.decision
    if decision.verdict == Verdict.FRESH.value:
        rtt = next((one.rtt_ms for one in new.servers if one.key == decision.server), None)
        far = f", {rtt:.1f} ms" if rtt is not None else ""
        return Level.INFO, f"endpoint is {decision.endpoint} ({decision.name}{far}): {decision.text}"
    if decision.verdict == Verdict.STALE.value:
        verb = "stays" if old is None or old.decision.endpoint == decision.endpoint else "is"
        return Level.WARNING, f"endpoint {verb} {decision.endpoint} ({decision.name}), stale: {decision.text}"
    return Level.WARNING, f"endpoint is {decision.endpoint}: {decision.text}"


def _tailnet(new: Snapshot, tailnet: TailnetState) -> tuple[Level, str]:
    called = f"tailnet {tailnet.name}" if tailnet.name else "tailnet"
    if tailnet.state == "running":
        asked = sum(one.kind == "peer" and one.tailnet == tailnet.name for one in new.servers)
        left = sum(one.tailnet == tailnet.name for one in new.rejected)
        return Level.INFO, f"{called}: running, {asked} to ask, {left} left alone (`ollama-locate why` says why)"
    level = Level.DEBUG if tailnet.state == "unknown" else Level.WARNING
    return level, f"{called}: {tailnet.text}"


def _server(old: ServerState | None, new: ServerState) -> tuple[Level, str] | None:
    if new.outcome is None or new.kind == "self_check":
        return None
    if old is not None and (old.health, old.outcome) == (new.health, new.outcome):
        return None
    detail = f" ({new.detail})" if new.detail else ""
    if new.health == "up":
        up = f"up, {new.rtt_ms:.1f} ms" if new.rtt_ms is not None else "up"
        return (
            Level.INFO,
            f"{new.name}: {up}" if new.outcome == "alive" else f"{new.name}: in doubt: {new.text}{detail}",
        )
    was_up = old is not None and old.health == "up"
    return Level.WARNING if was_up else Level.DEBUG, f"{new.name}: {new.text}{detail}"


def headline(snapshot: Snapshot) -> str:
    """What `systemctl status` shows: the choice, and how many answer."""
    decision = snapshot.decision
    number = sum(one.health == "up" and one.kind != "self_check" for one in snapshot.servers)
    servers = "1 server" if number == 1 else f"{number} servers"
    if decision.verdict == Verdict.NONE.value:
        return decision.text
    if decision.verdict == Verdict.STALE.value:
        return f"{decision.name}, stale: {decision.text}"
    rtt = next((one.rtt_ms for one in snapshot.servers if one.key == decision.server), None)
    return f"{decision.name}{f' {rtt:.3g} ms' if rtt is not None else ''}, {servers}"
