"""The reader of `[mdns]`: what is looked for on the LAN, whom of it to believe, and what is said there."""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Final, TypeVar

from .config_values import AtError, at, networks, strings, yes_or_no
from .constants import LOOPBACK_RANGES, TAILNET_RANGES
from .mdns import OFF, Mdns
from .patterns import Form, Network, Pattern, parse_network, parse_pattern
from .text import shown

T = TypeVar("T")

_KEYS: Final = ("browse", "services", "interfaces", "allow", "advertise")
_SERVICES_MAX: Final = 8
_SERVICE: Final = re.compile(r"_[a-z0-9](?:[a-z0-9\-]{0,13}[a-z0-9])?\._tcp\.local\.")
_INTERFACE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,14}")
"""An interface's name has at most 15 bytes (linux/if.h)."""

_NEVER: Final = tuple(parse_network(text) for text in (*LOOPBACK_RANGES, *TAILNET_RANGES))


def mdns(value: object) -> Mdns:
    """The whole table."""
    if not isinstance(value, dict):
        raise ValueError("must be a table: [mdns]")
    for key in value:
        if key not in _KEYS:
            raise AtError(key, f"unknown key; there are {', '.join(_KEYS)}")
    return Mdns(
        _given(value, "browse", yes_or_no, OFF.browse),
        _given(value, "services", _services, OFF.services),
        _given(value, "interfaces", _interfaces, OFF.interfaces),
        _given(value, "allow", _allow, OFF.allow),
        _given(value, "advertise", yes_or_no, OFF.advertise),
    )


def _given(table: Mapping[str, object], key: str, read: Callable[[object], T], default: T) -> T:
    return at(key, read, table[key]) if key in table else default


def _services(value: object) -> tuple[str, ...]:
    """Types of services, in small letters with a dot at the end."""
    found = tuple(dict.fromkeys(f"{text.lower().rstrip('.')}." for text in strings(value)))
    for text in found:
        if not _SERVICE.fullmatch(text):
            raise ValueError(f'`{shown(text)}` is no type of service, such as "_ollama._tcp.local."')
    if not 0 < len(found) <= _SERVICES_MAX:
        raise ValueError(f"there must be 1 to {_SERVICES_MAX}: the LAN is asked for each")
    return found


def _interfaces(value: object) -> tuple[str, ...]:
    """Names, or addresses of this machine in plain form."""
    return tuple(map(_interface, strings(value)))


def _interface(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        if not _INTERFACE.fullmatch(text):
            raise ValueError(f'`{shown(text)}` is no interface or address, such as "eth0"') from None
    return text


def _allow(value: object) -> tuple[Pattern, ...]:
    """Names of hosts, addresses and networks of the LAN."""
    found = tuple(map(parse_pattern, strings(value)))
    for one in found:
        if one.form not in (Form.NAME, Form.NETWORK):
            raise ValueError(f"`{shown(one.text)}` says nothing on a LAN; write names, addresses or networks")
        if one.network is not None and any(_overlap(one.network, never) for never in _NEVER):
            raise ValueError(f"`{one.text}` is, or holds, what mDNS cannot say: this machine or the tailnet")
    networks([one.value for one in found if one.network is not None])
    return found


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)
