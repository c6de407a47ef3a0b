"""What may be shown, and what may be written: text from the network passes through here."""

import re
from typing import Final

from .constants import DETAIL_MAX

_CONTROLS: Final = r"\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_UNSAFE: Final = re.compile(f"[{_CONTROLS}]+")
HARMLESS: Final = rf"\A[^{_CONTROLS}]*\Z"
"""A text that may be shown as it is."""
_VALUE: Final = re.compile(r"[A-Za-z0-9:/._\-\[\]]{1,512}")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def shown(text: str, limit: int = DETAIL_MAX) -> str:
    """One line without control characters, of at most `limit` characters; safe on a terminal.

    Removed are C0, DEL, C1, zero-width and bidirectional controls: a peer's name could move the cursor
    or turn the line round.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text.strip()
    clean = _UNSAFE.sub(" ", text[: 4 * limit]).strip()
    clean = clean.encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def is_value(text: str) -> bool:
    """Whether a value may stand unquoted in every published file.

    ASCII letters, digits and `: / . _ - [ ]`: sh, systemd's EnvironmentFile, docker's --env-file and
    dotenv all read such a value the same way.
    """
    return _VALUE.fullmatch(text) is not None


def is_variable(name: str) -> bool:
    """Whether a text is a name that every shell takes for a variable."""
    return _NAME.fullmatch(name) is not None
