"""The proxies of the environment, and whether one would catch what is meant for the tailnet."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from .text import shown

_PROXIES: Final = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


class Caught(NamedTuple):
    """The variable that names the proxy, and the proxy without its password, safe to show."""

    variable: str
    proxy: str


def catches(environment: Mapping[str, str], host: str) -> Caught | None:
    """The proxy by which programs would ask this host over http; None: they ask it directly.

    Names of a few letters in either case are read, the lower case first, as most programs do (curl: man page,
    ENVIRONMENT; Python: urllib.request.getproxies_environment).
    """
    if covered(environment.get("no_proxy") or environment.get("NO_PROXY") or "", host):
        return None
    for variable in _PROXIES:
        if proxy := environment.get(variable):
            return Caught(variable, _shown(proxy))
    return None


def covered(no_proxy: str, host: str) -> bool:
    """Whether NO_PROXY names this host: itself, a range that it lies in, a domain that it ends in, or all."""
    return any(_names(entry, host.lower()) for entry in no_proxy.lower().replace(",", " ").split())


def _names(entry: str, host: str) -> bool:
    if entry in ("*", host):
        return True
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        pass
    name = entry.partition(":")[0].lstrip("*").lstrip(".")
    return bool(name) and (host == name or host.endswith("." + name))


def _shown(proxy: str) -> str:
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "not a URL"
    return shown(f"{parts.scheme}://{parts.hostname or ''}{port}")
