"""Version numbers of other programs, compared."""

import re
from typing import Final

_NUMBER: Final = re.compile(r"v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?")


def number(text: str) -> tuple[int, int, int] | None:
    """The three numbers at the beginning of a version; None where there are none, or all are 0.

    `0.0.0` is what an Ollama says that was built without one (Ollama: version/version.go).
    """
    match = _NUMBER.match(text)
    if match is None:
        return None
    found = int(match[1]), int(match[2]), int(match[3] or 0)
    return found if any(found) else None


def older(version: str, than: str) -> bool:
    """Whether a version is known, and older than the other."""
    one, other = number(version), number(than)
    return one is not None and other is not None and one < other
