"""When a server is probed again. Pure: the jitter, between -1 and 1, is drawn by the caller."""

import math
from typing import NamedTuple

from .constants import (
    BATCH_MAX,
    BATCH_SHARE,
    CLOSED_RECHECK,
    FALL,
    FAST_RECHECK,
    JITTER,
    KNOWN_MAX_WAIT,
    LOOK_AWAY_WAIT,
    LOOK_CPU_SHARE,
    LOOK_SAFETY_NET,
    OFFLINE_MAX_WAIT,
    REFUSED_MAX_WAIT,
    RELAY_SHARE,
    RETURN_MIN_WAIT,
    RETURN_SHARE,
    SILENT_MAX_WAIT,
    STRANGERS_A_SECOND,
)
from .health import Health
from .outcome import Outcome, Probe


class Place(NamedTuple):
    """What of a server's place, besides its health, says how often it is asked.

    `wanted` is one that is waited for although it has not answered yet; `relayed` is reached by a relay only;
    `crowd` is how many servers there are. Of other machines that ask it: `again` is the least wait, and `turn` the
    seconds to the turn that they leave to this one.
    """

    online: bool = True
    wanted: bool = False
    relayed: bool = False
    crowd: int = 1
    again: float = 0.0
    turn: float = 0.0


def wait(health: Health, probe: Probe, repeats: int, place: Place, *, interval: float, jitter: float) -> float:
    """Seconds from the end of a probe to the next one.

    `repeats` counts the probes in a row, this one included, that found no Ollama. A server in doubt, or one
    that has answered once since it was down, is asked again at once; the others by what they said.
    """
    if health.wavering:
        if probe.closed:
            return CLOSED_RECHECK
        # The check that confirms a silence has its own distance in it.
        return 0.0 if probe.outcome is Outcome.SILENT else FAST_RECHECK
    if health.in_doubt:
        # Nobody answers, so nothing counts: asking ever more often would not help.
        return min(max(interval, place.again), FAST_RECHECK * math.exp2(min(health.misses - FALL, 16)))
    known = place.wanted or health.answered_at is not None
    steady = max(place.again, _steady(probe.outcome, repeats, interval, place, known=known))
    return max(place.turn, steady * (1.0 + JITTER * jitter))


def _steady(outcome: Outcome, repeats: int, interval: float, place: Place, *, known: bool) -> float:
    if outcome is Outcome.ALIVE:
        return interval * RELAY_SHARE if place.relayed and not place.wanted else interval
    if outcome is not Outcome.SILENT:
        limit = REFUSED_MAX_WAIT
    elif known:
        limit = KNOWN_MAX_WAIT if place.online or place.wanted else OFFLINE_MAX_WAIT
    else:
        limit = SILENT_MAX_WAIT
    if outcome is Outcome.SILENT and not known and not place.online:
        waits = limit
    else:
        waits = min(limit, interval * math.exp2(min(repeats - 1, 16)))
    fair = 0.0 if known else place.crowd / STRANGERS_A_SECOND
    return max(interval, waits, min(fair, SILENT_MAX_WAIT))


def until_it_returns(away: float, interval: float) -> float:
    """Seconds to the next check of the last good server while there is no other; it is `away` for so long."""
    return min(interval, max(RETURN_MIN_WAIT, RETURN_SHARE * away))


def look_wait(interval: float, cpu: float, jitter: float, *, away: bool, rings: bool = False) -> float:
    """Seconds until tailscale is asked again; `cpu` seconds are what the last look cost.

    `rings`: tailscaled says by itself when something changes, so that this is a safety net.
    """
    wanted = min(interval, LOOK_AWAY_WAIT) if away else max(interval, LOOK_SAFETY_NET) if rings else interval
    return max(wanted * (1.0 + JITTER * jitter), cpu * LOOK_CPU_SHARE)


def batch_until(now: float, interval: float) -> float:
    """Servers due before this are probed together with those that are due now."""
    return now + min(BATCH_MAX, interval * BATCH_SHARE)
