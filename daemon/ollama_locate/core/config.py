"""The config file: bytes in, a checked `Config` out. Every mistake names the file, the line and the mend."""

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from . import config_commands
from . import config_lan as lan
from . import config_values as read
from .command import Command
from .config_models import Models, models
from .config_static import static
from .config_tailnets import tailnets
from .constants import INTERVAL, INTERVAL_MAX, INTERVAL_MIN, OLLAMA_PORT, TIMEOUT, TIMEOUT_MAX, TIMEOUT_MIN
from .errors import ConfigError
from .feed import Feed
from .forward import Forward
from .mdns import OFF, Mdns
from .net import Net
from .patterns import Network, Pattern
from .pin import Pin
from .selection import Local, Rank
from .server import NOTHING, Needs
from .speed import Speed
from .text import shown
from .track import Settings
from .trust import Policy, StaticServer, static_key

LOG_LEVELS: Final = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class Config:
    """All settings, read. Durations are seconds. `sources` says where each value came from.

    `variables` maps a name to its template; OLLAMA_ENDPOINT is always among them. `metrics` is a path, empty: none.
    `machines`: how many may ask the same servers, 0: as many as are seen.
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
    machines: int = 0
    tailnet: tuple[Net, ...] = ()
    sentinel: bool = True
    history: bool = True
    forward: Forward | None = None
    mdns: Mdns = OFF
    metrics: str = ""
    models: Models = field(default_factory=Models)
    rank: Rank = Rank.RTT
    on_change: tuple[Command, ...] = ()
    feed: tuple[Feed, ...] = ()
    log_level: str = "info"
    raw: Mapping[str, object] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def needs(self, key: str) -> Needs:
        """What the server with this key wants besides its URL."""
        return next((one.needs for one in self.static if static_key(one.name) == key), NOTHING)

    @property
    def nets(self) -> tuple[Net, ...]:
        """The tailnets; where the config has none, the one that the tailscale command speaks of."""
        return self.tailnet or (Net(),)

    def bell(self, net: Net) -> str:
        """The socket on which a tailnet's tailscaled says that something has changed; empty: the system's."""
        return net.socket or self.tailscale_socket

    def settings(self, pin: Pin | None = None, speeds: tuple[Speed, ...] = ()) -> Settings:
        """What of this, of a pin, and of what was measured, the core decides by."""
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
            mdns=self.mdns,
            nets=self.nets,
        )
        return Settings(
            policy,
            self.interval,
            self.local,
            tuple((name,) for name in self.models.require),
            self.models.alias,
            cloud=self.models.cloud,
            timeout=self.timeout,
            sentinel=self.sentinel,
            pin=pin,
            speeds=speeds if self.rank is Rank.SPEED else (),
            machines=self.machines,
        )


@dataclass(frozen=True)
class Followed:
    """All that the user wants: the config, a pin, and what `models --bench` has measured."""

    config: Config
    pin: Pin | None = None
    speeds: tuple[Speed, ...] = ()

    def settings(self) -> Settings:
        """What of it decides."""
        return self.config.settings(self.pin, self.speeds)


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
        except read.AtError as error:
            raise ConfigError(
                f"{_place(path, lines, key, error.key)}: {key}.{error.key}: {shown(str(error))}"
            ) from None
        except ValueError as error:
            raise ConfigError(f"{sources[key]}: {key}: {shown(str(error))}") from None
    config = Config(**values, raw=table, sources=sources)
    if config.forward is not None and (problem := _loop(config, config.forward)):
        raise ConfigError(f"{_place(path, lines, 'forward', 'listen')}: forward.listen: {problem}")
    if config.tailnet and config.tailscale_socket:
        raise ConfigError(f"{sources['tailscale_socket']}: tailscale_socket: say it as `socket` under [[tailnet]]")
    return replace(config, warnings=_warnings(config))


def _loop(config: Config, forward: Forward) -> str:
    """Why requests to the forward would come back to it, empty if they would not."""
    if forward.port in config.ports:
        return f"port {forward.port} is where Ollama itself is looked for (`ports`); use another one"
    if any(net.socks5 == (forward.host, forward.port) for net in config.tailnet):
        return "this is the address of the SOCKS5 proxy (`socks5`); use another port"
    name = next((one.name for one in config.static if forward.is_at(one.host, one.port)), None)
    return f"the static server `{shown(name)}` is this very address" if name else ""


def _lines(text: str) -> dict[str, int]:
    """Where each key stands: `key`, `table.key`, of several `table.2.key` -> line, from 1 on. For messages only."""
    found: dict[str, int] = {}
    several: Counter[str] = Counter()
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[{1,2})\s*[\"']?([^\]\"']+)[\"']?\s*\]", line):
            name = header[2].strip()
            found.setdefault(name, number)
            found.setdefault(name.partition(".")[0], number)
            if header[1] == "[[":
                several[name] += 1
                name = f"{name}.{several[name]}"
                found.setdefault(name, number)
            table = name + "."
        elif key := re.match(r"\s*[\"']?([A-Za-z0-9_.:/\-]+)[\"']?\s*=", line):
            found.setdefault(table + key[1], number)
    return found


def _place(path: str, lines: Mapping[str, int], *keys: str) -> str:
    words = ".".join(keys)
    while words:
        if words in lines:
            return f"{path}:{lines[words]}"
        words = words.rpartition(".")[0]
    return path


def _meant(key: str) -> str:
    close = difflib.get_close_matches(key, KEYS, n=1)
    return f"; did you mean `{close[0]}`?" if close else f"; the keys are {', '.join(KEYS)}"


def _warnings(config: Config) -> tuple[str, ...]:
    found, variables = [], config.variables
    lent = [one.name for one in config.static if one.needs.headers and one.needs.forward]
    if config.forward is None:
        found += [f"static.{name}.forward: there is no stable address; [forward] opens one" for name in lent]
    elif config.forward.open:
        found.append(
            f"forward.listen: every machine that can reach {config.forward.host} can use your servers through it"
        )
        if lent:
            found.append(f"forward.listen: they use the headers of {', '.join(lent)} with it")
    if config.forward is None and any(net.socks5 is not None for net in config.tailnet):
        found.append("tailnet.socks5: programs reach what is behind the proxy by [forward] only, and there is none")
    if "OPENAI_BASE_URL" in variables:
        found.append(
            "OPENAI_BASE_URL sends every OpenAI client of this machine, with its OpenAI key, to the chosen server"
        )
    if "OLLAMA_HOST" in variables:
        found.append("OLLAMA_HOST is also where `ollama serve` listens: set it only where this machine runs no Ollama")
    return tuple(found)


_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    "ports": read.ports,
    "interval": read.bounded(INTERVAL_MIN, INTERVAL_MAX),
    "timeout": read.bounded(TIMEOUT_MIN, TIMEOUT_MAX),
    "prefer": read.patterns,
    "local": lambda value: Local(read.choice(*(one.value for one in Local))(value)),
    "allow": read.allow,
    "deny": read.who,
    "trusted_networks": read.networks,
    "static": static,
    "variables": read.variables,
    "tailscale": read.path,
    "tailscale_socket": read.path,
    "machines": read.machines,
    "tailnet": tailnets,
    "sentinel": read.yes_or_no,
    "history": read.yes_or_no,
    "forward": read.forward,
    "mdns": lan.mdns,
    "metrics": read.metrics,
    "models": models,
    "rank": lambda value: Rank(read.choice(*(one.value for one in Rank))(value)),
    "on_change": config_commands.on_change,
    "feed": config_commands.feeds,
    "log_level": read.choice(*LOG_LEVELS),
}
