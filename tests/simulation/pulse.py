"""Something that must never pause for long, by the time in which the machine is awake and the program is run."""

from typing import Protocol

from .referee import Referee


class _Machine(Protocol):
    referee: Referee

    @property
    def now(self) -> float:
        """Monotonic seconds, which stand still in sleep."""


class Pulse:
    """Beats; `last` is when it did so last, `worst` the longest pause."""

    def __init__(self, name: str, limit: float, machine: _Machine) -> None:
        self.name, self.last, self.worst = name, 0.0, 0.0
        self._limit, self._machine = limit, machine

    def beat(self) -> None:
        """Once more, in time."""
        self.check()
        self.last = self._machine.now

    def check(self) -> None:
        """It must have come by now."""
        pause = self._machine.now - self.last
        self.worst = max(self.worst, pause)
        if pause > self._limit:
            self._machine.referee.fail(
                self._machine.now, f"{self.name} came after {pause:.1f} s only, {self._limit:g} s are allowed"
            )
