"""What a probe found. A probe never raises: whatever a server does has a name here."""

import msgspec

from .worded import Worded


class Outcome(Worded):
    """The verdict of one probe; the text completes "it ..."."""

    ALIVE = "alive", "answers as Ollama"
    REFUSED = "refused", "refuses: no Ollama there, or it listens on 127.0.0.1 only"
    SILENT = "silent", "is silent: off, asleep, or kept away by the tailnet's ACL"
    EMPTY = "empty", "accepts and closes: the Ollama behind `tailscale serve` is dead"
    BUSY = "busy", "accepts, and its answer takes longer than ever: it is busy, or it hangs"
    NOT_OLLAMA = "not_ollama", "is something other than Ollama"
    GATEWAY = (
        "gateway",
        "answers through its proxy only: the Ollama behind that is dead, or the proxy does not reach it",
    )
    LOGIN = "login", "answers through its proxy only, which wants a login"
    CACHED = "cached", "answers from its proxy's cache: whether the Ollama behind that lives cannot be told"
    FORBIDDEN_HOST = "forbidden_host", "answers 403: its Ollama does not know its own tailnet address"
    ERROR = "error", "cannot be probed"


class Probe(msgspec.Struct, frozen=True, gc=False):
    """One finished probe.

    `sent` is when its first SYN left (monotonic seconds). `rtt` and `spread` are the least and the
    range of the burst's round trips in seconds, None where there was no burst. `models` is None where
    the list is not known (yet); cloud models are not in it: using one leaves the tailnet. `connected`:
    the connection stood, whatever was said on it.
    """

    outcome: Outcome
    sent: float
    detail: str = ""
    rtt: float | None = None
    spread: float = 0.0
    version: str = ""
    models: tuple[str, ...] | None = None
    connected: bool = False
    answer: float | None = None
    attempts: int = 1

    @property
    def reached(self) -> bool:
        """Whether packets went there and back: proof that the network between us works."""
        return self.connected or self.outcome not in (Outcome.SILENT, Outcome.ERROR)

    @property
    def closed(self) -> bool:
        """Whether the machine itself said no: it refused, or ended the connection."""
        return self.outcome in (Outcome.REFUSED, Outcome.EMPTY)
