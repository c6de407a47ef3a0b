"""What a server's answer to `GET /api/version` says of it."""

from typing import Final

import msgspec

from .outcome import Outcome
from .text import shown

_TLS_ALERT: Final = b"\x15\x03"
PROXY_REFUSES: Final = frozenset({401, 407, 502, 503, 504})
"""What a proxy answers in Ollama's place, where another server may answer."""
_FORBIDDEN: Final = 403
_LOGIN: Final = frozenset({401, 407})
_GATEWAY: Final = frozenset({502, 503, 504})
"""Bad gateway, unavailable, gateway time-out: a proxy's words. Ollama has no such answer to this question."""
_PAGE: Final = "a page for people (HTML): a login, or the path is another one"


class _Version(msgspec.Struct, frozen=True):
    version: str


_DECODER = msgspec.json.Decoder(_Version)


def judge_version(status: int, body: bytes, age: int = 0, headers: str = "") -> tuple[Outcome, str, str]:
    """The outcome, a detail for people and the version, from the HTTP status and the whole body.

    `age` is the answer's (RFC 9111, 5.1): more than 0 seconds, and it comes from a cache. `headers` is the path of the
    file whose headers were sent with the question, empty for none.
    """
    if status in _LOGIN or (status == _FORBIDDEN and body):
        # Ollama's own 403 has no body (server/routes.go: AbortWithStatus); those of proxies have a page for people.
        return Outcome.LOGIN, _login(status, headers), ""
    if status == _FORBIDDEN:
        return Outcome.FORBIDDEN_HOST, "", ""
    if status in _GATEWAY:
        return Outcome.GATEWAY, f"HTTP {status}", ""
    if status >= 500:  # noqa: PLR2004 - the HTTP status, as in every line below
        return Outcome.ERROR, f"HTTP {status}", ""
    if 300 <= status < 400:  # noqa: PLR2004
        return (
            Outcome.NOT_OLLAMA,
            f"HTTP {status}: it redirects, as to a login page, and redirects are not followed",
            "",
        )
    if status != 200:  # noqa: PLR2004
        return Outcome.NOT_OLLAMA, f"HTTP {status} to /api/version", ""
    try:
        version = _DECODER.decode(body).version
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Outcome.NOT_OLLAMA, _PAGE if body.lstrip().startswith(b"<") else "its /api/version is not Ollama's", ""
    if age > 0:
        return Outcome.CACHED, f"its answer is {age} s old", ""
    return Outcome.ALIVE, "", shown(version, 64)


def _login(status: int, headers: str) -> str:
    if headers:
        return f"HTTP {status}: it refuses the token in {shown(headers)}"
    return f"HTTP {status}: name a file of `headers` in its table of the config"


def judge_no_http(first: bytes) -> tuple[Outcome, str]:
    """The outcome and a detail where what came was no HTTP; `first` is its beginning."""
    if first.startswith(_TLS_ALERT):
        return Outcome.NOT_OLLAMA, "it speaks TLS; if it is yours, add it under [static] with https://"
    return Outcome.NOT_OLLAMA, "its answer is not HTTP/1.x"
