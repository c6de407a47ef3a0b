"""Commands on a change: run when the files say something else, one at a time each, and never waited for."""

from ollama_locate.core.command import Command
from ollama_locate.core.on_change import differs, environment
from ollama_locate.core.snapshot import DecisionState
from ollama_locate.core.text import shown

from .commands import Commands, Spawn
from .log import LOGGER


class OnChange:
    """A change while a command runs makes it run once more afterwards, with what is true then.

    `before` is what an earlier run has published: a restart that changes nothing is no change.
    """

    def __init__(self, before: DecisionState | None, commands: Commands, spawn: Spawn) -> None:
        self._commands, self._spawn = commands, spawn
        self._now: DecisionState | None = None
        self._first = before
        self._told: dict[Command, DecisionState | None] = {}
        self._running: set[Command] = set()

    def published(self, decision: DecisionState, commands: tuple[Command, ...]) -> None:
        """The files say this now."""
        self._now = decision
        self._told = {one: self._told.get(one, self._first) for one in commands}
        self._first = decision  # a command that the config gets later is told of later changes
        for one in self._told.keys() - self._running:
            if differs(self._told[one], decision):
                self._running.add(one)
                self._spawn(self._follow(one))

    async def _follow(self, command: Command) -> None:
        """Run it until it has been told what is true."""
        try:
            while (now := self._now) and command in self._told and differs(old := self._told[command], now):
                self._told[command] = now
                trouble = await self._commands.run(command, environment(old, now))
                if self._commands.stopped:
                    return
                if trouble:
                    LOGGER.warning("on_change: %s: %s", shown(command.words[0]), trouble)
        finally:
            self._running.discard(command)
