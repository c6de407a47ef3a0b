"""Readers of the config's values: each takes what TOML gave, and raises ValueError with a sentence."""

import difflib
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from .bounds import COMMAND_DEADLINE, COMMAND_DEADLINE_MAX, COMMAND_DEADLINE_MIN, COMMANDS_MAX, VARIABLES_MAX
from .constants import OLLAMA_PORT
from .duration import duration
from .forward import Forward, parse_listen
from .names import may_be_set
from .on_change import Command
from .patterns import Network, Pattern, parse_network, parse_pattern
from .server import http_url
from .text import is_value, shown
from .trust import StaticServer

_STATIC_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}")
_WIDEST: Final = {4: 8, 6: 7}
_PLACEHOLDER: Final = re.compile(r"\{[^}]*\}")
_MARKS: Final = ("{url}", "{host}", "{port}", "{name}")


class AtError(ValueError):
    """A mistake at one key of a table."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = shown(key, 64)


def ports(value: object) -> tuple[int, ...]:
    """The ports to ask on each peer, each once."""
    if isinstance(value, int):
        raise ValueError(f"must be a list of ports; write [{value}]")
    if not isinstance(value, list) or not value:
        raise ValueError("must be a list of ports, such as [11434]")
    for port in value:
        if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 2**16:
            raise ValueError(f"`{shown(str(port))}` is no port (1 to 65535)")
    if len(value) > 16:  # noqa: PLR2004 - each port multiplies the probes on every peer
        raise ValueError("at most 16 ports: each is probed on every peer")
    return tuple(dict.fromkeys(value))


def bounded(least: float, most: float) -> Callable[[object], float]:
    """A reader of durations between two bounds, in seconds."""
    return lambda value: duration(value, least, most)


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        raise ValueError(f'must be a list; write ["{shown(value)}"]')
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError('must be a list of texts, such as ["gpu-box"]')
    return value


def patterns(value: object) -> tuple[Pattern, ...]:
    """Entries of `prefer`."""
    return tuple(parse_pattern(text) for text in _strings(value))


def who(value: object) -> tuple[Pattern, ...]:
    """Entries that name other machines."""
    if "local" in (texts := _strings(value)):
        raise ValueError('`local` stands in prefer only; whether this machine is used says `local = "off"`')
    return patterns(texts)


def allow(value: object) -> tuple[Pattern, ...]:
    """Entries that let somebody in: everybody is too many."""
    if "*" in _strings(value):
        raise ValueError("`*` would let in everybody's machines; name them, their tags or their users")
    return who(value)


def choice(*allowed: str) -> Callable[[object], str]:
    """A reader of one of these words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            close = difflib.get_close_matches(str(value), allowed, n=1)
            meant = f"; did you mean `{close[0]}`?" if close else ""
            raise ValueError(f"must be one of {', '.join(allowed)}, not {shown(repr(value))}{meant}")
        return value

    return read


def static(value: object) -> tuple[StaticServer, ...]:
    """The servers that are no peers."""
    if not isinstance(value, dict):
        raise ValueError('must be a table: [static] and then name = "http://host:11434"')
    return tuple(_static_server(name, url) for name, url in value.items())


def _static_server(name: str, url: object) -> StaticServer:
    if not _STATIC_NAME.fullmatch(name) or name == "local":
        raise AtError(name, "a name has letters, digits, `.`, `_` and `-`, and is not `local`")
    if not isinstance(url, str):
        raise AtError(name, f'must be a URL such as "http://host:11434", not {shown(repr(url))}')
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AtError(name, f"`{shown(url)}` is no URL: {error}") from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise AtError(name, f"`{shown(url)}` must begin with http:// or https:// and a host")
    if parts.username is not None or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise AtError(name, f"`{shown(url)}` may hold a host and a port only: no login, no path, no query")
    tls = parts.scheme == "https"
    if port is None and not tls:
        raise AtError(name, f"write the port: http://{shown(host)}:{OLLAMA_PORT}")
    if port == 0 or not is_value(http_url(host, 65535, parts.scheme)):
        raise AtError(name, f"`{shown(url)}` has a host or port that cannot be used")
    return StaticServer(name, host, port or 443, tls)


def variables(value: object) -> dict[str, str]:
    """Names and templates, OLLAMA_ENDPOINT first."""
    if not isinstance(value, dict):
        raise ValueError('must be a table: [variables] and then NAME = "{url}"')
    found = {"OLLAMA_ENDPOINT": "{url}"}
    for name, template in value.items():
        if not may_be_set(name):
            raise AtError(name, "this name cannot be set by ollama-locate")
        if name == "OLLAMA_ENDPOINT" and template != "{url}":
            raise AtError(name, 'is always "{url}"; give another form to another name')
        if not isinstance(template, str):
            raise AtError(name, 'must be a text such as "{url}"')
        unknown = [mark for mark in _PLACEHOLDER.findall(template) if mark not in _MARKS]
        if unknown or not is_value(expand(template, "http://[::1]:1", "gpu-box")):
            raise AtError(
                name,
                f"`{shown(template)}`: only {', '.join(_MARKS)}, letters, digits and : / . _ - [ ]",
            )
        found[name] = template
    if len(found) > VARIABLES_MAX:
        raise ValueError(f"at most {VARIABLES_MAX} variables: shells read them at every prompt")
    return found


def expand(template: str, url: str, name: str) -> str:
    """A variable's value: the template filled in; empty where it wants a name and the server's cannot be written."""
    if "{name}" in template and not is_value(name):
        return ""
    host, _, port = url.partition("://")[2].rpartition(":")
    filled = template.replace("{url}", url).replace("{host}", host).replace("{port}", port)
    return filled.replace("{name}", name)


def path(value: object) -> str:
    """An absolute path, or one below the home folder."""
    if not isinstance(value, str) or not value.startswith(("/", "~/")) or "\0" in value:
        raise ValueError(f"must be an absolute path, not {shown(repr(value))}")
    return value


def forward(value: object) -> Forward | None:
    """The stable address."""
    if not isinstance(value, dict):
        raise ValueError("must be a table: [forward]")
    for key in value:
        if key not in ("listen", "desktop"):
            raise AtError(key, "unknown key; there are listen and desktop")
    if "listen" not in value:
        raise ValueError('needs an address: listen = "127.0.0.1:11435"')
    try:
        host, port = parse_listen(value["listen"] if isinstance(value["listen"], str) else "")
    except ValueError as error:
        raise AtError("listen", str(error)) from None
    try:
        return Forward(host, port, desktop=yes_or_no(value.get("desktop", False)))
    except ValueError as error:
        raise AtError("desktop", str(error)) from None


def yes_or_no(value: object) -> bool:
    """A truth value: a text such as "false" would be true."""
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {shown(repr(value))}")
    return value


def networks(value: object) -> tuple[Network, ...]:
    """Networks in which a peer may be, none too wide."""
    found = tuple(parse_network(text) for text in _strings(value))
    for network in found:
        if network.prefixlen < _WIDEST[network.version]:
            raise ValueError(f"`{network}` is too wide to be trusted; at most a /{_WIDEST[network.version]}")
    return found


def metrics(value: object) -> str:
    """The path of the text file; node_exporter reads only those that end in .prom."""
    if not isinstance(value, dict):
        raise ValueError("must be a table: [metrics]")
    for key in value:
        if key != "textfile":
            raise AtError(key, "unknown key; there is textfile")
    if "textfile" not in value:
        raise ValueError('needs a path: textfile = "/var/lib/node_exporter/ollama_locate.prom"')
    try:
        found = path(value["textfile"])
    except ValueError as error:
        raise AtError("textfile", str(error)) from None
    if not found.endswith(".prom") or found.endswith("/.prom"):
        raise AtError("textfile", f"must end in a name such as ollama_locate.prom, not {shown(repr(found))}")
    return found


def on_change(value: object) -> tuple[Command, ...]:
    """The commands to run, in their order."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError('must be tables: [[on_change]] and then run = ["command", "word"]')
    if len(value) > COMMANDS_MAX:
        raise ValueError(f"at most {COMMANDS_MAX} commands; let one of them run the others")
    return tuple(_command(number, one) for number, one in enumerate(value, 1))


def _command(number: int, table: dict[str, object]) -> Command:
    for key in table:
        if key not in ("run", "timeout"):
            raise AtError(f"{number}.{key}", "unknown key; there are run and timeout")
    words = table.get("run")
    if isinstance(words, str):
        raise AtError(f"{number}.run", f'must be a list of words, as no shell reads it: run = ["{shown(words)}"]')
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise AtError(f"{number}.run", 'must be a list of words: run = ["notify-send", "another server"]')
    first = words[0]
    if any("\0" in word for word in words) or not first:
        raise AtError(f"{number}.run", "a word holds a NUL, or the first is empty: that cannot be run")
    if "/" in first and not first.startswith(("/", "~/")):
        raise AtError(f"{number}.run", f"must begin with an absolute path or a bare name, not {shown(repr(first))}")
    try:
        seconds = bounded(COMMAND_DEADLINE_MIN, COMMAND_DEADLINE_MAX)(table.get("timeout", f"{COMMAND_DEADLINE:g}s"))
    except ValueError as error:
        raise AtError(f"{number}.timeout", str(error)) from None
    return Command(tuple(words), seconds)
