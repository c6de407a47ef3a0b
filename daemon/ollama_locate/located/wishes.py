"""What the user wants: the config and the pin, read again while the daemon runs."""

import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollama_locate.core.config import Config, Followed, parse_config
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.pin import Pin
from ollama_locate.core.text import shown
from ollama_locate.edge.files import read_config
from ollama_locate.edge.pin import read_pin
from ollama_locate.edge.speeds import NAME as SPEEDS
from ollama_locate.edge.speeds import read_speeds

from .log import LOGGER

if TYPE_CHECKING:
    from ollama_locate.core.speed import Speed


class Wishes:
    """`config`, `pin` and `speeds` are what is followed. A mistake is said once, and changes nothing that worked."""

    def __init__(
        self,
        config: Config,
        config_path: Path,
        folder: Path,
        on_disk: Callable[..., Coroutine[Any, Any, Any]],
    ) -> None:
        self.config, self._config_path, self._folder = config, config_path, folder
        self._on_disk = on_disk
        self._seen = _stamp(config_path)
        self._config_trouble = self._pin_trouble = self._speeds_trouble = ""
        self.pin = self._read_pin()
        self.speeds: tuple[Speed, ...] = ()
        self._measured: tuple[int, int, int] | None = None
        self.read_speeds()

    @property
    def followed(self) -> Followed:
        """All of them."""
        return Followed(self.config, self.pin, self.speeds)

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is wrong with them, in sentences."""
        return tuple(one for one in (self._config_trouble, self._pin_trouble, self._speeds_trouble) if one)

    async def read_config(self, *, anyway: bool) -> bool:
        """Read the config if its file has changed, or `anyway`; returns whether there is something to follow or say."""
        seen = await self._on_disk(_stamp, self._config_path)
        if seen == self._seen and not anyway:
            return False
        self._seen = seen
        try:
            raw: bytes = await self._on_disk(read_config, self._config_path)
            self.config = parse_config(raw, str(self._config_path))
        except OperatorError as error:
            self._config_trouble = f"{error}; the old config stays in force"
            LOGGER.error("%s", self._config_trouble)
            return True
        self._config_trouble = ""
        LOGGER.info("config read again: %s", self._config_path)
        LOGGER.setLevel(self.config.log_level.upper())
        return True

    async def read_pin(self) -> bool:
        """Read the pin; returns whether it is another one, or there is something to say."""
        before, trouble = self.pin, self._pin_trouble
        self.pin = await self._on_disk(self._read_pin)
        if self.pin == before:
            return trouble != self._pin_trouble
        if self.pin is not None:
            LOGGER.info("%s (%s) is pinned", shown(self.pin.name), self.pin.url)
        elif before is not None:
            LOGGER.info("%s is pinned no longer", shown(before.name))
        return True

    def read_speeds(self) -> bool:
        """Read what was measured, if its file has changed; returns whether there is something to follow or say."""
        seen = _stamp(self._folder / SPEEDS)
        if seen == self._measured:
            return False
        self._measured = seen
        try:
            self.speeds, self._speeds_trouble = read_speeds(self._folder), ""
        except OperatorError as error:
            self._speeds_trouble = f"{error}; the old figures stay in force"
            LOGGER.error("%s", self._speeds_trouble)
        return True

    def _read_pin(self) -> Pin | None:
        try:
            pin, trouble = read_pin(self._folder, time.time()), ""
        except OperatorError as error:
            kept = getattr(self, "pin", None)
            over = kept is not None and kept.until is not None and kept.until <= time.time()
            pin, trouble = None if over else kept, str(error)
        if trouble and trouble != self._pin_trouble:
            LOGGER.error("%s", trouble)
        self._pin_trouble = trouble
        return pin


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is changed: its time, size and inode."""
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_mtime_ns, info.st_size, info.st_ino
