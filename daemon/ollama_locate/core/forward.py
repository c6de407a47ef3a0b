"""What the forward may do: who may talk to it, and which request may be asked twice."""

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from .server import http_url
from .text import is_value

_SAFE: Final = frozenset({b"GET", b"HEAD", b"OPTIONS"})
_ANSWERS: Final = (
    b"/api/generate",
    b"/api/chat",
    b"/api/embed",
    b"/api/embeddings",
    b"/api/show",
    b"/v1/chat/completions",
    b"/v1/completions",
    b"/v1/embeddings",
    b"/v1/responses",
    b"/v1/messages",
)
"""To ask a model again does no harm. To pull, push, create, copy or delete one is not done twice."""

_LOCAL_NAMES: Final = frozenset({"localhost"})


@dataclass(frozen=True, slots=True)
class Forward:
    """Where it listens; `desktop`: the address is put into the environment of desktop programs."""

    host: str
    port: int
    desktop: bool = False

    @property
    def url(self) -> str:
        """What programs use. Who listens everywhere is reached here as well."""
        address = ipaddress.ip_address(self.host)
        anywhere = "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004 - IPv4
        return http_url(anywhere if address.is_unspecified else self.host, self.port)

    def same_place(self, other: "Forward") -> bool:
        """Whether it listens where the other one does."""
        return (self.host, self.port) == (other.host, other.port)

    def is_at(self, host: str, port: int) -> bool:
        """Whether a server there is this very address."""
        if port != self.port:
            return False
        try:
            return host == self.host or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    @property
    def open(self) -> bool:
        """Whether other machines can reach it."""
        return not ipaddress.ip_address(self.host).is_loopback


def parse_listen(text: str) -> tuple[str, int]:
    """The IP address and port of `127.0.0.1:11435` or `[::1]:11435`. Raises ValueError with a sentence."""
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        number = int(port) if port.isascii() and port.isdigit() else 0
    except ValueError:
        raise ValueError('must be an IP address and a port, such as "127.0.0.1:11435"') from None
    if not is_value(str(address)):
        raise ValueError('must be an IP address without a zone, such as "127.0.0.1:11435"')
    if not 0 < number < 2**16:
        raise ValueError('must end in a port, such as "127.0.0.1:11435"')
    return str(address), number


def may_replay(method: bytes, target: bytes) -> bool:
    """Whether a request that got no byte of an answer may be asked of another server."""
    path = target.partition(b"?")[0].rstrip(b"/")
    return method in _SAFE or (method == b"POST" and path in _ANSWERS)


def is_own_host(host: str, forward: Forward) -> bool:
    """Whether a Host header names this forward, and not a website's name that was made to point here.

    Such a name is how a page in a browser reaches what listens on loopback (DNS rebinding). Other machines, where
    they are let in, use whatever address this one has.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in _LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return forward.open or address.is_loopback
