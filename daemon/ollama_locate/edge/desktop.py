"""The environment of desktop programs: systemd's user manager, or launchd. Only a constant address is put there."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from ollama_locate.core.bounds import REQUEST_MAX_BYTES
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.marker import MARKER, pairs
from ollama_locate.core.text import is_value, is_variable

from .call import call
from .files import StateFolder, read

_PATIENCE: Final = 5.0
_NOTE: Final = "desktop"


class Shown(NamedTuple):
    """What of ours is set there, and what is wrong, empty if nothing."""

    variables: dict[str, str]
    trouble: str


def noted(folder: Path) -> dict[str, str]:
    """What this daemon, or one before it that may have been killed, has set. Reads a file."""
    try:
        data = read(folder, _NOTE, REQUEST_MAX_BYTES) or b""
    except StateFolderError:
        return {}
    items = [line.partition("=") for line in data.decode("ascii", "replace").splitlines()]
    return {name: value for name, _, value in items if is_variable(name) and (is_value(value) or name == MARKER)}


def note(folder: StateFolder, variables: Mapping[str, str]) -> None:
    """Remember that. Writes a file; raises StateFolderError."""
    folder.publish({_NOTE: "".join(f"{name}={value}\n" for name, value in variables.items()).encode()})


def change(shown: Mapping[str, str], wanted: Mapping[str, str]) -> Shown:
    """Let these be set and nothing else of ours; what was set by hand stays. Runs commands, for seconds at worst."""
    tool = "launchctl" if sys.platform == "darwin" else "systemctl"
    if shutil.which(tool) is None:
        return Shown(dict(shown), f"forward.desktop: there is no {tool} here")
    try:
        present = _present([*shown, *wanted])
        ours = {name: value for name, value in wanted.items() if present.get(name, "") in ("", shown.get(name, ""))}
        if ours:
            # With the marker, a shell that is started from the desktop takes them for ours, and follows the files.
            ours[MARKER] = pairs(ours)
        gone = [name for name, value in shown.items() if name not in ours and present.get(name) == value]
        if gone:
            _take_back(gone)
        if ours:
            _put(ours)
    except _FailedError as error:
        return Shown(dict(shown), f"forward.desktop: {error}")
    kept = [name for name in wanted if name not in ours]
    return Shown(ours, f"forward.desktop: set by hand there, and left: {', '.join(kept)}" if kept else "")


class _FailedError(Exception):
    pass


def _present(names: list[str]) -> dict[str, str]:
    if sys.platform == "darwin":
        return {name: _run(["launchctl", "getenv", name]).strip() for name in names}
    lines = [line.partition("=") for line in _run(["systemctl", "--user", "show-environment"]).splitlines()]
    return {name: value for name, _, value in lines}


def _put(variables: Mapping[str, str]) -> None:
    if sys.platform == "darwin":
        for name, value in variables.items():
            _run(["launchctl", "setenv", name, value])
    else:
        _run(["systemctl", "--user", "set-environment", *(f"{name}={value}" for name, value in variables.items())])


def _take_back(names: list[str]) -> None:
    if sys.platform == "darwin":
        for name in names:
            _run(["launchctl", "unsetenv", name])
    else:
        _run(["systemctl", "--user", "unset-environment", *names])


def _run(words: list[str]) -> str:
    done = call(words, _PATIENCE)
    if not done.fine:
        raise _FailedError(f"`{' '.join(words[:3])}`: {done.said.splitlines()[0]}")
    return done.out
