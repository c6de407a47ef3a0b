"""What must be so at every reading of the files, and what must become so within a bound."""

import re
import time
from pathlib import Path
from typing import NamedTuple

from ollama_locate.core import render
from ollama_locate.core.bounds import HEARTBEAT_DEAD
from ollama_locate.core.snapshot import DEFAULT_URL

from .truth import Answers, Tailnet

VALUE = re.compile(r"http://[A-Za-z0-9:/._\-\[\]]+\n", re.ASCII)
LINE = re.compile(r"[A-Z_]+=[A-Za-z0-9:/._\-\[\]=,]+", re.ASCII)
FILES = ("endpoint", "verdict", "env", "env.sh", "env.fish", "models", "state.json")


class BrokenError(Exception):
    """A promise that does not hold."""


class Published(NamedTuple):
    """What a reader finds."""

    endpoint: str
    verdict: str
    age: float


def read(state: Path) -> Published:
    """Every file whole and safe, and a heart that beats. Raises BrokenError.

    Each file is renamed on its own, so that two of them may be of two moments.
    """
    texts = {}
    for name in FILES:
        try:
            texts[name] = (state / name).read_bytes().decode()
        except OSError as error:
            raise BrokenError(f"{name}: {error.strerror}") from None
        if not texts[name].endswith("\n") and name != "models":
            raise BrokenError(f"{name} is not whole: {texts[name][-40:]!r}")
    if not VALUE.fullmatch(texts["endpoint"]) or texts["verdict"] not in ("fresh\n", "stale\n", "none\n"):
        raise BrokenError(f"endpoint {texts['endpoint']!r}, verdict {texts['verdict']!r}")
    for line in texts["env"].splitlines():
        if not LINE.fullmatch(line):
            raise BrokenError(f"env: {line!r}")
    try:
        render.read_snapshot(texts["state.json"].encode())
    except ValueError as error:
        raise BrokenError(f"state.json: {error}") from None
    age = time.time() - (state / "verdict").stat().st_mtime
    return Published(texts["endpoint"].strip(), texts["verdict"].strip(), age)


def judge(found: Published, tailnet: Tailnet) -> str:
    """What is wrong with it, empty if nothing: a trusted server that answers while there is one, never another's."""
    trusted = {one.url: one.answers for one in tailnet.trusted()}
    if found.age >= HEARTBEAT_DEAD:
        return f"the heart has not beaten for {found.age:.0f} s"
    if found.verdict == "fresh":
        if found.endpoint not in trusted and not (tailnet.lies and found.endpoint in tailnet.last_known()):
            return f"{found.endpoint} is fresh, and nobody trusts it"
        if trusted.get(found.endpoint) is Answers.NO:
            return f"{found.endpoint} is fresh, and does not answer"
        return ""
    if Answers.YES in trusted.values() and not tailnet.lies:
        return (
            f"{found.endpoint} is {found.verdict}, though {[u for u, a in trusted.items() if a is Answers.YES]} answer"
        )
    last_good = found.verdict == "stale" and found.endpoint in tailnet.last_known()
    default = found.verdict == "none" and found.endpoint == DEFAULT_URL
    return "" if last_good or default else f"{found.endpoint} is {found.verdict}, and nobody trusts it"
