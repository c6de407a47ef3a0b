"""`ollama-locate config`: every setting, its value, and where that came from."""

import argparse
from typing import Any

import msgspec

from ollama_locate.core.bounds import SCHEMA
from ollama_locate.core.config import KEYS, Config
from ollama_locate.core.config_models import Models
from ollama_locate.core.duration import written
from ollama_locate.core.feed import Feed
from ollama_locate.core.mdns import OFF
from ollama_locate.core.net import Net
from ollama_locate.core.server import NOTHING, authority, http_url
from ollama_locate.core.trust import StaticServer
from ollama_locate.edge.folders import reader_config

from .show import line, note, table
from .state import config


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser("config", help="every setting, and where it came from")
    words.add_argument("--json", action="store_true", help="the same as data")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print them; a broken config is said with its line, and exits 1."""
    now = config()
    path = reader_config()
    rows = [(key, values(now)[key], now.sources.get(key, "default")) for key in KEYS]
    if args.json:
        settings = {key: {"value": value, "source": source} for key, value, source in rows}
        print(msgspec.json.encode({"schema": SCHEMA, "file": str(path), "settings": settings}).decode())
        return 0
    line(f"# {path}" + ("" if path.exists() else " (not there: all defaults)"))
    table(
        ("KEY", "VALUE", "FROM"),
        [(key, msgspec.json.encode(value).decode(), source) for key, value, source in rows],
    )
    for warning in now.warnings:
        note(f"warning: {warning}")
    return 0


def values(config: Config) -> dict[str, object]:
    """The settings as TOML would have them."""
    return {
        "ports": config.ports,
        "interval": f"{config.interval:g}s",
        "timeout": f"{config.timeout:g}s",
        "prefer": [pattern.text for pattern in config.prefer],
        "local": config.local.value,
        "allow": [pattern.text for pattern in config.allow],
        "deny": [pattern.text for pattern in config.deny],
        "trusted_networks": [str(network) for network in config.trusted_networks],
        "static": {one.name: _static(one) for one in config.static},
        "variables": dict(config.variables),
        "tailscale": config.tailscale,
        "tailscale_socket": config.tailscale_socket,
        "machines": config.machines,
        "tailnet": [_tailnet(net) for net in config.tailnet],
        "sentinel": config.sentinel,
        "history": config.history,
        "forward": _forward(config),
        "mdns": _mdns(config),
        "metrics": {"textfile": config.metrics} if config.metrics else {},
        "models": _models(config.models),
        "rank": config.rank.value,
        "on_change": [{"run": one.words, "timeout": written(one.seconds)} for one in config.on_change],
        "feed": [_feed(one) for one in config.feed],
        "log_level": config.log_level,
    }


def _static(server: StaticServer) -> object:
    """A URL, or a table with the paths of files; what stands in those is nobody's to print."""
    needs = server.needs
    if needs == NOTHING:
        return server.url
    table = {
        "url": server.url,
        "ca": needs.ca,
        "headers": needs.headers,
        "publish": needs.publish,
        "forward": needs.forward,
    }
    return {key: value for key, value in table.items() if value}


def _tailnet(net: Net) -> dict[str, object]:
    """What the config says of it."""
    found: dict[str, object] = {"name": net.name, "socket": net.socket}
    if net.socks5 is not None:
        found["socks5"] = authority(*net.socks5)
    if net.allow is not None:
        found["allow"] = [pattern.text for pattern in net.allow]
    return {key: value for key, value in found.items() if value != ""}


def _models(models: Models) -> dict[str, object]:
    return {
        "no_pull": [pattern.text for pattern in models.no_pull],
        "require": list(models.require),
        "alias": dict(models.alias),
        "cloud": models.cloud,
    }


def _forward(config: Config) -> dict[str, object]:
    forward = config.forward
    if forward is None:
        return {}
    return {"listen": http_url(forward.host, forward.port).partition("://")[2], "desktop": forward.desktop}


def _feed(feed: Feed) -> dict[str, object]:
    command = feed.command
    hook = {"run": command.words, "timeout": written(command.seconds)} if command is not None else {}
    return {"format": feed.format.value, "file": feed.file, **hook}


def _mdns(config: Config) -> dict[str, object]:
    mdns = config.mdns
    if mdns == OFF:
        return {}
    return {
        "browse": mdns.browse,
        "services": mdns.services,
        "interfaces": mdns.interfaces,
        "allow": [pattern.text for pattern in mdns.allow],
        "advertise": mdns.advertise,
    }
