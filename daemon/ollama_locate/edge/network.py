"""The kernel's word that this machine's network changed: netlink on Linux, a routing socket on macOS."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable
from typing import Final

_GROUPS: Final = 0x10 | 0x40 | 0x100 | 0x400
"""RTMGRP_IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE (linux/rtnetlink.h)."""

_READ_AT_MOST: Final = 64
_BYTES: Final = 2**16
_FAR: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that belong to nobody (RFC 5737, RFC 3849); no packet is sent to them."""


class Network:
    """Calls `changed` after addresses or routes may have changed; often more than once for one event."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._sock: socket.socket | None = None

    def open(self) -> bool:
        """Begin to listen; False where the system does not tell."""
        try:
            self._sock = _listening()
        except OSError:
            return False
        if self._sock is None:
            return False
        self._sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
        asyncio.get_running_loop().add_reader(self._sock.fileno(), self._readable)
        return True

    def close(self) -> None:
        """Listen no more."""
        if self._sock is not None:
            asyncio.get_running_loop().remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _readable(self) -> None:
        """What it says is not read: it is compared what it led to. ENOBUFS says that there was too much of it."""
        with contextlib.suppress(OSError):
            for _ in range(_READ_AT_MOST):
                if self._sock is None or not self._sock.recv(_BYTES):
                    break
        self._changed()


def way_out() -> tuple[str, ...]:
    """The addresses from which this machine would send to the world: another way out is another network.

    Containers and virtual machines that come and go change routes, and not this.
    """
    found = []
    for family, far in _FAR:
        address = ""
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((far, 9))  # of a datagram socket: the route is looked up, nothing is sent
            address = str(sock.getsockname()[0])
        found.append(address)
    return tuple(found)


def _listening() -> socket.socket | None:
    if sys.platform == "linux":
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        try:
            sock.bind((0, _GROUPS))
        except OSError:
            sock.close()
            raise
        return sock
    family = getattr(socket, "AF_ROUTE", None)
    return None if family is None else socket.socket(family, socket.SOCK_RAW, 0)
