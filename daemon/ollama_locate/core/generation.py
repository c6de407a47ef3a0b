"""A measured generation: the lines of `/api/generate` in, when the first token came and what Ollama says it took."""

from typing import Final

import msgspec

from .bounds_models import BENCH_FASTER, BENCH_LEAST_TOKENS, BENCH_SLACK, RATE_MAX
from .text import shown
from .worded import Worded

_NANOSECONDS: Final = 1e9
_HUGE: Final = 1e18
"""Thirty years; an integer of a thousand digits is no float."""


class Unmeasured(Worded):
    """Why there is no figure: a word for programs, which never changes, and a sentence's end."""

    EMBEDS = "embeds", "it only embeds: it generates nothing that could be measured"
    CLOUD = "cloud", "it runs at ollama.com: what it is told leaves the tailnet"
    NOT_FOUND = "not_found", "the server says that it is not there"
    FAILED = "failed", "the server could not do it"
    STALLED = "stalled", "nothing came any more"
    ENDED = "ended", "the server hung up before the end"
    LOST = "lost", "the server cannot be reached"
    NOT_OLLAMA = "not_ollama", "what it says is not Ollama's"
    TOO_MUCH = "too_much", "it said far more than it was asked for"
    DISPLACED = "displaced", "another model took its place meanwhile: others use the server"
    SHORT = "short", "it said too little to be measured"
    NO_FIGURES = "no_figures", "it does not say how long it took"
    ABSURD = "absurd", "what it says of the time it took cannot be true"


class Miss(msgspec.Struct, frozen=True):
    """What came instead of a figure. `detail`: the server's own words or ours, safe to show."""

    why: Unmeasured
    detail: str = ""

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.why.text} ({self.detail})" if self.detail else self.why.text


class _Line(msgspec.Struct, frozen=True):
    """Figures are taken as they come, and judged: a string in one of them must not hide an error in the other."""

    done: object = False
    error: object = None
    load_duration: object = None
    prompt_eval_count: object = None
    prompt_eval_duration: object = None
    eval_count: object = None
    eval_duration: object = None


_DECODER: Final = msgspec.json.Decoder(_Line)


def refused(words: str) -> Miss:
    """What an error of Ollama's means (server/routes.go: the capability, the model; the rest is said as it is)."""
    if "does not support generate" in words:
        return Miss(Unmeasured.EMBEDS)
    if "not found" in words:
        return Miss(Unmeasured.NOT_FOUND)
    return Miss(Unmeasured.FAILED, shown(words) or "an error without words")


class Generation:
    """One answer as it comes; `asked` and each `now` are of one monotonic clock, in seconds."""

    def __init__(self, asked: float) -> None:
        self._asked = asked
        self._first: float | None = None
        self._last: _Line | None = None
        self._took = 0.0

    @property
    def done(self) -> bool:
        """Whether the last line has come."""
        return self._last is not None

    @property
    def first_token(self) -> float | None:
        """Seconds from the request to the first piece of the answer; None where none came before the end."""
        return None if self._first is None else self._first - self._asked

    def feed(self, line: bytes, now: float) -> Miss | None:
        """Take a line; what is wrong with it, if something is. Nothing is to follow the last one."""
        if not line.strip() or self.done:
            return None
        try:
            found = _DECODER.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Miss(Unmeasured.NOT_OLLAMA, "no line of an answer")
        if found.error is not None:
            return refused(found.error if isinstance(found.error, str) else "")
        if found.done is True:
            self._last, self._took = found, now - self._asked
        elif self._first is None:
            self._first = now
        return None

    def load(self) -> float | Miss:
        """Seconds that Ollama took to load the model, or to find it loaded; 0.0 where it says nothing of it."""
        last = self._last
        if last is None:
            return Miss(Unmeasured.ENDED)
        if last.load_duration is None:
            return 0.0
        load = _seconds(last.load_duration)
        return Miss(Unmeasured.ABSURD, "load_duration") if load is None or not self._possible(load) else load

    def rate(self, tokens: int) -> float | Miss:
        """Tokens a second, where at most `tokens` were asked for."""
        last, load = self._last, self.load()
        if last is None or isinstance(load, Miss):
            return load if isinstance(load, Miss) else Miss(Unmeasured.ENDED)
        if last.eval_count is None or last.eval_duration is None:
            return Miss(Unmeasured.NO_FIGURES)
        count, took = _count(last.eval_count), _seconds(last.eval_duration)
        prompt = 0.0 if last.prompt_eval_duration is None else _seconds(last.prompt_eval_duration)
        # Ollama counts the token at which it stops or not, by version; nobody makes twice what was asked for.
        if count is None or count > 2 * tokens:
            return Miss(Unmeasured.ABSURD, "eval_count")
        if prompt is None or (last.prompt_eval_count is not None and _count(last.prompt_eval_count) is None):
            return Miss(Unmeasured.ABSURD, "prompt_eval")
        if took is None or not self._possible(load + prompt + took):
            return Miss(Unmeasured.ABSURD, "eval_duration")
        if count < BENCH_LEAST_TOKENS:
            return Miss(Unmeasured.SHORT, f"{count} tokens")
        if took * RATE_MAX < count or took * BENCH_FASTER + BENCH_SLACK < self._took - (self.first_token or self._took):
            return Miss(Unmeasured.ABSURD, "eval_duration")
        return count / took

    def _possible(self, seconds: float) -> bool:
        """Nothing took longer there than it took here."""
        return seconds <= 1.1 * self._took + BENCH_SLACK


def _seconds(nanoseconds: object) -> float | None:
    """None where it is no duration. How long it may be, `_possible` says."""
    if isinstance(nanoseconds, bool) or not isinstance(nanoseconds, int | float) or not nanoseconds >= 0:
        return None
    return min(nanoseconds, _HUGE) / _NANOSECONDS


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
