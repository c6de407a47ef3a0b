"""The environment of desktop programs: systemd's user manager, or launchd. Only a constant address is put there."""

import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from ollama_locate.core.constants import REQUEST_MAX_BYTES
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.text import is_variable

from .files import StateFolder, read

_PATIENCE: Final = 5.0
_NOTE: Final = "desktop"


class Desktop:
    """Remembers in the state folder what it has set, for the next daemon: this one may be killed."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder
        self._set: dict[str, str] | None = None

    def show(self, wanted: Mapping[str, str]) -> str:
        """Let these be set, and nothing else of ours; returns what is wrong, empty if nothing. Blocks."""
        if self._set is None:
            self._set = dict.fromkeys(_noted(self._folder.path), "")
        if dict(wanted) == self._set:
            return ""
        gone = [name for name in self._set if name not in wanted]
        trouble = _take_back(gone) if gone else ""
        if wanted and not trouble:
            self._note([*self._set, *wanted])
            trouble = _put(wanted)
        if not trouble:
            self._set = dict(wanted)
            self._note(wanted)
        return trouble

    def _note(self, names: Collection[str]) -> None:
        self._folder.publish({_NOTE: "".join(f"{name}\n" for name in dict.fromkeys(names)).encode()})


def _noted(folder: Path) -> list[str]:
    try:
        data = read(folder, _NOTE, REQUEST_MAX_BYTES) or b""
    except StateFolderError:
        return []
    return [name for name in data.decode("ascii", "replace").split() if is_variable(name)]


def _put(variables: Mapping[str, str]) -> str:
    if sys.platform == "darwin":
        commands = [["launchctl", "setenv", name, value] for name, value in variables.items()]
    else:
        pairs = [f"{name}={value}" for name, value in variables.items()]
        commands = [["systemctl", "--user", "set-environment", *pairs]]
    return _run(commands)


def _take_back(names: Collection[str]) -> str:
    if sys.platform == "darwin":
        return _run([["launchctl", "unsetenv", name] for name in names])
    return _run([["systemctl", "--user", "unset-environment", *names]])


def _run(commands: list[list[str]]) -> str:
    for words in commands:
        if shutil.which(words[0]) is None:
            return f"forward.desktop: there is no {words[0]} here"
        try:
            done = subprocess.run(  # noqa: S603 - constant words, names and values that were checked
                words, check=False, capture_output=True, text=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired):
            return f"forward.desktop: `{' '.join(words[:3])}` did not end"
        if done.returncode:
            said = done.stderr.strip().splitlines()
            return f"forward.desktop: `{' '.join(words[:3])}`: {said[0] if said else f'exit code {done.returncode}'}"
    return ""
