"""What runs the daemon for good: systemd or launchd."""

from pathlib import Path
from typing import NamedTuple, Protocol

from ollama_locate.core import units

from .userfiles import text_of


class Service(NamedTuple):
    """What a manager knows of the service. `active` is its own word, `says` the daemon's; `load` as systemd has it."""

    file: str = ""
    load: str = ""
    enabled: bool = False
    active: str = ""
    pid: int | None = None
    says: str = ""
    restarts: int = 0
    result: str = ""


class Manager(Protocol):
    """Either of them. All methods raise OperatorError."""

    name: str
    file: Path

    def check(self, program: str) -> None:
        """Whether it can be installed here; nothing is changed."""

    def install(self, program: str) -> str:
        """Write its file and enable it; returns what changed, in a word or two."""

    def start(self) -> None:
        """Start it, or start it again."""

    def stop_and_remove(self) -> list[str]:
        """End it and remove what `install` wrote; returns the names of what was removed."""

    def state(self) -> Service:
        """What the manager knows of it."""

    def logs(self, lines: int, *, follow: bool) -> list[str]:
        """The command that shows the log."""

    def last_words(self) -> list[str]:
        """The last lines of the log, for who wants to know why it did not start."""

    def state_folder(self) -> Path | None:
        """Where the service writes, if not where this user's own programs would."""


def is_foreign(file: Path) -> bool:
    """Whether something is there that `service install` did not write. Raises OperatorError where it cannot be read."""
    return file.is_symlink() or (file.exists() and not units.is_ours(text_of(file)))
