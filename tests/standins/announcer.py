"""Whoever announces services on a LAN, truthfully or not: `python -m tests.standins.announcer INTERFACE_ADDRESS`.

Reads lines of JSON, each a `Says` or {"flood": COUNT}, and answers each with a line when it was sent.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP = ("224.0.0.251", 5353)
SERVICE = "_ollama._tcp.local"
_A, _PTR, _TXT, _AAAA, _SRV, _FLUSH = 1, 12, 16, 28, 33, 0x8001


@dataclass(frozen=True)
class Says:
    """One service of a host that is called like it, or otherwise. `ttl` 0 is a goodbye.

    `pointer`: whether it is listed, or only its records are changed.
    """

    name: str
    host: str = ""
    port: int = 11434
    addresses: tuple[str, ...] = ()
    ttl: int = 120
    txt: str = "version=0.17.4"
    pointer: bool = True


def name(text: str) -> bytes:
    labels = [label.encode() for label in text.split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(owner: str, kind: int, data: bytes, ttl: int, cls: int = _FLUSH) -> bytes:
    return name(owner) + struct.pack("!HHIH", kind, cls, ttl, len(data)) + data


def response(says: Says) -> bytes:
    """A datagram as RFC 6763, 12.1 wants it: the pointer, and all that one would ask for next."""
    service, host, ttl = f"{says.name}.{SERVICE}", f"{says.host or says.name}.local", says.ttl
    records = [record(SERVICE, _PTR, name(service), ttl, 1)] if says.pointer else []
    records.append(record(service, _SRV, struct.pack("!HHH", 0, 0, says.port) + name(host), ttl))
    text = says.txt.encode("utf-8", "surrogateescape")[:255]
    records.append(record(service, _TXT, bytes([len(text)]) + text, ttl))
    addresses = map(ip_address, says.addresses)
    records += [record(host, _A if one.version == 4 else _AAAA, one.packed, ttl) for one in addresses]
    return struct.pack("!HHHHHH", 0, 0x8400, 0, len(records), 0, 0) + b"".join(records)


def flood(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield response(
            Says(f"flood-{number}", f"h{number}", addresses=(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",))
        )


def speaker(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((address, GROUP[1]))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    return sock


def main(address: str) -> None:
    with speaker(address) as sock:
        for line in sys.stdin:
            words = json.loads(line)
            for datagram in flood(words["flood"]) if "flood" in words else [response(Says(**words))]:
                sock.sendto(datagram, GROUP)
            print("said", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
