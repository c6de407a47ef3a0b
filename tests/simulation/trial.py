"""One run of one world: what it showed, and what it broke."""

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from .limits import allowed
from .machine import Machine
from .referee import Accounts, ViolationError
from .world import World, draw


class Living(Protocol):
    """A machine under test."""

    def run(self) -> Accounts:
        """Live through all the days."""


class Result(NamedTuple):
    """What a run has shown. `allowed` is how many changes the world allows; `cpu` seconds were spent."""

    world: str
    seed: int
    days: float
    accounts: Accounts
    allowed: float
    cpu: float

    def dumps(self) -> str:
        """For another process."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def loads(cls, text: str) -> "Result":
        """What another process has dumped."""
        return msgspec.json.decode(text, type=cls)


def live(world: World, seed: int, days: float, life: Callable[[World, int, float], Living] = Machine) -> Result:
    """Live through it. Raises ViolationError as soon as an invariant is broken."""
    began = time.process_time()
    accounts = life(world, seed, days).run()
    limit = allowed(world, draw(world, seed, days), days)
    return Result(world.name, seed, days, accounts, limit, time.process_time() - began)


def judge(world: World, result: Result) -> None:
    """What can be said only of the whole. The text has what it takes to see it again."""
    accounts = result.accounts
    title = f"world {world.name!r}, seed {result.seed}, {result.days:g} days: {accounts}"
    if accounts.changes > result.allowed:
        raise ViolationError(f"{accounts.changes} changes, at most {result.allowed:g} are allowed\n{title}")
    if world.stationary and max(accounts.a_day.values(), default=0) > 1:
        raise ViolationError(f"more than one change on one day\n{title}")
    if accounts.share < world.share:
        raise ViolationError(
            f"{accounts.share:.3%} on what an oracle would choose, {world.share:.0%} are wanted\n{title}"
        )
