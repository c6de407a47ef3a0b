"""What it takes to publish this machine's Ollama to the tailnet, and to nothing else. Facts in, one situation out."""

from enum import Enum
from typing import Final, NamedTuple

import msgspec

from .outcome import Outcome
from .tailnet import Peer, Tailnet, Unavailable
from .text import shown

LOOPBACK: Final = "127.0.0.1"


class Facts(NamedTuple):
    """What was found.

    `here`, `tailnet` and `network`: what answers at 127.0.0.1, at this machine's tailnet address, and at its address
    in the local network (None where it has none). `serves`: where `tailscale serve` sends what comes to the port,
    empty where nothing is set.
    """

    look: Tailnet | Unavailable
    here: Outcome
    tailnet: Outcome | None
    network: Outcome | None
    serves: str
    port: int


class Situation(Enum):
    """What is to be done, or said."""

    NO_TAILNET = "no_tailnet"
    NO_OLLAMA = "no_ollama"
    USERSPACE = "userspace"
    """Tailscaled has no network interface here: a loopback-bound Ollama answers 403 to what it forwards."""
    OPEN = "open"
    """It listens on every address: no need to publish it, and the local network reaches it too."""
    SERVED = "served"
    BOUND = "bound"
    """It listens on the tailnet address by itself."""
    TAKEN = "taken"
    """The port is served, to something else."""
    FREE = "free"


def judge(facts: Facts) -> Situation:
    """The first that applies."""
    if isinstance(facts.look, Unavailable):
        return Situation.NO_TAILNET
    if facts.serves and facts.serves != target(facts.port):
        return Situation.TAKEN
    if facts.here is not Outcome.ALIVE and facts.tailnet is not Outcome.ALIVE:
        return Situation.NO_OLLAMA
    if facts.network is Outcome.ALIVE:
        return Situation.OPEN
    if facts.tailnet is Outcome.ALIVE:
        return Situation.SERVED if facts.serves else Situation.BOUND
    return Situation.FREE if facts.look.tun else Situation.USERSPACE


def target(port: int) -> str:
    """Where `tailscale serve` is to send what comes."""
    return f"{LOOPBACK}:{port}"


def serve_words(port: int) -> tuple[str, ...]:
    """The words after `tailscale` that publish it."""
    return ("serve", "--bg", "--tcp", str(port), f"tcp://{target(port)}")


def off_words(port: int) -> tuple[str, ...]:
    """The words that take that back."""
    return ("serve", f"--tcp={port}", "off")


class _Handler(msgspec.Struct):
    TCPForward: str = ""


class _Serve(msgspec.Struct):
    TCP: dict[str, _Handler] | None = None
    Foreground: "dict[str, _Serve] | None" = None


_DECODER: Final = msgspec.json.Decoder(_Serve)


def serves(status: bytes, port: int) -> str:
    """What `tailscale serve status --json` says of a port: an address, `a website`, or nothing. Raises ValueError."""
    try:
        found = _DECODER.decode(status) if status.strip() else _Serve()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"`tailscale serve status --json` cannot be read: {error}") from None
    for one in (found, *(found.Foreground or {}).values()):
        if (handler := (one.TCP or {}).get(str(port))) is not None:
            return shown(handler.TCPForward) or "a website"
    return ""


def grant(self: Peer, port: int) -> str:
    """The rule for the tailnet's policy file that lets this user's machines in: an entry of `grants`."""
    rule = {"src": [shown(self.login) or "you@example.com"], "dst": [self.addresses[0]], "ip": [f"tcp:{port}"]}
    return msgspec.json.encode(rule).decode()
