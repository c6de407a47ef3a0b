"""What a server's answer to `GET /api/version` says of it."""

from typing import Final

import msgspec

from .outcome import Outcome
from .text import shown

_TLS_ALERT: Final = b"\x15\x03"


class _Version(msgspec.Struct, frozen=True):
    version: str


_DECODER = msgspec.json.Decoder(_Version)


def judge_version(status: int, body: bytes) -> tuple[Outcome, str, str]:
    """The outcome, a detail for people and the version, from the HTTP status and the whole body."""
    if status == 403:  # noqa: PLR2004 - the HTTP status, as in every line below
        return Outcome.FORBIDDEN_HOST, "", ""
    if status >= 500:  # noqa: PLR2004
        return Outcome.ERROR, f"HTTP {status}", ""
    if 300 <= status < 400:  # noqa: PLR2004
        return Outcome.NOT_OLLAMA, f"HTTP {status}: it redirects, and redirects are not followed", ""
    if status != 200:  # noqa: PLR2004
        return Outcome.NOT_OLLAMA, f"HTTP {status} to /api/version", ""
    try:
        version = _DECODER.decode(body).version
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Outcome.NOT_OLLAMA, "its /api/version is not Ollama's", ""
    return Outcome.ALIVE, "", shown(version, 64)


def judge_no_http(first: bytes) -> tuple[Outcome, str]:
    """The outcome and a detail where what came was no HTTP; `first` is its beginning."""
    if first.startswith(_TLS_ALERT):
        return Outcome.NOT_OLLAMA, "it speaks TLS; if it is yours, add it under [static] with https://"
    return Outcome.NOT_OLLAMA, "its answer is not HTTP/1.x"
