"""What happened between two looks at the clocks: this machine slept, this program stood still, a clock stepped."""

from typing import NamedTuple

from .constants import CLOCK_STEP, SLEEP, STALL


class Reading(NamedTuple):
    """The clocks at one moment, in seconds: without sleep, with it, and the wall's."""

    monotonic: float
    boot: float
    wall: float


class Disturbance(NamedTuple):
    """Seconds: asleep, late, and how far the wall clock was moved, forward or back. 0 where not worth a word."""

    slept: float = 0.0
    stalled: float = 0.0
    stepped: float = 0.0

    @property
    def long(self) -> bool:
        """Whether everything has to be looked at again."""
        return self.slept >= SLEEP or self.stalled >= SLEEP

    def text(self) -> str:
        """A sentence for the log."""
        parts = []
        if self.slept:
            parts.append(f"this machine slept for {self.slept:.0f} s")
        if self.stalled:
            parts.append(f"this program stood still for {self.stalled:.1f} s")
        if self.stepped:
            way = "forward" if self.stepped > 0 else "back"
            parts.append(f"the wall clock was set {way} by {abs(self.stepped):.0f} s")
        after = "everything is looked at again" if self.long else "what failed meanwhile is asked again"
        return f"{', and '.join(parts)}: {after if self.slept or self.stalled else 'the jobs are armed anew'}"


def compare(before: Reading, now: Reading, expected: float) -> Disturbance | None:
    """What happened in between, where `expected` seconds should have passed; None: nothing."""
    awake, passed = now.monotonic - before.monotonic, now.boot - before.boot
    found = Disturbance(
        max(0.0, _worth(passed - awake, CLOCK_STEP)),
        max(0.0, _worth(awake - expected, STALL)),
        _worth(now.wall - before.wall - passed, CLOCK_STEP),
    )
    return found if any(found) else None


def _worth(seconds: float, least: float) -> float:
    return seconds if abs(seconds) >= least else 0.0
