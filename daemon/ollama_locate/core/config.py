"""The config file: bytes in, a checked `Config` out. Every mistake names the file, the line and the mend."""

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final
from urllib.parse import urlsplit

from .constants import (
    INTERVAL,
    INTERVAL_MAX,
    INTERVAL_MIN,
    OLLAMA_PORT,
    TIMEOUT,
    TIMEOUT_MAX,
    TIMEOUT_MIN,
    VARIABLES_MAX,
)
from .duration import duration
from .errors import ConfigError
from .forward import Forward, parse_listen
from .names import may_be_set
from .patterns import Network, Pattern, parse_network, parse_pattern
from .pin import Pin
from .selection import Local
from .server import http_url
from .text import is_value, shown
from .track import Settings
from .trust import Policy, StaticServer

LOG_LEVELS: Final = ("debug", "info", "warning", "error")
_STATIC_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}")
_WIDEST: Final = {4: 8, 6: 7}
_PLACEHOLDER: Final = re.compile(r"\{[^}]*\}")
_MARKS: Final = ("{url}", "{host}", "{port}", "{name}")


@dataclass(frozen=True)
class Config:
    """All settings, read. Durations are seconds. `sources` says where each value came from.

    `variables` maps a name to its template; OLLAMA_ENDPOINT is always among them.
    """

    ports: tuple[int, ...] = (OLLAMA_PORT,)
    interval: float = INTERVAL
    timeout: float = TIMEOUT
    prefer: tuple[Pattern, ...] = ()
    local: Local = Local.AUTO
    allow: tuple[Pattern, ...] = ()
    deny: tuple[Pattern, ...] = ()
    trusted_networks: tuple[Network, ...] = ()
    static: tuple[StaticServer, ...] = ()
    variables: Mapping[str, str] = field(default_factory=lambda: {"OLLAMA_ENDPOINT": "{url}"})
    tailscale: str = ""
    tailscale_socket: str = ""
    sentinel: bool = True
    history: bool = True
    forward: Forward | None = None
    log_level: str = "info"
    raw: Mapping[str, object] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def settings(self, pin: Pin | None = None) -> Settings:
        """What of this, and of a pin, the core decides by."""
        pinned = pin.static() if pin is not None else None
        if pinned is not None and self.forward is not None and self.forward.is_at(pinned.host, pinned.port):
            pinned = None  # each request would come back
        policy = Policy(
            self.ports,
            self.prefer,
            self.allow,
            self.deny,
            self.trusted_networks,
            (*self.static, pinned) if pinned else self.static,
            use_local=self.local is not Local.OFF,
            check_self=self.local is Local.AUTO,
        )
        return Settings(policy, self.interval, self.local, timeout=self.timeout, sentinel=self.sentinel, pin=pin)


KEYS: Final = tuple(f.name for f in fields(Config) if f.name not in ("raw", "sources", "warnings"))


def parse_config(data: bytes, path: str) -> Config:
    """Read the file's bytes; `path` is for messages and sources. Raises ConfigError with one line."""
    try:
        text = data.decode()
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # tomllib lets a bare ValueError through for huge numbers
        raise ConfigError(f"{path}: not valid TOML: {shown(str(error))}") from None
    lines = _lines(text)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for key, value in table.items():
        if key not in KEYS:
            raise ConfigError(f"{_place(path, lines, key)}: unknown key `{shown(key, 64)}`{_meant(key)}")
        sources[key] = _place(path, lines, key)
        try:
            values[key] = _READERS[key](value)
        except _AtError as error:
            raise ConfigError(
                f"{_place(path, lines, key, error.key)}: {key}.{error.key}: {shown(str(error))}"
            ) from None
        except ValueError as error:
            raise ConfigError(f"{sources[key]}: {key}: {shown(str(error))}") from None
    config = Config(**values, raw=table, sources=sources)
    if config.forward is not None and (problem := _loop(config, config.forward)):
        raise ConfigError(f"{_place(path, lines, 'forward', 'listen')}: forward.listen: {problem}")
    return replace(config, warnings=_warnings(config))


def _loop(config: Config, forward: Forward) -> str:
    """Why requests to the forward would come back to it, empty if they would not."""
    if forward.port in config.ports:
        return f"port {forward.port} is where Ollama itself is looked for (`ports`); use another one"
    name = next((one.name for one in config.static if forward.is_at(one.host, one.port)), None)
    return f"the static server `{shown(name)}` is this very address" if name else ""


class _AtError(ValueError):
    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = shown(key, 64)


def _lines(text: str) -> dict[str, int]:
    """Where each key stands: `key` and `table.key` -> line, counted from 1. For messages only."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*[\"']?([^\]\"']+)[\"']?\s*\]", line):
            table = header[1].strip() + "."
            found.setdefault(table[:-1], number)
        elif key := re.match(r"\s*[\"']?([A-Za-z0-9_.\-]+)[\"']?\s*=", line):
            found.setdefault(table + key[1], number)
    return found


def _place(path: str, lines: Mapping[str, int], *keys: str) -> str:
    for name in (".".join(keys), keys[0]):
        if name in lines:
            return f"{path}:{lines[name]}"
    return path


def _meant(key: str) -> str:
    close = difflib.get_close_matches(key, KEYS, n=1)
    return f"; did you mean `{close[0]}`?" if close else f"; the keys are {', '.join(KEYS)}"


def _ports(value: object) -> tuple[int, ...]:
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


def _duration(least: float, most: float) -> Callable[[object], float]:
    return lambda value: duration(value, least, most)


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        raise ValueError(f'must be a list; write ["{shown(value)}"]')
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError('must be a list of texts, such as ["gpu-box"]')
    return value


def _patterns(value: object) -> tuple[Pattern, ...]:
    return tuple(parse_pattern(text) for text in _strings(value))


def _who(value: object) -> tuple[Pattern, ...]:
    if "local" in (texts := _strings(value)):
        raise ValueError('`local` stands in prefer only; whether this machine is used says `local = "off"`')
    return _patterns(texts)


def _allow(value: object) -> tuple[Pattern, ...]:
    if "*" in _strings(value):
        raise ValueError("`*` would let in everybody's machines; name them, their tags or their users")
    return _who(value)


def _choice(*allowed: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            close = difflib.get_close_matches(str(value), allowed, n=1)
            meant = f"; did you mean `{close[0]}`?" if close else ""
            raise ValueError(f"must be one of {', '.join(allowed)}, not {shown(repr(value))}{meant}")
        return value

    return read


def _static(value: object) -> tuple[StaticServer, ...]:
    if not isinstance(value, dict):
        raise ValueError('must be a table: [static] and then name = "http://host:11434"')
    return tuple(_static_server(name, url) for name, url in value.items())


def _static_server(name: str, url: object) -> StaticServer:
    if not _STATIC_NAME.fullmatch(name) or name == "local":
        raise _AtError(name, "a name has letters, digits, `.`, `_` and `-`, and is not `local`")
    if not isinstance(url, str):
        raise _AtError(name, f'must be a URL such as "http://host:11434", not {shown(repr(url))}')
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _AtError(name, f"`{shown(url)}` is no URL: {error}") from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise _AtError(name, f"`{shown(url)}` must begin with http:// or https:// and a host")
    if parts.username is not None or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise _AtError(name, f"`{shown(url)}` may hold a host and a port only: no login, no path, no query")
    tls = parts.scheme == "https"
    if port is None and not tls:
        raise _AtError(name, f"write the port: http://{shown(host)}:{OLLAMA_PORT}")
    if port == 0 or not is_value(http_url(host, 65535, parts.scheme)):
        raise _AtError(name, f"`{shown(url)}` has a host or port that cannot be used")
    return StaticServer(name, host, port or 443, tls)


def _variables(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError('must be a table: [variables] and then NAME = "{url}"')
    found = {"OLLAMA_ENDPOINT": "{url}"}
    for name, template in value.items():
        if not may_be_set(name):
            raise _AtError(name, "this name cannot be set by ollama-locate")
        if name == "OLLAMA_ENDPOINT" and template != "{url}":
            raise _AtError(name, 'is always "{url}"; give another form to another name')
        if not isinstance(template, str):
            raise _AtError(name, 'must be a text such as "{url}"')
        unknown = [mark for mark in _PLACEHOLDER.findall(template) if mark not in _MARKS]
        if unknown or not is_value(expand(template, "http://[::1]:1", "gpu-box")):
            raise _AtError(
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


def _path(value: object) -> str:
    if not isinstance(value, str) or not value.startswith(("/", "~/")) or "\0" in value:
        raise ValueError(f"must be an absolute path, not {shown(repr(value))}")
    return value


def _forward(value: object) -> Forward | None:
    if not isinstance(value, dict):
        raise ValueError("must be a table: [forward]")
    for key in value:
        if key not in ("listen", "desktop"):
            raise _AtError(key, "unknown key; there are listen and desktop")
    if "listen" not in value:
        raise ValueError('needs an address: listen = "127.0.0.1:11435"')
    try:
        host, port = parse_listen(value["listen"] if isinstance(value["listen"], str) else "")
    except ValueError as error:
        raise _AtError("listen", str(error)) from None
    try:
        return Forward(host, port, desktop=_yes_or_no(value.get("desktop", False)))
    except ValueError as error:
        raise _AtError("desktop", str(error)) from None


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {shown(repr(value))}")
    return value


def _networks(value: object) -> tuple[Network, ...]:
    found = tuple(parse_network(text) for text in _strings(value))
    for network in found:
        if network.prefixlen < _WIDEST[network.version]:
            raise ValueError(f"`{network}` is too wide to be trusted; at most a /{_WIDEST[network.version]}")
    return found


def _warnings(config: Config) -> tuple[str, ...]:
    found, variables = [], config.variables
    if config.forward is not None and config.forward.open:
        found.append(
            f"forward.listen: every machine that can reach {config.forward.host} can use your servers through it"
        )
    if "OPENAI_BASE_URL" in variables:
        found.append(
            "OPENAI_BASE_URL sends every OpenAI client of this machine, with its OpenAI key, to the chosen server"
        )
    if "OLLAMA_HOST" in variables:
        found.append("OLLAMA_HOST is also where `ollama serve` listens: set it only where this machine runs no Ollama")
    return tuple(found)


_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    "ports": _ports,
    "interval": _duration(INTERVAL_MIN, INTERVAL_MAX),
    "timeout": _duration(TIMEOUT_MIN, TIMEOUT_MAX),
    "prefer": _patterns,
    "local": lambda value: Local(_choice(*(one.value for one in Local))(value)),
    "allow": _allow,
    "deny": _who,
    "trusted_networks": _networks,
    "static": _static,
    "variables": _variables,
    "tailscale": _path,
    "tailscale_socket": _path,
    "sentinel": _yes_or_no,
    "history": _yes_or_no,
    "forward": _forward,
    "log_level": _choice(*LOG_LEVELS),
}
