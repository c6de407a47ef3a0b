"""One server in depth: from what the tailnet says of it to the models that it lists, step by step."""

import asyncio
import time
from typing import NamedTuple

from ollama_locate.core.codes_tailnet import UNREACHABLE
from ollama_locate.core.constants import SYN_PATIENCE_KNOWN, TIMEOUT
from ollama_locate.core.finding import Finding, found
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.ping import Pong
from ollama_locate.core.rule import Severity
from ollama_locate.core.server import authority_of, prefix_of
from ollama_locate.core.snapshot import ServerState
from ollama_locate.edge.examine import Examined, examine
from ollama_locate.edge.resolve import is_address, resolve

from . import peers
from .case import Case
from .reach import Reach, address, ping, way

_MODELS_SHOWN = 8


class Depth(NamedTuple):
    """The steps, each with what came of it, and what follows from them."""

    steps: list[tuple[str, str]]
    findings: list[Finding]


class Seen(NamedTuple):
    """What the steps are made of. `localhost`: the answer to that Host header, where the own is a 403.

    `in_round`: it was asked in the round, where nobody looks at single steps.
    """

    server: ServerState
    online: bool | None
    pong: Pong | None
    asked: Examined
    localhost: Examined | None = None
    in_round: bool = False


def look(case: Case, server: ServerState) -> Depth:
    """Look at one server; takes up to TIMEOUT seconds after the round."""
    seen = asyncio.run(_look(case, server, peers.hints(case.round().tailnets).get(server.key.rpartition(":")[0])))
    facts = peers.facts_of(case, {server.key: Reach(seen.pong, seen.asked)})
    findings = [one for one in peers.judge(facts) if server.name in one.servers]
    if server.kind == "local" and seen.asked.outcome is Outcome.REFUSED:
        findings = [found("no_local_ollama", Severity.PROBLEM)]
    return Depth(steps(seen), [_as_problem(one, server.name) for one in findings])


async def _look(case: Case, server: ServerState, online: bool | None) -> Seen:  # noqa: FBT001 - a hint, or none
    pinging = asyncio.ensure_future(_pong(case, server))
    asked = await _ask(case, server, authority_of(server.url), TIMEOUT)
    localhost = None
    if asked.outcome is Outcome.FORBIDDEN_HOST and not _only_in_the_round(case, server):
        localhost = await _ask(case, server, "localhost", SYN_PATIENCE_KNOWN)
    return Seen(server, online, await pinging, asked, localhost, in_round=_only_in_the_round(case, server))


async def _ask(case: Case, server: ServerState, host: str, patience: float) -> Examined:
    """Ask with this Host header; one that needs more than that was asked in the round."""
    if _only_in_the_round(case, server):
        outcome = next((one for one in Outcome if one.word == server.outcome), Outcome.SILENT)
        return Examined(outcome, server.detail, version=server.version)
    name, port = address(server.url)
    if server.kind == "local":
        name = "127.0.0.1"
    elif not is_address(name):
        try:
            async with asyncio.timeout(patience):
                name = await resolve(name, port)
        except (OSError, ValueError, TimeoutError):
            return Examined(Outcome.ERROR, "its name is not known")
    wire = way(case.wire, server)
    return await examine(wire, (name, port), host, patience, time.time(), prefix=prefix_of(server.url))


def _only_in_the_round(case: Case, server: ServerState) -> bool:
    """Whether it is asked with TLS, or with headers from a file of the user's."""
    return server.url.startswith("https:") or bool(case.config.needs(server.key).headers)


async def _pong(case: Case, server: ServerState) -> Pong | None:
    return await ping(case.config, server) if server.kind == "peer" else None


def _as_problem(finding: Finding, name: str) -> Finding:
    """Whoever asks for this one expects it to work; other servers that have the same are left out."""
    severity = Severity.PROBLEM if finding.code in UNREACHABLE else finding.severity
    return Finding(
        finding.code, severity, finding.text, finding.why, finding.mend, name if finding.where else "", finding.servers
    )


def steps(seen: Seen) -> list[tuple[str, str]]:
    """What a person reads, from the tailnet to the models."""
    server, asked = seen.server, seen.asked
    found = [("endpoint", server.url)]
    if server.kind == "peer":
        hint = {True: "online", False: "offline", None: "says nothing"}[seen.online]
        found += [("tailnet", f"calls it {hint}" if seen.online is not None else hint), ("ping", _ping(seen.pong))]
    if asked.connect is not None:
        found.append(("TCP", f"connected in {_ms(asked.connect)}"))
    elif asked.outcome is not Outcome.ALIVE:
        if not seen.in_round:
            found.append(("TCP", "no connection"))
        return [*found, ("answer", f"{asked.outcome.text}{_detail(asked)}")]
    took = f" in {_ms(asked.answer)}" if asked.answer is not None else ""
    found.append(("HTTP", f"{asked.outcome.text}{took}{_detail(asked)}"))
    found.append(("Host", _host(seen)))
    if asked.outcome is Outcome.ALIVE:
        models = server.models
        few = ", ".join((models or ())[:_MODELS_SHOWN])
        more = len(models or ()) - _MODELS_SHOWN
        found.append(("version", asked.version))
        listed = few + (f" and {more} more" if more > 0 else "")
        found.append(("models", "its list did not come" if models is None else listed or "none"))
    if asked.skew is not None:
        found.append(("clock", f"{abs(asked.skew):.0f} s {'ahead' if asked.skew > 0 else 'behind'}"))
    return found


def _host(seen: Seen) -> str:
    if seen.localhost is not None:
        other = "accepts localhost" if seen.localhost.outcome is Outcome.ALIVE else "and localhost as well"
        return f"refuses its own address (403), {other}"
    return "accepts its own address" if seen.asked.outcome is Outcome.ALIVE else "-"


def _detail(asked: Examined) -> str:
    return f" ({asked.detail})" if asked.detail else ""


def _ping(pong: Pong | None) -> str:
    if pong is None:
        return "no pong"
    relay = f"by a relay{f' (DERP {pong.region})' if pong.region else ''}"
    return f"pong in {pong.ms:.0f} ms, {relay if pong.relayed else 'directly'}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
