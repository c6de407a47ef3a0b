"""What readers say of a server whose probes pass: a GPU that was lost leaves an Ollama that answers, and fails."""

import math

import msgspec
from msgspec.structs import replace

from .constants import DEMOTED_FIRST, DEMOTED_MAX, HOLD_FORGET, REPORT_MIN_GAP, REPORT_WINDOW, REPORTS_TO_DEMOTE


class Complaints(msgspec.Struct, frozen=True, gc=False):
    """Reports about one server. `times` are the latest ones', `until` is when it counts as healthy again."""

    times: tuple[float, ...] = ()
    until: float = float("-inf")
    spells: int = 0

    def demoted(self, now: float) -> bool:
        """Whether it ranks below the other healthy ones."""
        return now < self.until


def reported(complaints: Complaints, now: float) -> Complaints:
    """A reader says that it failed. Reports that come at once are one, and old ones are forgotten."""
    recent = tuple(time for time in complaints.times if now - time < REPORT_WINDOW)
    if recent and now - recent[-1] < REPORT_MIN_GAP:
        return complaints
    return replace(complaints, times=(*recent, now)[-REPORTS_TO_DEMOTE:])


def passed(complaints: Complaints, now: float) -> Complaints:
    """Its probe passes all the same: after two reports within a minute that is not believed."""
    if not complaints.times:
        return complaints
    recent = tuple(time for time in complaints.times if now - time < REPORT_WINDOW)
    if len(recent) < REPORTS_TO_DEMOTE:
        return replace(complaints, times=recent)
    spells = 0 if now - complaints.until > HOLD_FORGET else complaints.spells
    spell = min(DEMOTED_MAX, DEMOTED_FIRST * math.exp2(min(spells, 16)))
    return Complaints((), now + spell, spells + 1)
