"""To ask before something is done."""

import sys

from ollama_locate.core.errors import OperatorError


def confirmed(question: str, *, yes: bool) -> bool:
    """Whether the person at the terminal says yes; `yes`: it was said with the command. Raises OperatorError."""
    if yes:
        return True
    sys.stdout.flush()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise OperatorError("nobody is there to ask; say it with the command: --yes")
    sys.stdout.write(f"{question} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
