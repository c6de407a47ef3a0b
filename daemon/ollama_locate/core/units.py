"""The service definitions: templates filled in, and whether a file that lies there is one of them."""

import html
from typing import Final

from .errors import OperatorError

UNIT: Final = "ollama-located.service"
SYSUSERS: Final = "ollama-locate.conf"
LABEL: Final = "io.github.ollama-locate.located"
_MARK: Final = "Written by `ollama-locate service install"
_MARK_WITHIN: Final = 400


def is_ours(text: str) -> bool:
    """Whether `service install` wrote it; of a file that somebody else wrote the beginning does not say so."""
    return _MARK in text[:_MARK_WITHIN]


def unit(template: str, program: str) -> str:
    """A systemd unit. Quoted as systemd.unit(5) says; raises OperatorError for what it has no quotes for."""
    _check(program)
    if "$" in program:
        raise OperatorError(f"systemd cannot start a program with a `$` in its path: {program}")
    quoted = program.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return template.replace("{program}", f'"{quoted}"')


def plist(template: str, program: str, log: str) -> str:
    """A launchd job. Raises OperatorError."""
    _check(program)
    _check(log)
    return template.replace("{program}", html.escape(program, quote=False)).replace(
        "{log}", html.escape(log, quote=False)
    )


def _check(path: str) -> None:
    if not path.startswith("/") or not path.isprintable():
        raise OperatorError(f"{path!r} is no path that a service could be given")
