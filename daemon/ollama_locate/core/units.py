"""The service definitions: templates filled in, and whether a file that lies there is one of them."""

import html
from collections.abc import Mapping
from typing import Final

from .errors import OperatorError

UNIT: Final = "ollama-located.service"
SYSUSERS: Final = "ollama-locate.conf"
USER: Final = "ollama-locate"
LABEL: Final = "io.github.ollama-locate.located"
_MARK: Final = "Written by `ollama-locate service install"
_MARK_WITHIN: Final = 400


def is_ours(text: str) -> bool:
    """Whether `service install` wrote it; of a file that somebody else wrote the beginning does not say so."""
    return _MARK in text[:_MARK_WITHIN]


FOLDERS: Final = ("OLLAMA_LOCATE_STATE_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME")
"""Variables that say where the files are. A service manager knows nothing of what a shell's start-up file sets."""


def unit(template: str, program: str, environment: Mapping[str, str]) -> str:
    """A systemd unit. Quoted as systemd.unit(5) says; raises OperatorError for what it has no quotes for."""
    _check(program)
    if "$" in program:
        raise OperatorError(f"systemd cannot start a program with a `$` in its path: {program}")
    for value in environment.values():
        _check(value)
    lines = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in environment.items())
    return template.replace("{program}", _quoted(program)).replace("{environment}\n", lines)


def _quoted(text: str) -> str:
    escaped = text.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def plist(template: str, program: str, log: str, environment: Mapping[str, str]) -> str:
    """A launchd job. Raises OperatorError."""
    for path in (program, log, *environment.values()):
        _check(path)
    keys = "".join(
        f"\t\t<key>{name}</key>\n\t\t<string>{html.escape(value, quote=False)}</string>\n"
        for name, value in environment.items()
    )
    template = template.replace("\t\t{environment}\n", keys)
    return template.replace("{program}", html.escape(program, quote=False)).replace(
        "{log}", html.escape(log, quote=False)
    )


def _check(path: str) -> None:
    if not path.startswith("/") or not path.isprintable():
        raise OperatorError(f"{path!r} is no path that a service could be given")
