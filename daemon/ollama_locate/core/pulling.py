"""A pull: the lines of `/api/pull` in, how far it is out; and what is wrong, told apart, where it ends badly."""

from collections import deque
from enum import Enum
from typing import Final

import msgspec

from .bounds_models import PULL_LAYERS_MAX, PULL_QUIET, PULL_RATE_WINDOW, PULL_STATUSES_MAX, PULL_VERIFY
from .text import shown

_BYTES_MAX: Final = 2**60
"""Sums of such numbers, PULL_LAYERS_MAX of them, still are exact in JSON readers that have 64 bits."""


class Trouble(Enum):
    """What is wrong: a word for programs, which never changes; in words; and what to do about it."""

    NO_SUCH_MODEL = (
        "no_such_model",
        "the registry has no such model",
        "look for its name at https://ollama.com/search; what follows a colon is its tag",
    )
    NO_SPACE = (
        "no_space",
        "its disk is full",
        "`ollama rm NAME` there makes room; then the same command goes on from there",
    )
    NETWORK = "network", "it cannot fetch from the registry now", "the same command goes on from there"
    INSECURE = "insecure", "the registry speaks plain http", "if it is yours, add --insecure"
    DENIED = "denied", "the registry lets nobody in without a login", "`ollama signin` on that machine"
    TOO_OLD = "too_old", "its Ollama is too old for this model", "update it: https://ollama.com/download"
    STALLED = "stalled", "it has stalled", "the same command goes on from there, and `--on NAME` takes another machine"
    ENDED = "ended", "it hung up before the end", "was Ollama restarted there? The same command goes on from there"
    LOST = "lost", "it cannot be reached", "`ollama-locate why` says more; the same command goes on from there"
    NOT_FOUND = "not_found", "it says that the model is not there", "`ollama-locate refresh` has its list read again"
    NOT_OLLAMA = "not_ollama", "what it says is not Ollama's", "`ollama-locate doctor NAME` looks at it"
    OTHER = "other", "it failed", "the log of Ollama on that machine says more"

    def __init__(self, word: str, text: str, mend: str) -> None:
        self.word = word
        self.text = text
        self.mend = mend


class Failure(msgspec.Struct, frozen=True):
    """How a pull or a load ended badly. `detail` are the server's own words or ours, safe to show."""

    trouble: Trouble
    detail: str

    @property
    def text(self) -> str:
        """In words, with what to do."""
        return f"{self.trouble.text} ({self.detail}); {self.trouble.mend}"


# What Ollama 0.17.4 and the systems below it say (server/images.go, server/download.go, Go's net and syscall), in
# small letters; the first that fits. "Not found" comes late: a host name may not be found either.
_SAYS: Final = (
    (Trouble.NO_SPACE, ("no space left", "disk quota exceeded", "not enough space", "disk full")),
    (Trouble.TOO_OLD, ("newer version of ollama", ": 412")),
    (
        Trouble.INSECURE,
        ("insecure protocol http", "http response to https client", "does not look like a tls handshake"),
    ),
    (
        Trouble.NETWORK,
        (
            "no such host",
            "dial tcp",
            "i/o timeout",
            "connection refused",
            "connection reset",
            "unreachable",
            "tls handshake",
            "x509",
            "deadline exceeded",
            "max retries exceeded",
            "unexpected eof",
            "broken pipe",
            "digest mismatch",
            "server misbehaving",
            "temporary failure",
        ),
    ),
    (Trouble.DENIED, ("unauthorized", "access denied", ": 401", ": 403")),
    (Trouble.STALLED, ("stalled",)),
    (Trouble.NO_SUCH_MODEL, ("file does not exist", "manifest unknown", "invalid model name", "not found", ": 404")),
)


def told(text: str) -> Failure:
    """What an error of Ollama's means; what nobody knows is `other`, with its words."""
    small = text[:4096].lower()
    found = next((trouble for trouble, words in _SAYS if any(word in small for word in words)), Trouble.OTHER)
    return Failure(found, shown(text) or "an error without words")


class _Line(msgspec.Struct, frozen=True):
    status: str = ""
    digest: str = ""
    total: int | None = None
    completed: int | None = None
    error: object = None


_DECODER: Final = msgspec.json.Decoder(_Line)


def parse_error(body: bytes) -> str:
    """The words of `{"error": ...}`; empty where the body is something else."""
    try:
        error = _DECODER.decode(body).error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""
    return error if isinstance(error, str) else ""


class _Layer:
    """Bytes of one digest."""

    __slots__ = ("completed", "total")

    def __init__(self) -> None:
        self.total = self.completed = 0


class Meter:
    """How far a pull is. Times are monotonic seconds, sizes bytes, the rate bytes a second."""

    def __init__(self, now: float) -> None:
        self.status = ""
        self.done = False
        self.moved_at = now
        """When the pull last came on: more bytes, or another step. A line that repeats itself is no progress."""
        self._layers: dict[str, _Layer] = {}
        self._statuses = 0
        self._fetched = 0
        self._samples: deque[tuple[float, int]] = deque([(now, 0)], maxlen=256)

    @property
    def total(self) -> int:
        """Bytes of the layers of which Ollama has spoken."""
        return sum(layer.total for layer in self._layers.values())

    @property
    def completed(self) -> int:
        """Bytes of them that are there, those of an earlier try included."""
        return sum(layer.completed for layer in self._layers.values())

    def feed(self, line: bytes, now: float) -> Failure | None:
        """One line of the stream; the failure that it tells of, or that it is. Never raises."""
        if not line.strip():
            return None
        try:
            said = _DECODER.decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return Failure(Trouble.NOT_OLLAMA, f"no line of a pull: {shown(repr(line[:40]), 60)}")
        if said.error is not None:
            return told(said.error if isinstance(said.error, str) else "")
        self._step(said.status, now)
        if said.digest and said.total is not None:
            self._bytes(said.digest[:128], said.total, said.completed or 0, now)
        self.done = self.done or said.status == "success"
        return None

    def _step(self, status: str, now: float) -> None:
        status = shown(status, 80)
        # A server that never runs out of new words does not come on for ever.
        if status and status != self.status and self._statuses < PULL_STATUSES_MAX:
            self._statuses += 1
            self.status, self.moved_at = status, now

    def _bytes(self, digest: str, total: int, completed: int, now: float) -> None:
        layer = self._layers.get(digest)
        if layer is None:
            if len(self._layers) >= PULL_LAYERS_MAX:
                return
            layer = self._layers[digest] = _Layer()
            # What is there at the first word of a layer was fetched by an earlier try.
            layer.completed = max(0, min(completed, total, _BYTES_MAX))
        layer.total = max(layer.completed, min(total, _BYTES_MAX))
        more = min(completed, layer.total) - layer.completed
        if more > 0:
            layer.completed += more
            self._fetched += more
            self.moved_at = now
        last, _ = self._samples[-1]
        if now - last >= PULL_RATE_WINDOW / 20:
            self._samples.append((now, self._fetched))

    @property
    def patience(self) -> float:
        """Seconds for which the pull may stand still: digests of 40 GB are verified without a word in between."""
        return PULL_VERIFY if self.status.startswith(("verifying", "writing", "removing")) else PULL_QUIET

    def stalled(self, now: float) -> Failure | None:
        """Whether it has stood still for too long."""
        if now - self.moved_at < self.patience:
            return None
        doing = f" ({self.status})" if self.status else ""
        return Failure(Trouble.STALLED, f"nothing came for {self.patience:.0f} s{doing}")

    def rate(self, now: float) -> float | None:
        """Bytes a second over the last PULL_RATE_WINDOW; None where too little is known."""
        while len(self._samples) > 1 and self._samples[1][0] <= now - PULL_RATE_WINDOW:
            self._samples.popleft()
        since, before = self._samples[0]
        if now - since < PULL_RATE_WINDOW / 10 or self._fetched <= before:
            return None
        return (self._fetched - before) / (now - since)

    def left(self, now: float) -> float | None:
        """Seconds until the layers that are known are there; None where it cannot be told."""
        rate = self.rate(now)
        return None if rate is None else (self.total - self.completed) / rate


def sizes(completed: int, total: int) -> str:
    """For people, in the unit of the whole: `1.2/4.1 GB`."""
    for size, unit in ((1e9, "GB"), (1e6, "MB")):
        if total >= size:
            return f"{completed / size:.1f}/{total / size:.1f} {unit}"
    return f"{completed / 1e3:.0f}/{total / 1e3:.0f} kB"


def speed(rate: float) -> str:
    """For people: `34.5 MB/s`."""
    return f"{rate / 1e6:.1f} MB/s" if rate >= 1e6 else f"{rate / 1e3:.0f} kB/s"  # noqa: PLR2004 - a megabyte


def stopped_before_its_end() -> Failure:
    """The stream is over, and `success` was not said."""
    return Failure(Trouble.ENDED, "the stream was over, and success was not said")
