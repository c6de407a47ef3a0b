"""The environment of desktop programs: systemd's user manager, or launchd. Only a constant address is put there."""

import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from typing import Final

_PATIENCE: Final = 5.0


def put(variables: Mapping[str, str]) -> str:
    """Set them for programs that are started from now on; returns what is wrong, empty if nothing. Blocks."""
    if sys.platform == "darwin":
        commands = [["launchctl", "setenv", name, value] for name, value in variables.items()]
    else:
        pairs = [f"{name}={value}" for name, value in variables.items()]
        commands = [["systemctl", "--user", "set-environment", *pairs]]
    return _run(commands)


def take_back(names: Collection[str]) -> str:
    """Unset them; returns what is wrong, empty if nothing. Blocks."""
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
