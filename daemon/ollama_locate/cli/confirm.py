"""To ask before something is done."""

import sys
from typing import TextIO

from ollama_locate.core.errors import OperatorError


def confirmed(question: str, *, yes: bool, on: TextIO | None = None, piped: bool = False) -> bool:
    """Whether the person at the terminal says yes; `yes`: it was said with the command. Raises OperatorError.

    `on`: where it is asked, if not on stdout. `piped`: where no terminal is, a program answers with a line of stdin,
    and its end means no.
    """
    if yes:
        return True
    sys.stdout.flush()
    out = on or sys.stdout
    if sys.stdin.isatty() and out.isatty():
        out.write(f"{question} [y/N] ")
        out.flush()
    elif not piped:
        raise OperatorError("nobody is there to ask; say it with the command: --yes")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
