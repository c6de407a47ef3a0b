"""Up or down: rise, fall and hold-down of one server, as HAProxy does it, with two additions.

Whose fault: the first failure of a row raises suspicion only; the next ones count when somebody has
answered a probe that was sent after it. While nobody answers, the fault may be ours, and nothing counts.
Hold-down: a server that failed must live for a while before it may displace a healthy one.
"""

import math
from enum import Enum

import msgspec
from msgspec.structs import replace

from .constants import FALL, HOLD_FIRST, HOLD_FORGET, HOLD_MAX, RISE


class Status(Enum):
    """Where a server stands."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


class Proof(Enum):
    """Who has answered a probe that was sent after a server's first failure."""

    NONE = "none"
    LOOPBACK = "loopback"
    """Only this machine: enough to use it, not enough to blame the server."""
    NETWORK = "network"


class Health(msgspec.Struct, frozen=True, gc=False):
    """The record of one server; times are monotonic seconds.

    `misses` counts failures in a row whoever is to blame, `fails` those that count. `suspect_since` is
    when the first of them was sent, `answered_at` when the last answer came. `penalty` grows by 1 with each
    fall and fades over an hour of life. `hurried`: somebody else has answered after a silence of all.
    """

    status: Status = Status.UNKNOWN
    rises: int = 0
    fails: int = 0
    misses: int = 0
    suspect_since: float | None = None
    answered_at: float | None = None
    up_since: float | None = None
    penalty: float = 0.0
    held_until: float = 0.0
    hurried: bool = False

    @property
    def in_doubt(self) -> bool:
        """Whether one that was up has failed since its last answer, and not often enough to be down."""
        return self.status is not Status.DOWN and self.misses > 0 and self.answered_at is not None

    @property
    def unsettled(self) -> bool:
        """Whether its checks follow each other at a pace of their own."""
        return self.in_doubt or (self.status is Status.DOWN and self.rises > 0)

    @property
    def wavering(self) -> bool:
        """Whether the next checks, which follow at once, decide if it rises or falls."""
        return (self.status is Status.DOWN and self.rises > 0) or (
            self.in_doubt and (self.misses < FALL or self.hurried)
        )


def answered(health: Health, now: float) -> Health:
    """A probe found an Ollama. The first answer ever brings it up; one that fell must answer RISE times."""
    rises = health.rises + 1
    record = replace(health, rises=rises, fails=0, misses=0, suspect_since=None, answered_at=now, hurried=False)
    fell = health.status is Status.DOWN and health.answered_at is not None
    if health.status is Status.UP or (fell and rises < RISE):
        return record
    held_until = now + hold(health.penalty) if health.penalty else 0.0
    return replace(record, status=Status.UP, up_since=now, held_until=held_until)


def failed(health: Health, sent: float, now: float, proof: Proof, attempts: int = 1, fall: int = FALL) -> Health:
    """A probe found no Ollama. `proof` is about probes sent after `suspect_since`.

    A check that confirms a silence has made two attempts, which are two failures; after `fall` of them it is down.
    """
    since = sent if health.suspect_since is None else health.suspect_since
    counts = health.misses == 0 or proof is not Proof.NONE
    fails = health.fails + attempts if counts else health.fails
    hurried = health.hurried and proof is not Proof.NONE
    misses = health.misses + attempts
    record = replace(health, rises=0, fails=fails, misses=misses, suspect_since=since, hurried=hurried)
    if record.in_doubt:
        return _fall(record, now, blamed=proof is Proof.NETWORK) if fails >= fall else record
    return replace(record, status=Status.DOWN)


def doubted_anew(health: Health) -> Health:
    """What follows when somebody answers at last: the checks that now decide follow each other at once."""
    return replace(health, hurried=True)


def forgiven(health: Health, now: float) -> Health:
    """What is left after the network itself was away: past failures count no more, nor do past answers."""
    record = replace(health, status=Status.UNKNOWN, rises=0, fails=0, misses=0, suspect_since=None)
    return replace(record, up_since=None, penalty=_faded(health, now))


def hold(penalty: float) -> float:
    """Seconds before a server with this penalty may displace a healthy one: 60 s, doubling to 30 min."""
    return min(HOLD_MAX, HOLD_FIRST * math.exp2(min(penalty - 1.0, 16.0)))


def _fall(health: Health, now: float, *, blamed: bool) -> Health:
    penalty = _faded(health, now) + (1.0 if blamed else 0.0)
    return replace(health, status=Status.DOWN, up_since=None, penalty=penalty)


def _faded(health: Health, now: float) -> float:
    life = now - health.up_since if health.up_since is not None else 0.0
    return health.penalty * max(0.0, 1.0 - life / HOLD_FORGET)
