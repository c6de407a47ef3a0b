"""When a server is probed again. Pure: the jitter, between -1 and 1, is drawn by the caller."""

import math

from .constants import (
    BATCH_MAX,
    BATCH_SHARE,
    FALL,
    FAST_RECHECK,
    JITTER,
    KNOWN_MAX_WAIT,
    LOOK_AWAY_WAIT,
    LOOK_CPU_SHARE,
    REFUSED_MAX_WAIT,
    SILENT_MAX_WAIT,
)
from .health import Health
from .outcome import Outcome


def wait(  # noqa: PLR0913 - all that a wait depends on, by name
    health: Health,
    outcome: Outcome,
    repeats: int,
    *,
    interval: float,
    online: bool,
    jitter: float,
    wanted: bool = False,
) -> float:
    """Seconds from the end of a probe to the next one.

    `wanted` is one that is waited for although it has not answered yet. `repeats` counts the probes in a
    row, this one included, that found no Ollama. A server in doubt, or one that has answered once since it
    was down, is asked again at once; the others by what they said.
    """
    if health.wavering:
        return FAST_RECHECK
    if health.in_doubt:
        # Nobody answers, so nothing counts: asking ever more often would not help.
        return min(interval, FAST_RECHECK * math.exp2(min(health.misses - FALL, 16)))
    known = wanted or health.answered_at is not None
    return _steady(outcome, repeats, interval, known=known, online=online) * (1.0 + JITTER * jitter)


def _steady(outcome: Outcome, repeats: int, interval: float, *, known: bool, online: bool) -> float:
    if outcome is Outcome.ALIVE:
        return interval
    if outcome is not Outcome.SILENT:
        limit = REFUSED_MAX_WAIT
    elif known:
        limit = KNOWN_MAX_WAIT
    elif online:
        limit = SILENT_MAX_WAIT
    else:
        return max(interval, SILENT_MAX_WAIT)
    return max(interval, min(limit, interval * math.exp2(min(repeats - 1, 16))))


def look_wait(interval: float, cpu: float, jitter: float, *, away: bool) -> float:
    """Seconds until tailscale is asked again; `cpu` seconds are what the last look cost."""
    wanted = min(interval, LOOK_AWAY_WAIT) if away else interval
    return max(wanted * (1.0 + JITTER * jitter), cpu * LOOK_CPU_SHARE)


def batch_until(now: float, interval: float) -> float:
    """Servers due before this are probed together with those that are due now."""
    return now + min(BATCH_MAX, interval * BATCH_SHARE)
