"""The fast path: prints the published endpoint. Imports built-in modules, sys and os, and nothing else.

It repeats a few lines of edge/folders.py, edge/files.py and core/text.py, since importing those would cost
more than everything it does; tests/test_paths.py runs both on one table of cases.
"""

import os
import sys
import time

HEARTBEAT_DEAD = 100.0
_SYSTEM = "/var/lib/ollama-locate"
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:/._-[]")
_VERDICTS = ("fresh", "stale", "none")
_MODELS_MAX = 2**22
"""A list that is longer is cut: what is not found is left to the slow path."""


def folder() -> str:
    """The state folder to read; empty where there is no home."""
    said = os.environ.get("OLLAMA_LOCATE_STATE_DIR")
    if said:
        return said if said.startswith("/") else ""
    base = os.environ.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):
        home = os.path.expanduser("~")  # noqa: PTH111 - pathlib costs more than this whole program
        if not home.startswith("/"):
            return ""
        base = home + "/.local/state"
    own = base + "/ollama-locate"
    if not os.path.exists(own + "/endpoint") and os.path.exists(_SYSTEM + "/endpoint"):  # noqa: PTH110 - as above
        return _SYSTEM
    return own


def read(path: str) -> tuple[str, str] | None:
    """The endpoint and the verdict in a folder; None where they cannot be relied on.

    Relied on is a folder that the user or root owns, or the system service's own, and nobody else can write,
    a heart that beats, and a URL of harmless characters.
    """
    try:
        info = os.stat(path)  # noqa: PTH116 - as above
        own = info.st_uid in (os.geteuid(), 0) or path == _SYSTEM
        if not own or info.st_mode & 0o022:
            return None
        beat = os.stat(path + "/verdict").st_mtime  # noqa: PTH116 - as above
        if not -HEARTBEAT_DEAD < time.time() - beat < HEARTBEAT_DEAD:
            return None
        url, verdict = _line(path + "/endpoint"), _line(path + "/verdict")
    except OSError:
        return None
    if verdict not in _VERDICTS or not url.startswith(("http://", "https://")) or not _SAFE.issuperset(url):
        return None
    return url, verdict


def answer() -> int | None:
    """Print the endpoint and return the exit code; None: leave it to the slow path, which has more to say."""
    path = folder()
    found = read(path) if path else None
    if found is None or found[1] == "none":
        return None
    url, verdict = found
    sys.stdout.write(url + "\n")
    if verdict == "stale":
        sys.stderr.write("ollama-locate: stale: it does not answer now; `ollama-locate why` says more\n")
    return 0


def answer_model(wanted: str) -> int | None:
    """The same for the first of these models that a healthy server has; None as well for patterns and for none."""
    path = folder()
    if not path or read(path) is None or not _SAFE.issuperset(wanted.replace(",", "")):
        return None
    try:
        whole = _text(path + "/models", _MODELS_MAX).rpartition("\n")[0]
    except OSError:
        return None
    best = dict(line.partition("\t")[::2] for line in whole.split("\n"))
    for word in wanted.split(","):
        # A name without a tag means `:latest`; else it may be an alias, whose lines have none.
        url = best.get(word if ":" in word.rpartition("/")[2] else word + ":latest") or best.get(word, "")
        if url.startswith(("http://", "https://")) and _SAFE.issuperset(url):
            sys.stdout.write(url + "\n")
            return 0
    return None


def _line(path: str) -> str:
    return _text(path, 1024).rstrip("\n")


def _text(path: str, limit: int) -> str:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        return os.read(fd, limit).decode("ascii", "replace")
    finally:
        os.close(fd)
