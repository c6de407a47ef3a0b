"""A pin: the one server that the user wants, whatever is found. It lies in pin.json, and survives a restart."""

from typing import Final
from urllib.parse import urlsplit

import msgspec

from .believed import read_back
from .bounds import SCHEMA
from .constants import OLLAMA_PORT
from .server import http_url, parse_prefix
from .text import is_value, shown
from .trust import StaticServer

NAME: Final = "pinned"
LATEST: Final = 4_102_444_800.0
"""The year 2100, in epoch seconds."""


class Pin(msgspec.Struct, frozen=True, gc=False):
    """`key` is the server's in state.json, None where a URL was pinned that is no server's; `until` epoch seconds."""

    name: str
    url: str
    key: str | None = None
    until: float | None = None
    schema: int = SCHEMA

    def static(self) -> StaticServer | None:
        """The server that a pinned URL stands for; its owner typed it, as one of the config's."""
        if self.key is not None:
            return None
        return split_url(self.url)


_DECODER = msgspec.json.Decoder(Pin)


def parse_pin(data: bytes) -> Pin:
    """What lies in pin.json. Raises ValueError with a sentence."""
    pin = read_back(_DECODER, data)
    if pin.until is not None and not 0.0 <= pin.until <= LATEST:
        raise ValueError(f"its end, {pin.until:g}, is no time")
    url = split_url(pin.url).url
    key = None if pin.key == f"static:{NAME}" else pin.key
    return msgspec.structs.replace(pin, name=shown(pin.name, 64) or NAME, url=url, key=key)


def render_pin(pin: Pin) -> bytes:
    """The content of pin.json."""
    return msgspec.json.encode(pin) + b"\n"


def split_url(url: str) -> StaticServer:
    """The server that a URL means. Raises ValueError with a sentence."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or (443 if parts.scheme == "https" else OLLAMA_PORT)
    except ValueError as error:
        raise ValueError(f"`{shown(url)}` is no URL: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"`{shown(url)}` must be a URL such as http://100.64.0.2:11434")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError(f"`{shown(url)}`: a URL without a login and a query is needed")
    try:
        prefix = parse_prefix(parts.path)
    except ValueError as error:
        raise ValueError(f"`{shown(url, 100)}` is no URL to pin: {error}") from None
    if not is_value(http_url(parts.hostname, port, parts.scheme) + prefix):
        raise ValueError(f"`{shown(url)}` has a host that cannot be used")
    return StaticServer(NAME, parts.hostname, port, tls=parts.scheme == "https", prefix=prefix)
