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
_STALE = "ollama-locate: stale: it does not answer now; `ollama-locate why` says more\n"
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


def believed(path: str) -> bool:
    """Whether the user or root owns a folder, or the system service, and nobody else can write. Raises OSError."""
    info = os.stat(path)  # noqa: PTH116 - as above
    return (info.st_uid in (os.geteuid(), 0) or path == _SYSTEM) and not info.st_mode & 0o022


def read(path: str) -> tuple[str, str] | None:
    """The endpoint and the verdict in a folder; None where they cannot be relied on.

    Relied on is a folder that is believed, a heart that beats, and a URL of harmless characters.
    """
    try:
        if not believed(path):
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
        sys.stderr.write(_STALE)
    return 0


def answer_model(wanted: str) -> int | None:
    """The same for the first of these models that a healthy server has; None as well for patterns and for none."""
    path = folder()
    found = read(path) if path else None
    if found is None or "[" in wanted or not _SAFE.issuperset(wanted.replace(",", "")):
        return None
    try:
        lines = _bytes(path + "/models", _MODELS_MAX)
    except OSError:
        return None
    for word in wanted.split(","):
        # A name without a tag means `:latest`; else it may be an alias, whose lines have none.
        url = _find(lines, word if ":" in word.rpartition("/")[2] else word + ":latest") or _find(lines, word)
        if url.startswith(("http://", "https://")) and _SAFE.issuperset(url):
            sys.stdout.write(url + "\n")
            if found == (url, "stale"):
                sys.stderr.write(_STALE)
            return 0
    return None


def _find(lines: bytes, name: str) -> str:
    """What stands behind a name on its line, empty where there is no such line, or not its end."""
    start = f"{name}\t".encode()
    at = lines.find(start)
    while at > 0 and lines[at - 1 : at] != b"\n":
        at = lines.find(start, at + 1)
    end = lines.find(b"\n", at)
    return lines[at + len(start) : end].decode("ascii", "replace") if 0 <= at < end else ""


def _line(path: str) -> str:
    return _bytes(path, 1024).decode("ascii", "replace").rstrip("\n")


def _bytes(path: str, limit: int) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        return os.read(fd, limit)
    finally:
        os.close(fd)
