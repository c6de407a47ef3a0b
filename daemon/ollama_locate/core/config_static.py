"""The reader of `[static]`: servers that are no peers, each a URL, or a table for one behind a proxy."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from .config_values import AtError, at, path, yes_or_no
from .constants import OLLAMA_PORT, TAILNET_RANGES
from .patterns import parse_network
from .server import NOTHING, Needs, http_url, is_loopback, parse_prefix
from .text import is_value, shown
from .trust import StaticServer

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}")
_KEYS: Final = ("url", "ca", "headers", "publish", "forward")
_TAILNET: Final = tuple(parse_network(text) for text in TAILNET_RANGES)


def static(value: object) -> tuple[StaticServer, ...]:
    """The servers that are no peers. Raises AtError, or ValueError with a sentence."""
    if not isinstance(value, dict):
        raise ValueError('must be a table: [static] and then name = "http://host:11434"')
    return tuple(_server(name, one) for name, one in value.items())


def _server(name: str, value: object) -> StaticServer:
    if not _NAME.fullmatch(name) or name == "local":
        raise AtError(name, "a name has letters, digits, `.`, `_` and `-`, and is not `local`")
    if not isinstance(value, dict):
        return _url(name, name, value, NOTHING)
    for key in value:
        if key not in _KEYS:
            raise AtError(f"{name}.{key}", f"unknown key; there are {', '.join(_KEYS)}")
    if "url" not in value:
        raise AtError(name, 'needs a URL: url = "https://host/path"')
    paths = _path(name, "headers", value), _path(name, "ca", value)
    needs = Needs(*paths, publish=_truth(name, "publish", value), forward=_truth(name, "forward", value))
    found = _url(name, f"{name}.url", value["url"], needs)
    if needs.ca and not found.tls:
        raise AtError(f"{name}.ca", "only https has a certificate: the url must begin with https://")
    if needs.headers and not found.tls and not _is_private(found.host):
        raise AtError(
            f"{name}.headers",
            "they would travel in clear text: use https, or http with an IP address of this machine or of the tailnet",
        )
    return found


def _url(name: str, key: str, url: object, needs: Needs) -> StaticServer:
    if not isinstance(url, str):
        raise AtError(key, f'must be a URL such as "http://host:11434", not {shown(repr(url))}')
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        # What was typed may hold a login: it is not repeated.
        typed = "it" if "@" in url else f"`{shown(url)}`"
        raise AtError(key, f"{typed} is no URL" + ("" if "@" in url else f": {error}")) from None
    host, tls = parts.hostname or "", parts.scheme == "https"
    if parts.username is not None:
        raise AtError(key, "a URL holds no login; a token belongs into a file of its own, which `headers` names")
    if parts.scheme not in ("http", "https") or not host:
        raise AtError(key, f"`{shown(url)}` must begin with http:// or https:// and a host")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise AtError(key, "a host, a port and a path only: no query, no fragment")
    try:
        prefix = parse_prefix(_as_typed(url, parts))
    except ValueError as error:
        raise AtError(key, f"`{shown(url, 100)}`: {error}") from None
    if port is None and not tls:
        raise AtError(key, f"write the port: http://{shown(host)}:{OLLAMA_PORT}{prefix}")
    if port == 0 or not is_value(http_url(host, 65535, parts.scheme) + prefix):
        raise AtError(key, f"`{shown(url)}` has a host or port that cannot be used")
    return StaticServer(name, host, port or 443, tls, prefix, needs)


def _as_typed(url: str, parts: SplitResult) -> str:
    """The path before urlsplit dropped tabs and line ends from it."""
    return url.strip().partition("://")[2][len(parts.netloc) :]


def _path(name: str, key: str, table: dict[str, object]) -> str:
    return at(f"{name}.{key}", path, table[key]) if key in table else ""


def _truth(name: str, key: str, table: dict[str, object]) -> bool:
    return at(f"{name}.{key}", yes_or_no, table.get(key, False))


def _is_private(host: str) -> bool:
    """Whether what goes there is read by nobody on the way: this machine, or the tailnet, which encrypts."""
    if is_loopback(host):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in _TAILNET)
