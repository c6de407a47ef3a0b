"""What a static server wants besides its URL, read from the user's files: secret headers, a private authority."""

import asyncio
import errno
import os
import re
import ssl
import stat
from dataclasses import dataclass, field
from typing import Final

from ollama_locate.core.bounds import ACCESS_PATIENCE, CA_MAX_BYTES, HEADERS_MAX, HEADERS_MAX_BYTES
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.server import NOTHING, Needs

from .files import is_believed

_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~\-]{1,128}")
"""A token of RFC 9110, 5.6.2."""
_VALUE: Final = re.compile(r"[!-~](?:[ !-~]*[!-~])?")
_OURS: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""They say how a message is read or where it goes: another hand at them would break the conversation."""

_OTHERS_READ: Final = 0o077
_OTHERS_WRITE: Final = 0o022


@dataclass(frozen=True)
class Access:
    """`headers` to send; `ca`, certificates as PEM. Neither is shown where this is printed."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    ca: str = field(default="", repr=False)

    def trust(self) -> ssl.SSLContext | None:
        """The authority that is believed, and no other; None: those that everybody believes. Names are checked."""
        return ssl.create_default_context(cadata=self.ca) if self.ca else None


_reading: Final[dict[tuple[asyncio.AbstractEventLoop, Needs], asyncio.Future[Access]]] = {}
"""One reading of the same files at a time: a disk that hangs shall not take one common thread after the other."""


async def access(needs: Needs) -> Access:
    """Read the files, away from the loop. Raises OperatorError with one line, in which none of their content stands."""
    if needs == NOTHING:
        return Access()
    loop = asyncio.get_running_loop()
    if (reading := _reading.get((loop, needs))) is None:
        reading = _reading[loop, needs] = loop.run_in_executor(None, read_access, needs)
        reading.add_done_callback(lambda done: (_reading.pop((loop, needs)), done.cancelled() or done.exception()))
    try:
        async with asyncio.timeout(ACCESS_PATIENCE):
            return await asyncio.shield(reading)
    except TimeoutError:
        raise OperatorError(f"{needs.headers or needs.ca} cannot be read within {ACCESS_PATIENCE:g} s") from None


def read_access(needs: Needs) -> Access:
    """Read the files. Raises OperatorError as above."""
    headers = parse_headers(_secret(needs.headers), needs.headers) if needs.headers else ()
    return Access(headers, _authority(needs.ca) if needs.ca else "")


def parse_headers(data: bytes, path: str) -> tuple[tuple[str, str], ...]:
    """Lines of `Name: value`; empty ones, and those that begin with `#`, say nothing. Raises OperatorError.

    A line is called by its number only: the token may stand where its name should.
    """
    found: dict[str, tuple[str, str]] = {}
    for number, raw in enumerate(data.split(b"\n"), 1):
        line = raw.decode("ascii", "replace").strip(" \t")
        if not line or line.startswith("#"):
            continue
        name, colon, value = line.partition(":")
        value = value.strip(" \t")
        problem = ""
        if not colon or not _NAME.fullmatch(name):
            problem = "is not `Name: value`"
        elif not _VALUE.fullmatch(value):
            problem = "has no value, or one with other characters than those of ASCII that can be seen (line ends: LF)"
        elif name.lower() in _OURS:
            problem = "has a header that ollama-locate must set itself"
        elif name.lower() in found:
            problem = "has a header that stands there already"
        elif len(found) == HEADERS_MAX:
            problem = f"is one too many: at most {HEADERS_MAX} headers"
        if problem:
            raise OperatorError(f"{path}:{number} {problem}")
        found[name.lower()] = name, value
    if not found:
        raise OperatorError(f"{path} holds no header; write one a line: Authorization: Bearer ...")
    return tuple(found.values())


def _secret(path: str) -> bytes:
    data, info = _read(path, HEADERS_MAX_BYTES, os.O_NOFOLLOW)
    _check_owner(path, info)
    if info.st_mode & _OTHERS_READ:
        raise OperatorError(f"{path} holds a secret, and others may read or write it; chmod 600 '{path}'")
    return data


def _authority(path: str) -> str:
    data, info = _read(path, CA_MAX_BYTES, 0)
    _check_owner(path, info)
    if info.st_mode & _OTHERS_WRITE:
        raise OperatorError(f"others can write {path}: it is not believed; chmod go-w '{path}'")
    try:
        text = data.decode("ascii", "ignore").strip()  # comments between the certificates may be in any language
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ValueError, ssl.SSLError):
        raise OperatorError(f"{path} is no certificate of an authority (PEM: -----BEGIN CERTIFICATE-----)") from None
    return text


def _check_owner(path: str, info: os.stat_result) -> None:
    if not is_believed(info):
        raise OperatorError(f"{path} belongs to uid {info.st_uid}, not to you: it is not believed")


def _read(path: str, limit: int, more: int) -> tuple[bytes, os.stat_result]:
    """A regular file's bytes, of which there are at most `limit`; a pipe or a device is not waited for."""
    try:
        fd = os.open(os.path.expanduser(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | more)  # noqa: PTH111 - raises without a home
        with os.fdopen(fd, "rb") as file:
            info = os.fstat(fd)
            if not stat.S_ISREG(info.st_mode):
                raise OperatorError(f"{path} is no regular file")
            data = file.read(limit + 1)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise OperatorError(f"{path} is a symbolic link; name the file itself") from None
        raise OperatorError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > limit:
        raise OperatorError(f"{path} is larger than {limit // 1024} KiB: it is another file than was meant")
    return data, info
