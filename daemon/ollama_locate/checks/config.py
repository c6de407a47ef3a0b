"""The config: whether it can be used, and what it has to warn of."""

import shlex

from ollama_locate.core.advice import listed
from ollama_locate.core.config import Config
from ollama_locate.core.finding import Finding, found
from ollama_locate.core.patterns import Pattern
from ollama_locate.core.placement import speak_of_nobody
from ollama_locate.core.tailnet import Tailnet
from ollama_locate.edge.folders import reader_config

from .case import Case, Round, Settings

_SAID_ELSEWHERE = ("OPENAI_BASE_URL", "OLLAMA_HOST")
"""The environment's check says these where they matter."""


def run(case: Case) -> list[Finding]:
    """Look at it."""
    settings = case.settings()
    return judge(settings, str(reader_config()), case.round() if any(_naming(settings.config).values()) else None)


def _naming(config: Config) -> dict[str, tuple[Pattern, ...]]:
    """The keys in which a slip is not noticed otherwise. Who is meant by `deny` may be gone for good."""
    return {"`[models] no_pull`": config.models.no_pull, "`prefer`": config.prefer}


def _of_nobody(config: Config, seen: Round) -> dict[str, list[str]]:
    looks = [one.look for one in seen.tailnets]
    known = [look for look in looks if isinstance(look, Tailnet)]
    if len(known) < len(looks):
        return {}
    return {key: speak_of_nobody(patterns, seen.snapshot.servers, known) for key, patterns in _naming(config).items()}


def judge(settings: Settings, path: str, seen: Round | None = None) -> list[Finding]:
    """Say what is wrong. `seen`: whom the tailnet and this machine know, where that is asked."""
    if settings.broken:
        return [found("config_broken", detail=settings.broken, quoted=shlex.quote(path))]
    nobody = [
        found("config_names_nobody", key=key, names=listed(words), quoted=shlex.quote(path))
        for key, words in (_of_nobody(settings.config, seen) if seen is not None else {}).items()
        if words
    ]
    return nobody + [
        found("config_warning", detail=warning)
        for warning in settings.config.warnings
        if not warning.startswith(_SAID_ELSEWHERE)
    ]
