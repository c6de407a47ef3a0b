"""Readers of the config's values: each takes what TOML gave, and raises ValueError with a sentence."""

import difflib
import re
from collections.abc import Callable
from typing import Final, TypeVar

from .bounds import VARIABLES_MAX
from .constants import MACHINES_MAX
from .duration import duration
from .forward import Forward, parse_listen
from .names import may_be_set
from .patterns import Network, Pattern, parse_network, parse_pattern
from .server import authority_of, port_of, prefix_of
from .text import is_value, shown

T = TypeVar("T")
_WIDEST: Final = {4: 8, 6: 7}
_PLACEHOLDER: Final = re.compile(r"\{[^}]*\}")
_MARKS: Final = ("{url}", "{host}", "{port}", "{name}")


class AtError(ValueError):
    """A mistake at one key of a table."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = shown(key, 80)


def at(key: str, read: Callable[[object], T], value: object) -> T:
    """Read a value of a table; what is wrong with it is said at its key."""
    try:
        return read(value)
    except ValueError as error:
        raise AtError(key, str(error)) from None


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


def strings(value: object) -> list[str]:
    """A list of texts."""
    if isinstance(value, str):
        raise ValueError(f'must be a list; write ["{shown(value)}"]')
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError('must be a list of texts, such as ["gpu-box"]')
    return value


def patterns(value: object) -> tuple[Pattern, ...]:
    """Entries of `prefer`."""
    return tuple(parse_pattern(text) for text in strings(value))


def who(value: object) -> tuple[Pattern, ...]:
    """Entries that name other machines."""
    if "local" in (texts := strings(value)):
        raise ValueError('`local` stands in prefer only; whether this machine is used says `local = "off"`')
    if "mdns" in texts:
        raise ValueError("`mdns` stands in prefer only; whom to use of the LAN says `allow` of [mdns]")
    return patterns(texts)


def allow(value: object) -> tuple[Pattern, ...]:
    """Entries that let somebody in: everybody is too many."""
    if "*" in strings(value):
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
    """A variable's value: the template filled in; empty where it wants a name and the server's cannot be written.

    Empty as well where an address is put together from its parts and would lose the path that belongs to it.
    """
    if ("{name}" in template and not is_value(name)) or ("{port}" in template and prefix_of(url)):
        return ""
    authority = authority_of(url)
    filled = template.replace("{url}", url).replace("{host}", authority.rpartition(":")[0])
    return filled.replace("{port}", port_of(url)).replace("{name}", name)


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
    host, port = at("listen", _listen, value["listen"])
    return Forward(host, port, desktop=at("desktop", yes_or_no, value.get("desktop", False)))


def _listen(value: object) -> tuple[str, int]:
    return parse_listen(value if isinstance(value, str) else "")


def machines(value: object) -> int:
    """How many machines may ask the same servers; 0: as many as are seen."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MACHINES_MAX:
        raise ValueError(f"must be a number from 0 to {MACHINES_MAX:,}")
    return value


def yes_or_no(value: object) -> bool:
    """A truth value: a text such as "false" would be true."""
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {shown(repr(value))}")
    return value


def networks(value: object) -> tuple[Network, ...]:
    """Networks in which a peer may be, none too wide."""
    found = tuple(parse_network(text) for text in strings(value))
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
    found = at("textfile", path, value["textfile"])
    if not found.endswith(".prom") or found.endswith("/.prom"):
        raise AtError("textfile", f"must end in a name such as ollama_locate.prom, not {shown(repr(found))}")
    return found
