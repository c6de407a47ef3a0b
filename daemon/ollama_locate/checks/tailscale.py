"""Tailscale on this machine: there, running, logged in, with a network interface, and new enough."""

import datetime as dt
import errno
import re
import shlex
import time
from typing import NamedTuple

from msgspec.structs import replace

from ollama_locate.core.bounds import KEY_EXPIRES_SOON, TAILSCALE_SERVE_FROM
from ollama_locate.core.finding import Finding, found
from ollama_locate.core.net import Net
from ollama_locate.core.rule import Severity
from ollama_locate.core.tailnet import Absence, Own, Tailnet, Unavailable
from ollama_locate.core.versions import older
from ollama_locate.edge.bus import socket_path
from ollama_locate.edge.folders import reader_config
from ollama_locate.edge.tailscale import NOBODY, refusal

from .case import Asked, Case

INSTALL = {
    "linux": "curl -fsSL https://tailscale.com/install.sh | sh",
    "darwin": "brew install --cask tailscale-app",
}
_START = {"linux": "sudo systemctl start tailscaled", "darwin": "open -a Tailscale"}
_RESTART = {"linux": "sudo systemctl restart tailscaled", "darwin": "killall Tailscale; open -a Tailscale"}
_OF_THE_SYSTEM = frozenset({"tailscale_not_running", "tailscale_hangs", "tailscale_userspace"})
"""Their mend is about the system's own tailscaled."""

_FORBIDDEN = (errno.EACCES, errno.EPERM)
_CODES = {
    Absence.NOT_INSTALLED: "tailscale_missing",
    Absence.NOT_RUNNING: "tailscale_not_running",
    Absence.STOPPED: "tailscale_stopped",
    Absence.NEEDS_LOGIN: "tailscale_needs_login",
    Absence.NEEDS_MACHINE_AUTH: "tailscale_needs_approval",
    Absence.STARTING: "tailscale_starting",
    Absence.NO_PERMISSION: "tailscale_no_permission",
    Absence.GUI_NOT_CLI: "tailscale_gui",
    Absence.HUNG: "tailscale_hangs",
}


class Facts(NamedTuple):
    """What was found. `now` is epoch seconds; `alone` says that a server answers without any tailnet."""

    look: Tailnet | Unavailable
    own: Own
    now: float
    alone: bool = False
    closed_socket: str = ""
    user: str = ""
    config: str = ""
    platform: str = "linux"
    socks5: bool = False


def run(case: Case) -> list[Finding]:
    """Look at each tailnet."""
    asked = case.round().tailnets
    several = len(asked) > 1
    alive = several and any(isinstance(one.look, Tailnet) for one in asked)
    return [
        of_several(finding, one.net, mild=alive and isinstance(one.look, Unavailable)) if several else finding
        for one in asked
        for finding in _of(case, one)
    ]


def of_several(finding: Finding, net: Net, *, mild: bool) -> Finding:
    """What is wrong with one of several tailnets; `mild`: another one runs."""
    tailscale = shlex.join(("tailscale", *net.words))
    mend = re.sub(r"\btailscale (?=[a-z])", lambda _: f"{tailscale} ", finding.mend)
    if net.socket and finding.code in _OF_THE_SYSTEM:
        mend = ""  # how this tailscaled is started only its owner knows
    severity = Severity.WARNING if mild and finding.severity is Severity.PROBLEM else finding.severity
    return replace(finding, text=f"Tailnet {net.name}: {finding.text}", mend=mend, severity=severity)


def _of(case: Case, asked: Asked) -> list[Finding]:
    look, path = asked.look, socket_path(case.config.bell(asked.net))
    refused = refusal(path)
    if isinstance(look, Unavailable) and look.reason is Absence.HUNG and refused in NOBODY and not case.macos:
        # The command tries again for 5 s where it sees any tailscaled on the machine (Tailscale: safesocket).
        look = Unavailable(Absence.NOT_RUNNING)
    return judge(
        Facts(
            look,
            asked.own,
            time.time(),
            any(one.outcome == "alive" for one in case.round().snapshot.servers if one.kind in ("local", "static")),
            path if refused in _FORBIDDEN else "",
            case.user,
            str(reader_config()),
            "darwin" if case.macos else "linux",
            socks5=asked.net.socks5 is not None,
        )
    )


def judge(facts: Facts) -> list[Finding]:
    """Say what is wrong."""
    findings = []
    if isinstance(facts.look, Unavailable):
        findings.append(_away(facts, facts.look))
    elif not facts.look.tun and not facts.socks5:
        findings.append(found("tailscale_userspace"))
    left = _key_lasts(facts.own, facts.now)
    if facts.own.expired or (left is not None and left <= 0):
        findings.append(found("tailscale_key_expired", when=_day(facts.own)))
    elif left is not None and left < KEY_EXPIRES_SOON:
        findings.append(found("tailscale_key_expires", when=_day(facts.own)))
    if older(facts.own.version, TAILSCALE_SERVE_FROM):
        version = facts.own.version.partition("-")[0]
        findings.append(found("tailscale_old", version=version, wanted=TAILSCALE_SERVE_FROM))
    if facts.closed_socket:
        findings.append(found("socket_no_permission", path=facts.closed_socket, user=facts.user))
    return findings


def _away(facts: Facts, look: Unavailable) -> Finding:
    code = _CODES.get(look.reason, "tailscale_fails")
    # Whoever never installed it may be content with an Ollama that needs none.
    mild = facts.alone and look.reason is Absence.NOT_INSTALLED
    return found(
        code,
        Severity.WARNING if mild else None,
        text=look.reason.text,
        detail=look.detail.rstrip(".") or "nothing",
        install=INSTALL[facts.platform],
        start=_START[facts.platform],
        restart=_RESTART[facts.platform],
        user=facts.user,
        quoted=shlex.quote(facts.config),
    )


def _key_lasts(own: Own, now: float) -> float | None:
    """Seconds until the key expires; None: never, or it is not said."""
    try:
        return dt.datetime.fromisoformat(own.key_expiry).timestamp() - now
    except (ValueError, OverflowError):
        return None


def _day(own: Own) -> str:
    return f"on {own.key_expiry[:10]}" if own.key_expiry else "the day is not said"
