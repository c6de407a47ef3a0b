"""What several checks ask for. Each thing is found out once, by whoever asks first; the others wait for it."""

import asyncio
import getpass
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from ollama_locate.core.bounds import DOCTOR_ROUND, HEARTBEAT_DEAD
from ollama_locate.core.config import Config, Followed, parse_config
from ollama_locate.core.errors import ConfigError, OperatorError, StateFolderError
from ollama_locate.core.net import Net
from ollama_locate.core.pin import Pin
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.core.tailnet import Own, Tailnet, Unavailable, parse_own
from ollama_locate.edge import folders, tailscale
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.files import read_config
from ollama_locate.edge.pin import read_pin
from ollama_locate.edge.published import Seen, published
from ollama_locate.located.once import look_once

T = TypeVar("T")


class Once(Generic[T]):
    """A value that is found out at the first call, or the error of finding it out."""

    def __init__(self, find: Callable[[], T]) -> None:
        self._find, self._lock = find, threading.Lock()
        self._value: tuple[T] | None = None
        self._error: Exception | None = None

    def __call__(self) -> T:
        """The value. Raises what finding it out has raised."""
        with self._lock:
            if self._value is None and self._error is None:
                try:
                    self._value = (self._find(),)
                except Exception as error:  # noqa: BLE001 - told to everybody who asks
                    self._error = error
        if self._value is None:
            raise self._error or RuntimeError
        return self._value[0]


class Settings(NamedTuple):
    """The config that is used, and what is wrong with the file: then it is the defaults."""

    config: Config
    broken: str = ""


class Asked(NamedTuple):
    """What tailscale says of one tailnet, and of this machine in it."""

    net: Net
    look: Tailnet | Unavailable
    own: Own


class Round(NamedTuple):
    """Everybody asked once, as `status` without a daemon does; and what tailscale says of each tailnet."""

    snapshot: Snapshot
    tailnets: tuple[Asked, ...]


class Case:
    """This machine, as the checks see it. `environment` is the caller's; `wire` replaces where connects leave."""

    def __init__(self, environment: Mapping[str, str] | None = None, wire: Wire | None = None) -> None:
        self.environment = os.environ if environment is None else environment
        self.wire = wire or Wire()
        self.macos = sys.platform == "darwin"
        self.settings = Once(self._settings)
        self.round = Once(self._round)
        self.published = Once(self._published)

    @property
    def config(self) -> Config:
        """The settings, the defaults where the file is broken."""
        return self.settings().config

    @property
    def user(self) -> str:
        """The user's name, for commands."""
        try:
            return getpass.getuser()
        except (OSError, KeyError):
            return str(os.getuid())

    @property
    def folder(self) -> Path:
        """The state folder that readers read. Raises StateFolderError."""
        return folders.reader_folder()

    def pin(self) -> Pin | None:
        """The pin, if it can be read."""
        try:
            return read_pin(self.folder, time.time())
        except OperatorError:
            return None

    def now(self) -> Snapshot:
        """What the living daemon has published, else what this round has found."""
        seen = self.published()
        return self.round().snapshot if seen is None else seen.snapshot

    def _settings(self) -> Settings:
        path = folders.reader_config()
        try:
            return Settings(parse_config(read_config(path), str(path)))
        except ConfigError as error:
            return Settings(Config(), str(error))

    def _published(self) -> Seen | None:
        try:
            return published(self.folder)
        except StateFolderError:
            return None

    def _round(self) -> Round:
        config, pin = self.config, self.pin()

        async def both() -> Round:
            asked = asyncio.ensure_future(look_once(Followed(config, pin), DOCTOR_ROUND, wire=self.wire))
            tailnets = await asyncio.gather(*(_asked(config.tailscale, net) for net in config.nets))
            return Round(await asked, tuple(tailnets))

        return asyncio.run(both())


async def _asked(executable: str, net: Net) -> Asked:
    said = await tailscale.command(executable, *net.words, "status", "--json", deadline=DOCTOR_ROUND)
    if isinstance(said, Unavailable):
        return Asked(net, said, Own())
    return Asked(net, tailscale.judge(said), parse_own(said.out))


def silent_for(folder: Path) -> float | None:
    """The seconds since the last heartbeat where they are too many, None where it beats or never has."""
    try:
        age = time.time() - (folder / "verdict").stat().st_mtime
    except OSError:
        return None
    return abs(age) if abs(age) >= HEARTBEAT_DEAD else None
