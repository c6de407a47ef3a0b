"""The config: whether it can be used, and what it has to warn of."""

import shlex

from ollama_locate.core.finding import Finding, found
from ollama_locate.edge.folders import reader_config

from .case import Case, Settings

_SAID_ELSEWHERE = ("OPENAI_BASE_URL", "OLLAMA_HOST")
"""The environment's check says these where they matter."""


def run(case: Case) -> list[Finding]:
    """Look at it."""
    return judge(case.settings(), str(reader_config()))


def judge(settings: Settings, path: str) -> list[Finding]:
    """Say what is wrong."""
    if settings.broken:
        return [found("config_broken", detail=settings.broken, quoted=shlex.quote(path))]
    return [
        found("config_warning", detail=warning)
        for warning in settings.config.warnings
        if not warning.startswith(_SAID_ELSEWHERE)
    ]
