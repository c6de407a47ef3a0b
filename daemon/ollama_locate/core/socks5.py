"""What a SOCKS5 client says and hears (RFC 1928), without a login, for one CONNECT to an IP address."""

import errno
from ipaddress import ip_address
from typing import Final

Proxy = tuple[str, int]
"""A SOCKS5 proxy on this machine: an IP address of loopback, and a port."""

GREETING: Final = b"\x05\x01\x00"
"""Version 5, one method: no login (RFC 1928, 3)."""

METHOD_BYTES: Final = 2
HEAD_BYTES: Final = 5
"""Of a reply, up to the first byte of its address, which of a name is how long that is (RFC 1928, 6)."""

_VERSION: Final = 5
_ADDRESSES: Final = {1: 4, 4: 16}
_NAME: Final = 3
_PORT_BYTES: Final = 2

AWAY: Final = -1
STRANGER: Final = -2
ENDED: Final = -3
_REPLIES: Final = {
    1: "it could not connect",
    2: "its rules forbid it",
    3: "it knows no way to that network",
    4: "it cannot reach that machine",
    6: "it heard nothing in time",
    7: "it knows no CONNECT",
    8: "it does not take this kind of address",
}
_WORDS: Final = {
    AWAY: "nothing listens there",
    STRANGER: "what listens there does not speak SOCKS5 without a login",
    ENDED: "it ended without an answer",
}


def read_proxy(text: str) -> Proxy | None:
    """A proxy as it stands in a snapshot: `IP:PORT`, or nothing."""
    host, _, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if text else None


def request(host: str, port: int) -> bytes:
    """A CONNECT to an IP address."""
    address = ip_address(host).packed
    kind = next(kind for kind, size in _ADDRESSES.items() if size == len(address))
    return bytes((_VERSION, 1, 0, kind)) + address + port.to_bytes(2, "big")


def accepts(method: bytes) -> bool:
    """Whether the proxy goes on without a login."""
    return method == bytes((_VERSION, 0))


def judge(head: bytes) -> int:
    """What a reply's head says: 0, the connection stands; else an errno, or a number that `says` has words for.

    A refusal is the only failure that shows that the machine lives; tailscaled has one code for all.
    """
    version, reply = head[0], head[1]
    if version != _VERSION:
        return STRANGER
    if reply == 5:  # noqa: PLR2004 - connection refused (RFC 1928, 6)
        return errno.ECONNREFUSED
    return -10 - reply if reply else 0


def left_over(head: bytes) -> int | None:
    """How many bytes of a reply follow its head; None: it is of no kind that there is."""
    if head[3] == _NAME:
        return head[4] + _PORT_BYTES
    size = _ADDRESSES.get(head[3])
    return None if size is None else size - 1 + _PORT_BYTES


def says(code: int) -> str | None:
    """The words for a failure of the proxy's, None where it is an errno."""
    if code >= 0:
        return None
    return f"the SOCKS5 proxy: {_WORDS.get(code) or _REPLIES.get(-10 - code) or f'it says {-10 - code}'}"
