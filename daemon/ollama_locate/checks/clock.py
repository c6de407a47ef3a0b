"""This machine's clock, against those of the servers, which say the time in the head of each answer."""

import asyncio
import statistics
import time
from collections.abc import Mapping

from ollama_locate.core.advice import listed
from ollama_locate.core.bounds import CLOCK_FAR, DOCTOR_ASK
from ollama_locate.core.duration import about
from ollama_locate.core.finding import Finding, found
from ollama_locate.core.server import authority_of, prefix_of
from ollama_locate.core.snapshot import ServerState
from ollama_locate.edge.examine import examine
from ollama_locate.edge.resolve import is_address

from .case import Case
from .reach import address, way

_ASKED_MAX = 5
_COMMAND = {True: "sudo sntp -sS time.apple.com", False: "sudo timedatectl set-ntp true"}


def run(case: Case) -> list[Finding]:
    """Look at it. This machine's own Ollama has the same clock, and one with a name, https or a proxy is not asked."""
    servers = [
        one
        for one in case.round().snapshot.servers
        if one.outcome == "alive"
        and one.kind in ("peer", "static")
        and is_address(address(one.url)[0])
        and not _behind_a_proxy(case, one)
    ][:_ASKED_MAX]

    async def all_of_them() -> dict[str, float]:
        answers = await asyncio.gather(
            *(
                examine(way(case.wire, one), address(one.url), authority_of(one.url), DOCTOR_ASK, time.time())
                for one in servers
            )
        )
        return {one.name: answer.skew for one, answer in zip(servers, answers, strict=True) if answer.skew is not None}

    return judge(asyncio.run(all_of_them()), macos=case.macos) if servers else []


def _behind_a_proxy(case: Case, server: ServerState) -> bool:
    """Whether the time would be the proxy's, or the answer a login."""
    return server.url.startswith("https:") or bool(prefix_of(server.url) or case.config.needs(server.key).headers)


def judge(skews: Mapping[str, float], *, macos: bool = False) -> list[Finding]:
    """Say what is wrong; by how much each server's clock is ahead of this one (seconds)."""
    far = {name: skew for name, skew in skews.items() if abs(skew) > CLOCK_FAR}
    if not far:
        return []
    middle = statistics.median(skews.values())
    together = [name for name, skew in skews.items() if abs(skew - middle) <= CLOCK_FAR]
    command, offset = _COMMAND[macos], about(abs(middle))
    if len(together) > 1 and abs(middle) > CLOCK_FAR and 2 * len(together) > len(skews):
        direction = "slow" if middle > 0 else "fast"
        return [found("clock_off", names=listed(together), offset=offset, direction=direction, command=command)]
    if len(skews) == 1 or abs(middle) > CLOCK_FAR:
        offset = about(max(abs(skew) for skew in far.values()))
        return [found("clocks_differ", servers=list(far), names=listed(far), offset=offset, command=command)]
    # Most agree with this machine: it is theirs that is wrong.
    offset = about(max(abs(skew) for skew in far.values()))
    names = listed(far)
    return [found("clocks_differ", servers=list(far), names=names, offset=offset, command=command, where=names)]
