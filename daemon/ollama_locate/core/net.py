"""One tailnet as the config names it: how it is asked, how its machines are reached, and whose keys are its."""

from dataclasses import dataclass

from .patterns import Pattern
from .socks5 import Proxy


@dataclass(frozen=True, slots=True)
class Net:
    """An entry of `[[tailnet]]`; the one without a name and all else is what there is where the config has none.

    `socket` is tailscaled's, empty: the system's. `allow` holds in place of the general one, None: that one holds.
    """

    name: str = ""
    socket: str = ""
    socks5: Proxy | None = None
    allow: tuple[Pattern, ...] | None = None

    def key(self, local: str) -> str:
        """A key that no other tailnet has; both control planes may give the same IDs."""
        return f"{self.name}/{local}" if self.name else local

    @property
    def words(self) -> tuple[str, ...]:
        """What the tailscale command is told first."""
        return (f"--socket={self.socket}",) if self.socket else ()

    def same_daemon(self, other: "Net") -> bool:
        """Whether it is the same tailscaled that is asked."""
        return (self.name, self.socket) == (other.name, other.socket)


def net_of(key: str) -> str:
    """The name of the tailnet that a server's key belongs to, empty for the one without a name, and for its own."""
    name, slash, _ = key.partition("/")
    return name if slash else ""
