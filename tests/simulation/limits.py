"""How often a world may make us change."""

from ollama_locate.core.constants import HOLD_FORGET
from ollama_locate.core.health import hold

from . import budgets
from .timeline import Spell, State
from .world import Fate, World

NOTICEABLE = {State.SILENT: 2.5, State.HUNG: 31.0}
"""A shorter trouble of this kind cannot make a server fall: the sentinel's 1.1 s and two connects, or five checks."""


def by_hold_down(falls: list[Spell]) -> int:
    """Changes that the falls of one server allow: to leave it, and to return if it outlives its hold.

    The same rule as core/health.py: each fall adds 1 to a penalty, which fades over an hour of life, and the
    hold doubles with it. A life so short that nobody may have noticed it adds nothing.
    """
    changes, penalty, born = 0, 0.0, float("-inf")
    for fall in falls:
        if fall.end - fall.start < NOTICEABLE.get(fall.state, 0.0):
            continue
        life = fall.start - born
        if not penalty or life > hold(penalty):
            changes += 2
        if life > budgets.NOTICE:
            penalty = penalty * max(0.0, 1.0 - life / HOLD_FORGET) + 1.0
        born = fall.end
    return changes


def allowed(world: World, fate: Fate, days: float) -> float:
    """Changes in so many days."""
    if world.stationary:
        return max(1.0, budgets.STATIONARY_A_DAY * days)
    changes = sum(by_hold_down(falls) for falls in fate.falls.values())
    if world.local:
        # While the way to everybody else is broken, this machine's own is the best, and the only one.
        changes += sum(2 for spell in fate.path if spell.end - spell.start >= NOTICEABLE[State.SILENT])
    return float(changes)
