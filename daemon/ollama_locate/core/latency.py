"""The round trip to a server: the least of a burst of connects."""

from collections.abc import Sequence

from .constants import DEAD_BAND, DEAD_BAND_RATIO, FLOOR_OF


def of_burst(samples: Sequence[float]) -> tuple[float | None, float]:
    """The least of the samples and their spread, in seconds; (None, 0) where all were lost.

    The least, as queues and schedulers only ever add. The first contact is never among the samples: it
    may take a second while WireGuard shakes hands.
    """
    if not samples:
        return None, 0.0
    least = min(samples)
    return least, max(samples) - least


def remember(recent: Sequence[float], rtt: float) -> tuple[float, ...]:
    """The last few round trips, this one the newest."""
    return (*recent, rtt)[-FLOOR_OF:]


def clearly_faster(challenger: float | None, current: float | None) -> bool:
    """Whether the challenger's round trip is better by the dead band: 10 ms *and* a third."""
    if challenger is None:
        return False
    if current is None:
        return True
    return current - challenger >= DEAD_BAND and challenger <= current * DEAD_BAND_RATIO
