"""The environment: variables set by hand that hide what was found, and proxies that would catch it."""

import shlex
import socket
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ollama_locate.core.constants import OLLAMA_PORT, TAILNET_RANGES
from ollama_locate.core.finding import Finding, found
from ollama_locate.core.marker import overridden
from ollama_locate.core.proxies import catches
from ollama_locate.core.startup import Kind
from ollama_locate.core.text import shown
from ollama_locate.edge.folders import reader_config
from ollama_locate.edge.startup import login_shell, scanned

from .case import Case
from .reach import address
from .shell import home_of


class Place(NamedTuple):
    """Where a start-up file sets a variable by hand."""

    name: str
    path: str
    line: int


class Facts(NamedTuple):
    """What was found. `elsewhere`: OLLAMA_HOST is an address that is none of this machine's."""

    environment: Mapping[str, str]
    variables: Mapping[str, str]
    endpoint: str
    fresh: bool
    serves: bool = False
    elsewhere: bool = False
    places: tuple[Place, ...] = ()
    templates: Mapping[str, str] = {}
    config: str = ""


def run(case: Case) -> list[Finding]:
    """Look at it."""
    now, environment = case.now(), case.environment
    files = scanned(Path(login_shell(environment)).name, home_of(case), str(case.folder))
    places = [
        Place(line.name, file.file.path, line.number) for file in files for line in file.lines if line.kind is Kind.SET
    ]
    return judge(
        Facts(
            environment,
            now.variables,
            now.decision.endpoint,
            now.decision.verdict != "none",
            any(one.outcome == "alive" for one in now.servers if one.kind in ("local", "self_check")),
            _is_elsewhere(environment.get("OLLAMA_HOST", "")),
            tuple(places),
            case.config.variables,
            str(reader_config()),
        )
    )


def judge(facts: Facts) -> list[Finding]:
    """Say what is wrong."""
    found_here = list(_by_hand(facts))
    host = facts.environment.get("OLLAMA_HOST", "")
    if host and facts.serves and facts.elsewhere:
        command = "unset OLLAMA_HOST"
        if "OLLAMA_HOST" in facts.templates:
            command = f"${{EDITOR:-vi}} {shlex.quote(facts.config)}  # [variables]: take OLLAMA_HOST out"
        place = _placed(facts, "OLLAMA_HOST")
        found_here.append(found("ollama_host_here", value=shown(host), place=place, command=command))
    if "OPENAI_BASE_URL" in facts.templates and facts.environment.get("OPENAI_API_KEY"):
        found_here.append(found("openai_key_leaves", quoted=shlex.quote(facts.config)))
    target = address(facts.endpoint)[0]
    if facts.fresh and not _loopback(target) and (caught := catches(facts.environment, target)):
        hosts = f"localhost,127.0.0.1,{TAILNET_RANGES[0]},{target}"
        found_here.append(
            found("proxy_catches", variable=caught.variable, proxy=caught.proxy, endpoint=facts.endpoint, hosts=hosts)
        )
    return found_here


def _by_hand(facts: Facts) -> list[Finding]:
    """What is set by hand, now or in new shells. What hides nothing, as nothing was found, is left alone."""
    if not facts.fresh:
        return []
    hidden = overridden(facts.environment, facts.variables)
    findings = [
        found(
            "endpoint_by_hand", name=name, value=shown(value), wanted=facts.variables[name], place=_placed(facts, name)
        )
        for name, value in hidden.items()
    ]
    for place in facts.places:
        if place.name in facts.variables and place.name not in hidden:
            where = f"{shown(place.path)}, line {place.line}"
            findings.append(
                found(
                    "endpoint_in_startup", name=place.name, place=where, line=place.line, quoted=shlex.quote(place.path)
                )
            )
    return findings


def _placed(facts: Facts, name: str) -> str:
    for place in facts.places:
        if place.name == name:
            return f" ({shown(place.path)}, line {place.line})"
    return ""


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_elsewhere(value: str) -> bool:
    """Whether `ollama serve` could not listen there: an address that this machine has not (Ollama: envconfig)."""
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname or "", parts.port or OLLAMA_PORT
        there = ip_address(host)
    except ValueError:
        return False
    family = socket.AF_INET6 if there.version == 6 else socket.AF_INET  # noqa: PLR2004 - IPv6
    with socket.socket(family) as trial:
        try:
            trial.bind((host, 0))
        except OSError:
            return port > 0
    return False
