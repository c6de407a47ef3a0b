"""What the simulation holds the core to. Seconds, unless said otherwise."""

from typing import Final

from ollama_locate.core.constants import (
    ANSWER_MAX,
    ANSWER_MIN,
    BATCH_MAX,
    FAST_RECHECK,
    INTERVAL,
    JITTER,
    KNOWN_MAX_WAIT,
    LOOK_SAFETY_NET,
    STATUS_DEADLINE,
    SURE_GAP,
    SYN_PATIENCE_KNOWN,
    TIMEOUT,
)
from ollama_locate.core.patience import AnswerTime, answer_wait

DAY: Final = 86_400.0

KILLED: Final = 0.5
"""A killed server with the sentinel on it is left within this, plus some of its round trips."""

KILLED_ROUND_TRIPS: Final = 8.0
"""Half a round trip to the sentinel, two checks one after the other, and the successor's whole probe."""

SILENT: Final = 5.4
"""The sentinel ends after 3 s at the most; then two connects 0.4 s apart with a second each, and before them up to a
second where a regular check was under way just then: that one proves nothing, as it was sent before. Else 4.6 s."""

ROUND: Final = INTERVAL * (1 + JITTER)
"""No known server that answers waits for longer than this for its check."""

SILENT_FOUND: Final = ROUND + SYN_PATIENCE_KNOWN * 2 + SURE_GAP + 0.5
"""The same without a sentinel: the next check is silent for a second, the one that confirms it for 1.4 s."""

KILLED_FOUND: Final = ROUND + 1.0
"""Killed while no sentinel was on it."""

HUNG_FOUND: Final = ROUND + (1 + 2 + 4 + 8 + 16) * ANSWER_MIN + 5 * FAST_RECHECK + 0.5
"""Accepts, and never answers: five checks whose patience doubles. A history of slow answers adds its own to each."""

HUNG_WAITS: Final = 5


def history(answers: AnswerTime) -> float:
    """What slow answers of the past add to those checks: a hang that ended within a check was a very slow answer."""
    settled = AnswerTime(answers.smoothed, answers.variation)
    first = answer_wait(settled, ANSWER_MIN)
    return sum(min(ANSWER_MAX, first * 2.0**n) - ANSWER_MIN * 2.0**n for n in range(HUNG_WAITS))


LOOK_HUNG: Final = STATUS_DEADLINE + 1.0
"""A look that hangs is given up after this."""

DIAL: Final = TIMEOUT
"""A sentinel's connect that is silent says so after this."""

NOTICE: Final = KNOWN_MAX_WAIT * (1 + JITTER)
"""A server that comes back is asked within this."""

SETTLED: Final = NOTICE + BATCH_MAX + 2 * ROUND
"""From the last fault, or from the end of the hold that followed, the best must be chosen within two rounds."""

HEARTBEATS: Final = 35.0
"""The heartbeat of 30 s, and one tick or two until a step of the clock is seen."""

LOOKS: Final = ROUND + LOOK_HUNG
LOOKS_RUNG: Final = LOOK_SAFETY_NET * (1 + JITTER) + LOOK_HUNG
"""Nobody looks at the tailnet less often, where tailscaled does not ring, and where it does."""

PROBES: Final = NOTICE + 2 * ROUND
"""Somebody is always asked within this: known servers, and the last good one, as soon as tailscaled is back."""

RESUMES: Final = 10.0
"""After a step or a sleep, which is seen within a tick, everything goes on within this; a look may hang for 5 s."""

REFRESHED: Final = HEARTBEATS + 20.0
"""A request is seen with the next heartbeat if its signal is lost, and then takes one round."""

START: Final = 60.0
"""What is published while everybody is asked for the first time is provisional: no change is counted."""

STATIONARY_A_DAY: Final = 1.0
"""Changes in a world in which nothing that matters changes."""

SHARE: Final = 0.99
"""Of the time, on a server that an oracle would choose."""
