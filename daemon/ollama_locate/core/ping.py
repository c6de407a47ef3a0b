"""What `tailscale ping` prints, read."""

import re
from typing import Final, NamedTuple

_PONG: Final = re.compile(r"^pong from .* via (\S+) in (\S+)$", re.MULTILINE)
_RELAY: Final = re.compile(r"DERP\(([A-Za-z0-9_-]{1,32})\)|peer-relay\(.*\)")
_UNITS: Final = {"h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0, "us": 0.001, "µs": 0.001, "ns": 0.000_001}
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(h|ms|m|s|us|µs|ns)")


class Pong(NamedTuple):
    """An answer: by a relay or directly, the relay's region where it is Tailscale's, and the milliseconds it took.

    Tailscale rounds to whole milliseconds.
    """

    relayed: bool
    region: str
    ms: float


def parse_ping(text: str) -> Pong | None:
    """The first answer in it; None: there is none."""
    match = _PONG.search(text)
    if match is None:
        return None
    relay = _RELAY.fullmatch(match[1])
    took = sum(float(count) * _UNITS[unit] for count, unit in _DURATION.findall(match[2]))
    return Pong(relay is not None, (relay[1] or "") if relay else "", took)
