"""What the user wants is read again, and followed: requests that came, the config, the pin, what was measured."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from .mailbox import Mailbox
from .publisher import Publisher
from .wishes import Wishes

_PIN_ENDED: Final = 0.01
"""After the end of a pin's time, so that it is over on the wall clock too."""


class Follow(Protocol):
    """Called when the user wants something else; `config`: by the config."""

    def __call__(self, *, config: bool) -> None:
        """Do as `wishes` say now."""


class Following:
    """`follow` is called when something is to be followed or said."""

    def __init__(
        self,
        wishes: Wishes,
        mailbox: Mailbox,
        publisher: Publisher,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        follow: Follow,
    ) -> None:
        self._wishes, self._mailbox, self._publisher = wishes, mailbox, publisher
        self._spawn, self._follow = spawn, follow
        self._loop = asyncio.get_running_loop()
        self._reading = self._unread = False
        self._pin_ends: asyncio.TimerHandle | None = None

    async def read(self) -> None:
        """One reading at a time: however many signals come meanwhile, one more follows, and the disk has no queue."""
        self._unread = True
        if self._reading:
            return
        self._reading = True
        try:
            while self._unread:
                self._unread = False
                await self.follow()
                await self._mailbox.read()
        finally:
            self._reading = False

    async def follow(self, *, anyway: bool = False) -> None:
        """Do as the config and the pin say now; `anyway`: the config is read though it looks unchanged."""
        wishes = self._wishes
        config, pin = await wishes.read_config(anyway=anyway), await wishes.read_pin()
        measured = await self._publisher.on_disk(wishes.read_speeds)
        if config or pin or measured:
            self._follow(config=config)
            self.await_end_of_pin()

    def await_end_of_pin(self) -> None:
        """Look again when its time is over."""
        if self._pin_ends is not None:
            self._pin_ends.cancel()
        pin = self._wishes.pin
        if pin is not None and pin.until is not None:
            wait = max(0.0, pin.until - time.time()) + _PIN_ENDED
            self._pin_ends = self._loop.call_later(wait, lambda: self._spawn(self.follow()))
