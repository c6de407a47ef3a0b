"""The servers: who was found, and what keeps the others from being one."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ollama_locate.core.advice import listed
from ollama_locate.core.bounds import DOCTOR_PINGED_MAX, OLLAMA_FAULTS
from ollama_locate.core.config import Config
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.finding import Finding, found
from ollama_locate.core.rule import Severity
from ollama_locate.core.snapshot import ServerState, Snapshot
from ollama_locate.core.tailnet import Tailnet
from ollama_locate.core.versions import older
from ollama_locate.edge.folders import reader_config
from ollama_locate.edge.resolve import is_address

from .case import Asked, Case
from .reach import Reach, address, reach
from .tailscale import INSTALL

_CODES = {
    "refused": "peer_refused",
    "empty": "peer_empty",
    "busy": "peer_busy",
    "forbidden_host": "peer_forbidden",
    "gateway": "peer_gateway",
    "login": "peer_login",
    "cached": "peer_cached",
    "not_ollama": "peer_not_ollama",
    "error": "peer_error",
}
_THERE = frozenset(
    {
        "peer_refused",
        "peer_ended",
        "peer_empty",
        "peer_busy",
        "peer_forbidden",
        "peer_gateway",
        "peer_not_ollama",
        "peer_key_expired",
    }
)
"""Their mend is to be typed on that machine."""


class Facts(NamedTuple):
    """What was found. `expected`: keys of the servers that the user named; `online`: the tailnet's hint, by key."""

    snapshot: Snapshot
    online: Mapping[str, bool]
    reached: Mapping[str, Reach]
    expected: frozenset[str] = frozenset()
    config: str = ""
    platform: str = "linux"
    lived: frozenset[str] = frozenset()


def run(case: Case) -> list[Finding]:
    """Look at them."""
    return judge(gather(case))


def gather(case: Case) -> Facts:
    """The facts: everybody asked once; the silent, and those on a relay, pinged as well."""
    round_ = case.round()
    online = hints(round_.tailnets)
    pinged = [one for one in round_.snapshot.servers if one.kind == "peer" and _worth_a_ping(one, online)]
    pinged = pinged[:DOCTOR_PINGED_MAX]
    reached = asyncio.run(reach(case.config, case.wire, pinged)) if pinged else {}
    return facts_of(case, reached)


def facts_of(case: Case, reached: Mapping[str, Reach]) -> Facts:
    """The facts of the round, where these are the ones who were pinged."""
    round_ = case.round()
    servers = round_.snapshot.servers
    expected = frozenset(one.key for one in servers if one.kind == "static" or _named(one, case.config))
    platform = "darwin" if case.macos else "linux"
    return Facts(
        round_.snapshot, hints(round_.tailnets), reached, expected, str(reader_config()), platform, _lived(case)
    )


def _lived(case: Case) -> frozenset[str]:
    """Whom the daemon has heard since it was started."""
    try:
        seen = case.published()
    except StateFolderError:
        return frozenset()
    return frozenset(one.key for one in seen.snapshot.servers if one.alive_at) if seen else frozenset()


def hints(tailnets: Iterable[Asked]) -> dict[str, bool]:
    """Whom its tailnet calls online, by the peer's ID as it stands in keys."""
    return {
        one.net.key(peer.id): peer.online
        for one in tailnets
        if isinstance(one.look, Tailnet)
        for peer in one.look.peers
    }


def _worth_a_ping(server: ServerState, online: Mapping[str, bool]) -> bool:
    if server.outcome in ("silent", None):
        return _online(server, online)
    return server.path == "relay" and server.outcome == "alive"


def _online(server: ServerState, online: Mapping[str, bool]) -> bool:
    return online.get(server.key.rpartition(":")[0], True)


def _named(server: ServerState, config: Config) -> bool:
    return any(pattern.text.lower() == server.name.lower() for pattern in config.prefer)


def judge(facts: Facts) -> list[Finding]:
    """Say what is wrong. While no server is up, whoever could be one is a problem; else only what the user named."""
    servers = [one for one in facts.snapshot.servers if one.kind in ("peer", "static") or _ails(one)]
    alive = any(one.outcome == "alive" for one in facts.snapshot.servers if one.kind != "self_check")
    alive = alive or any(not _code(one, facts) for one in servers)
    findings = list(_pinned(facts))
    groups: dict[tuple[str, Severity, int], list[ServerState]] = {}
    for server in servers:
        if code := _code(server, facts):
            groups.setdefault((code, _severity(server, facts, alive=alive), address(server.url)[1]), []).append(server)
    for (code, severity, port), group in groups.items():
        findings.append(_of_group(code, severity, port, group))
    findings += _of_living(facts)
    if expired := [one for one in facts.snapshot.rejected if one.reason == "expired"]:
        findings.append(found("peer_key_expired", names=listed(one.name for one in expired), where=expired[0].name))
    if not alive:
        findings += _nobody(facts)
    return findings


def _ails(server: ServerState) -> bool:
    """Whether something is on this machine's own port, and no Ollama; that nothing is there is no fault."""
    return server.kind == "local" and server.outcome in ("empty", "busy", "not_ollama", "error")


def _code(server: ServerState, facts: Facts) -> str:
    """What a server has; empty: nothing."""
    outcome, reach_ = server.outcome, facts.reached.get(server.key)
    if outcome in (None, "silent") and server.kind == "peer":
        if reach_ is None or reach_.pong is None:
            return "peer_silent" if _online(server, facts.online) else "peer_offline"
        outcome = reach_.again.outcome.word if reach_.again else "silent"
        if outcome == "silent":
            return "peer_blocked"
    if outcome == "refused" and server.key in facts.lived:
        return "peer_ended"
    if outcome == "forbidden_host" and not is_address(address(server.url)[0]):
        return "peer_forbidden_name"
    return _CODES.get(outcome or "silent", "" if outcome == "alive" else "peer_silent")


def _severity(server: ServerState, facts: Facts, *, alive: bool) -> Severity:
    if not alive:
        return Severity.PROBLEM
    return Severity.WARNING if server.key in facts.expected else Severity.NOTE


def _of_group(code: str, severity: Severity, port: int, group: list[ServerState]) -> Finding:
    names = [one.name for one in group]
    first = group[0]
    host = address(first.url)[0]
    return found(
        code,
        severity,
        servers=names,
        where=listed(names) if code in _THERE and first.kind != "local" else "",
        names=listed(names),
        port=port,
        first=host,
        host=host,
        url=first.url,
        detail=first.detail or "nothing that could be read",
    )


def _of_living(facts: Facts) -> Iterator[Finding]:
    """What those have that are up."""
    living = [one for one in facts.snapshot.servers if one.outcome == "alive" and one.kind != "self_check"]
    for server in living:
        pong = facts.reached[server.key].pong if server.key in facts.reached else None
        if pong is not None and pong.relayed:
            chosen = server.key == facts.snapshot.decision.server
            cost = server.rtt_ms if server.rtt_ms is not None else pong.ms
            yield found(
                "peer_relayed",
                Severity.WARNING if chosen else None,
                servers=[server.name],
                names=server.name,
                region=f" (DERP {pong.region})" if pong.region else "",
                cost=f"{cost:.0f} ms" if cost >= 1 else "less than 1 ms",
            )
    if bare := [one for one in living if one.models == ()]:
        yield found("peer_no_models", servers=_names(bare), names=listed(_names(bare)), where=listed(_names(bare)))
    left = living
    for fixed, fault, what in OLLAMA_FAULTS:
        if old := [one for one in left if older(one.version, fixed)]:
            names = _names(old)
            yield found(
                "ollama_old",
                servers=names,
                names=listed(names),
                where=listed(names),
                fixed=fixed,
                fault=fault,
                what=what,
            )
        left = [one for one in left if one not in old]


def _names(servers: Iterable[ServerState]) -> list[str]:
    return [one.name for one in servers]


def _pinned(facts: Facts) -> Iterator[Finding]:
    if facts.snapshot.decision.reason == "pinned_dead" and facts.snapshot.pin is not None:
        yield found("pin_dead", names=facts.snapshot.pin.name)


def _nobody(facts: Facts) -> Iterator[Finding]:
    yield found("no_server")
    snapshot = facts.snapshot
    if snapshot.tailnet.state == "running" and not any(one.kind == "peer" for one in snapshot.servers):
        if left := [one for one in snapshot.rejected if one.kind == "peer"]:
            yield found("nobody_allowed", count=len(left), config=facts.config)
        else:
            yield found("nobody_there", install=INSTALL[facts.platform])
    if any(one.kind == "local" and one.outcome == "refused" for one in snapshot.servers):
        yield found("no_local_ollama")
