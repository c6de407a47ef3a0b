"""The reader of `[[tailnet]]`: which tailscaleds this machine has, and how their machines are reached."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final

from .bounds import TAILNETS_MAX
from .config_values import AtError, allow, at
from .forward import parse_listen
from .net import Net
from .patterns import Pattern
from .socks5 import Proxy
from .text import shown

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,31}")
_KEYS: Final = ("name", "socket", "socks5", "allow")


def tailnets(value: object) -> tuple[Net, ...]:
    """The tailnets, in their order; each can be told from the others."""
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        raise ValueError('must be tables: [[tailnet]] and then name = "work"')
    if len(value) > TAILNETS_MAX:
        raise ValueError(f"at most {TAILNETS_MAX} tailnets: each is looked at on its own")
    found: list[Net] = []
    for number, table in enumerate(value, 1):
        net = _net(number, table)
        if len(value) > 1 and not net.name:
            raise AtError(str(number), 'of several tailnets each needs a name: name = "work"')
        for key in ("name", "socket", "socks5"):
            if _clash(key, net, found):
                raise AtError(
                    f"{number}.{key}" if key in table else str(number),
                    f"another tailnet has the same {key}; {_MEND[key]}",
                )
        found.append(net)
    return tuple(found)


_MEND: Final[Mapping[str, str]] = {
    "name": "give it a name of its own",
    "socket": "each tailscaled has its own (without one it is the system's)",
    "socks5": "each proxy leads into one tailnet",
}


def _clash(key: str, net: Net, others: list[Net]) -> bool:
    if key == "socks5" and net.socks5 is None:
        return False
    return any(_comparable(key, net) == _comparable(key, other) for other in others)


def _comparable(key: str, net: Net) -> object:
    value = getattr(net, key)
    return value.lower() if key == "name" else value


def _net(number: int, table: Mapping[str, object]) -> Net:
    for key in table:
        if key not in _KEYS:
            raise AtError(f"{number}.{key}", f"unknown key; there are {', '.join(_KEYS)}")
    return Net(
        _name(number, table.get("name", "")),
        _socket(number, table.get("socket", "")),
        _socks5(number, table.get("socks5")),
        _allow(number, table),
    )


def _name(number: int, value: object) -> str:
    if value != "" and (not isinstance(value, str) or not _NAME.fullmatch(value) or value in ("local", "static")):
        raise AtError(f"{number}.name", "a name has letters, digits, `_` and `-`, and is not `local` or `static`")
    return str(value)


def _socket(number: int, value: object) -> str:
    if value != "" and (not isinstance(value, str) or not value.startswith("/") or "\0" in value):
        raise AtError(f"{number}.socket", f"must be an absolute path, not {shown(repr(value))}")
    return str(value)


def _socks5(number: int, value: object) -> Proxy | None:
    """What it is told goes to whoever listens there: on this machine that is the user's own choice."""
    if value is None:
        return None
    try:
        host, port = parse_listen(value if isinstance(value, str) else "")
    except ValueError as error:
        raise AtError(f"{number}.socks5", str(error).replace("11435", "1055")) from None
    if not ip_address(host).is_loopback:
        raise AtError(f"{number}.socks5", f"{shown(host)} is not this machine: the proxy must be at 127.0.0.1 or ::1")
    return host, port


def _allow(number: int, table: Mapping[str, object]) -> tuple[Pattern, ...] | None:
    return at(f"{number}.allow", allow, table["allow"]) if "allow" in table else None
