"""`ollama-locate __names KIND`: what a shell offers at TAB, one name a line. Imports the fast path, and json.

The names are peers' and models', from the network, and some shells write into the command line what they are given
as it is: only names that no shell reads in any other way are offered.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from . import query

_SAFE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:/._-")
_LONGEST: Final = 256
_MOST: Final = 1000
"""More than anybody looks through; a shell asks for them at each TAB."""
_STATE_MAX: Final = 64 * 2**20
"""Bytes of state.json that are read, as core/bounds.py has it."""


def answer(words: list[str]) -> int:
    """Print the names of a kind; nothing where none are known, as nobody reads an error at TAB."""
    path, reader = query.folder(), _KINDS.get(words[0] if words else "")
    if not path or reader is None:
        return 1
    try:
        names = sorted({name for name in reader(path) if is_offered(name)})[:_MOST] if query.believed(path) else []
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return 1  # none yet, or damaged: `ollama-locate status` says so
    sys.stdout.write("".join(f"{name}\n" for name in names))
    return 0


def is_offered(name: object) -> bool:
    """Whether a name can be typed as it is in every shell, and is no option."""
    return isinstance(name, str) and 0 < len(name) <= _LONGEST and name[0].isalnum() and _SAFE.issuperset(name)


def _servers(path: str) -> Iterable[str]:
    """Their names; this machine's is `local`, which has no blank."""
    servers = _state(path)["servers"]
    return ("local" if one["kind"] == "local" else one["name"] for one in servers if one["kind"] != "self_check")


def _peers(path: str) -> Iterable[str]:
    state = _state(path)
    return [*_servers(path), *(one["name"] for one in state["rejected"])]


def _urls(path: str) -> Iterable[str]:
    return (one["url"] for one in _state(path)["servers"] if one["kind"] != "self_check")


def _models(path: str) -> Iterable[str]:
    return (line.partition(b"\t")[0].decode("ascii") for line in _bytes(path + "/models").splitlines())


def _installed(path: str) -> Iterable[str]:
    """The same without aliases, which no server knows."""
    return set(_models(path)).difference(_state(path).get("aliases", ()))


def _abilities(path: str) -> Iterable[str]:
    return (
        word
        for server in _state(path)["servers"]
        for model in server.get("inventory") or ()
        for word in model.get("can") or ()
    )


_KINDS: Final[Mapping[str, Callable[[str], Iterable[str]]]] = {
    "servers": _servers,
    "peers": _peers,
    "models": _models,
    "installed": _installed,
    "abilities": _abilities,
    "urls": _urls,
}


def _state(path: str) -> dict[str, Any]:
    import json  # noqa: PLC0415 - a third of the time that names of models take, which need it not

    found: dict[str, Any] = json.loads(_bytes(path + "/state.json"))
    return found


def _bytes(path: str) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        return file.read(_STATE_MAX)
