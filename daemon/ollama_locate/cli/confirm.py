"""To ask before something is done."""

import sys
from typing import TextIO

from ollama_locate.core.errors import OperatorError


def confirmed(question: str, *, yes: bool, on: TextIO | None = None) -> bool:
    """Whether the person at the terminal says yes; `yes`: it was said with the command. Raises OperatorError.

    `on`: where it is asked, if not on stdout.
    """
    if yes:
        return True
    sys.stdout.flush()
    out = on or sys.stdout
    if not (sys.stdin.isatty() and out.isatty()):
        raise OperatorError("nobody is there to ask; say it with the command: --yes")
    out.write(f"{question} [y/N] ")
    out.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
