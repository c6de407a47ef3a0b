"""This machine's interfaces that are up, with their addresses; loopback and tunnels are not among them."""

import contextlib
import fcntl
import ipaddress
import socket
import struct
import sys
from typing import Final

import ifaddr

from ollama_locate.core.mdns import Interface, Link

_FLAGS: Final = 0xC0206911 if sys.platform == "darwin" else 0x8913
"""SIOCGIFFLAGS (sys/sockio.h, linux/sockios.h)."""

_UP, _LOOPBACK, _POINT_TO_POINT, _RUNNING = 0x1, 0x8, 0x10, 0x40
"""net/if.h, the same on both."""


def links() -> tuple[Link, ...]:
    """Those on which somebody may be heard: up, with a carrier, and no tunnel."""
    found = []
    for name, index, addresses in _adapters():
        flags = _flags(name)
        if flags & _UP and flags & _RUNNING and not flags & (_LOOPBACK | _POINT_TO_POINT):
            found.append(Link(name, index, addresses))
    return tuple(sorted(found, key=lambda one: one.index))


def own() -> frozenset[str]:
    """All addresses of this machine."""
    return frozenset(str(address.ip) for _, _, addresses in _adapters() for address in addresses)


def _adapters() -> list[tuple[str, int, tuple[Interface, ...]]]:
    found = []
    for adapter in ifaddr.get_adapters():
        texts = (f"{one.ip if one.is_IPv4 else one.ip[0]}/{one.network_prefix}" for one in adapter.ips)
        addresses = tuple(ipaddress.ip_interface(text.replace("%" + adapter.name, "")) for text in texts)
        found.append((adapter.name, adapter.index or 0, addresses))
    return found


def _flags(name: str) -> int:
    """The interface's flags; 0 of one that is gone meanwhile."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        answer = fcntl.ioctl(sock, _FLAGS, struct.pack("16sH14x", name.encode()[:15], 0))
        return int(struct.unpack_from("16xH", answer)[0])
    return 0
