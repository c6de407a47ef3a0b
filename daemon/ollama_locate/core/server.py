"""A server: one place where an Ollama may listen."""

from enum import Enum
from ipaddress import ip_address

import msgspec

from .net import Proxy


class Kind(Enum):
    """Where a server comes from."""

    PEER = "peer"
    """A node of the tailnet."""
    LOCAL = "local"
    """This machine, probed at 127.0.0.1."""
    STATIC = "static"
    """From the config; trusted because its owner typed it."""
    SELF_CHECK = "self_check"
    """This machine at its own tailnet address: never chosen, it only shows that we serve the tailnet."""


class Server(msgspec.Struct, frozen=True, gc=False):
    """One place to probe. `host` is where to connect, `url` what is published, `name` safe to show.

    `tier` is the place in the user's order, 0 the first; None on this machine where `prefer` does not
    name it. `online` and `path` are hints of the control plane. `net` names its tailnet where there are several;
    `proxy` is what leads to it where the kernel does not.
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
    net: str = ""
    proxy: Proxy | None = None

    @property
    def loopback(self) -> bool:
        """Whether an answer proves nothing of any network."""
        if self.kind is Kind.STATIC:
            return _is_loopback(self.host)
        return self.kind is not Kind.PEER


def _is_loopback(host: str) -> bool:
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


def host_of(url: str) -> str:
    """The host of a server's URL, without brackets."""
    return url.partition("://")[2].rpartition(":")[0].strip("[]")
