"""How long a probe waits. For the SYN-ACK a fixed time; for the answer what this server's own history says.

A busy machine answers a SYN at once, as its kernel does that, and an HTTP request when it gets to it.
"""

import math

import msgspec

from .constants import ANSWER_GRANULARITY, ANSWER_MAX, ANSWER_MIN


class Terms(msgspec.Struct, frozen=True, gc=False):
    """On which a server is probed. Times in seconds.

    `rtt` is its known round trip, `sure` whether this check confirms a silence (two connects), `answer_wait`
    how long it may take from the connection to its answer.
    """

    rtt: float | None
    sure: bool
    answer_wait: float


class AnswerTime(msgspec.Struct, frozen=True, gc=False):
    """A server's smoothed answer time, its variation, and how many answers in a row have not come (seconds)."""

    smoothed: float | None = None
    variation: float = 0.0
    missed: int = 0


def measured(time: AnswerTime, sample: float) -> AnswerTime:
    """Take in the time that an answer took: RFC 6298, rules 2.2 and 2.3."""
    if time.smoothed is None:
        return AnswerTime(sample, sample / 2)
    variation = 0.75 * time.variation + 0.25 * abs(time.smoothed - sample)
    return AnswerTime(0.875 * time.smoothed + 0.125 * sample, variation)


def missed(time: AnswerTime) -> AnswerTime:
    """An answer has not come in time: the next wait is twice as long (RFC 6298, rule 5.5)."""
    return AnswerTime(time.smoothed, time.variation, min(time.missed + 1, 16))


def answer_wait(time: AnswerTime, first: float) -> float:
    """Seconds to wait for the next answer; `first` as long as nothing is known of this server."""
    base = first
    if time.smoothed is not None:
        base = max(ANSWER_MIN, time.smoothed + max(ANSWER_GRANULARITY, 4 * time.variation))
    return min(max(first, ANSWER_MAX), base * math.exp2(time.missed))


def is_busy(time: AnswerTime) -> bool:
    """Whether its answers take so long that a person would notice."""
    return time.missed > 0 or (time.smoothed is not None and time.smoothed >= ANSWER_MIN / 2)
