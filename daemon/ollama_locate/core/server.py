"""A server: one place where an Ollama may listen."""

import re
from enum import Enum
from ipaddress import ip_address
from typing import Final

import msgspec

from .socks5 import Proxy
from .worded import Worded

_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9_\-][A-Za-z0-9_\-.]*)+")
_PREFIX_MAX: Final = 200
_NO_PREFIX: Final = frozenset({"v1", "api"})
"""What programs add themselves."""


class Kind(Enum):
    """Where a server comes from."""

    PEER = "peer"
    """A node of the tailnet."""
    LOCAL = "local"
    """This machine, probed at 127.0.0.1."""
    MDNS = "mdns"
    """Found on the LAN, and allowed by the config."""
    STATIC = "static"
    """From the config; trusted because its owner typed it."""
    SELF_CHECK = "self_check"
    """This machine at its own tailnet address: never chosen, it only shows that we serve the tailnet."""


class Needs(msgspec.Struct, frozen=True, gc=False):
    """What a static server wants besides its URL: the paths of two files, empty where it wants none.

    `headers` to send with each request; `ca`, the only authority that vouches for its certificate. `publish`: its URL
    may be published although programs would not send the headers. `forward`: the stable address may send them.
    """

    headers: str = ""
    ca: str = ""
    publish: bool = False
    forward: bool = False


NOTHING: Final = Needs()

Where = tuple[str, str, Proxy | None]


class Withheld(Worded):
    """Why a server's URL is not published as it is; the text is for a person."""

    NEEDS_HEADER = (
        "needs_header",
        "it needs a header that programs would not send (`forward` or `publish` in its table lets them use it)",
    )
    NEEDS_FORWARD = (
        "needs_forward",
        "only a SOCKS5 proxy leads to it: programs need the stable address, `[forward]` with `listen` in the config",
    )


class Server(msgspec.Struct, frozen=True, gc=False):
    """One place to probe. `host` is where to connect, `url` what is published, `name` safe to show.

    `tier` is the place in the user's order, 0 the first; None on this machine where `prefer` does not
    name it. `online` and `path` are hints of the control plane. `lan_name` is what a machine of the LAN calls itself.
    `net` names its tailnet where there are several; `socks5` is what leads to it where the kernel does not.
    """

    key: str
    name: str
    kind: Kind
    host: str
    port: int
    url: str
    tier: int | None = 0
    online: bool = True
    path: str = "unknown"
    tls: bool = False
    lan_name: str = ""
    needs: Needs = NOTHING
    net: str = ""
    socks5: Proxy | None = None

    @property
    def where(self) -> Where:
        """Where it is, and what leads there: an answer from another place says nothing of it."""
        return self.url, self.host, self.socks5

    @property
    def withheld(self) -> Withheld | None:
        """Why its URL is not published as it is: readers of the endpoint could not use it; None: it is."""
        if self.needs.headers and not self.needs.publish:
            return Withheld.NEEDS_HEADER
        return None if self.socks5 is None else Withheld.NEEDS_FORWARD

    def usable(self, *, forward: bool) -> bool:
        """Whether it may become the endpoint; `forward`: as the stable address, where it cannot be by its own URL."""
        if self.kind is Kind.SELF_CHECK:
            return False
        return self.withheld is None or (forward and self.withheld is Withheld.NEEDS_FORWARD)

    @property
    def forwardable(self) -> bool:
        """Whether the stable address may ask it; by its headers all who reach that address are the user."""
        return self.kind is not Kind.SELF_CHECK and (not self.needs.headers or self.needs.forward)

    @property
    def secret_in_clear(self) -> bool:
        """Whether headers go to it without TLS, so that nothing but the tailnet keeps them secret."""
        return bool(self.needs.headers) and not self.tls and not self.loopback

    @property
    def proxied(self) -> bool:
        """Whether something other than Ollama is sure to answer first: Ollama speaks no TLS and asks for no token."""
        return self.tls or bool(self.needs.headers or prefix_of(self.url))

    @property
    def loopback(self) -> bool:
        """Whether an answer proves nothing of any network."""
        if self.kind is Kind.STATIC:
            return is_loopback(self.host)
        return self.kind not in (Kind.PEER, Kind.MDNS)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its address or as `localhost`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def authority(host: str, port: int) -> str:
    """`IP:PORT`, with brackets round IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def http_url(host: str, port: int, scheme: str = "http") -> str:
    """`http://IP:PORT`, with brackets round IPv6, no slash at the end: the form every client reads."""
    return f"{scheme}://{authority(host, port)}"


def base_url(url: str) -> str:
    """A server's URL as it is published, of one that a program was given: without a slash or `/v1` at its end."""
    return url.rstrip("/").removesuffix("/v1")


def parse_prefix(path: str) -> str:
    """The path that goes before `/api`, without a slash at its end. Raises ValueError with a sentence.

    Every reader of the published files must take it as it is, and no server may read `..` in it.
    """
    prefix = path.rstrip("/")
    if not prefix:
        return ""
    if len(prefix) > _PREFIX_MAX or not _PREFIX.fullmatch(prefix):
        raise ValueError("its path may hold letters, digits, `.`, `_` and `-` between single slashes")
    if (last := prefix.rpartition("/")[2]) in _NO_PREFIX:
        raise ValueError(f"leave out `/{last}`: programs add it themselves")
    return prefix


def authority_of(url: str) -> str:
    """The host and port of a server's URL, as they stand there: what a Host header says."""
    return url.partition("://")[2].partition("/")[0]


def host_of(url: str) -> str:
    """The host of a server's URL, without brackets."""
    return authority_of(url).rpartition(":")[0].strip("[]")


def port_of(url: str) -> str:
    """The port of a server's URL."""
    return authority_of(url).rpartition(":")[2]


def prefix_of(url: str) -> str:
    """The path of a server's URL, empty where it has none."""
    return url.partition("://")[2][len(authority_of(url)) :]
