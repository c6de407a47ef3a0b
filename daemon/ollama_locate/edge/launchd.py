"""launchd as the service's manager: an agent of the user, as long as the user is logged in at the screen.

Composed after launchctl(1) and launchd.plist(5), and checked by a stand-in that notes its words: no macOS was at hand.
"""

import contextlib
import os
import re
import sys
import time
from pathlib import Path
from typing import Final

from ollama_locate.core import units
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.text import shown
from ollama_locate.core.units import LABEL

from .call import Called, call
from .folders import home
from .services import Service, is_foreign
from .templates import service
from .userfiles import put, text_of

_PATIENCE: Final = 20.0
_GONE: Final = 5.0
"""For how long a job that was told to end may still be there: `bootstrap` fails until it is gone."""


class Launchd:
    """Installs, starts, stops and shows the service. Each method raises OperatorError with launchctl's own words."""

    def __init__(self) -> None:
        self.name = "launchd"
        self.file = home() / f"Library/LaunchAgents/{LABEL}.plist"
        self._log = home() / "Library/Logs/ollama-located.log"
        ours = {name: os.environ.get(name, "") for name in units.FOLDERS}
        self._environment = {name: value for name, value in ours.items() if value.startswith("/")}
        self._domain = f"gui/{os.getuid()}"
        self._target = f"{self._domain}/{LABEL}"

    @staticmethod
    def here() -> bool:
        """Whether launchd manages this machine."""
        return sys.platform == "darwin"

    def check(self, program: str) -> None:
        """Whether it can be installed here; nothing is changed."""
        units.plist("", program, str(self._log), self._environment)
        if is_foreign(self.file):
            raise OperatorError(f"{self.file} is there, and was not written by `service install`; move it away first")

    def install(self, program: str) -> str:
        """Write the job; returns what changed, in a word or two."""
        self.check(program)
        old = text_of(self.file) if self.file.exists() else None
        new = units.plist(service(f"launchd/{LABEL}.plist"), program, str(self._log), self._environment)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        if new != old:
            put(self.file, new)
        return "is as it was" if new == old else "replaced" if old is not None else "written"

    def start(self) -> None:
        """Start it, or start it again. launchd does not say when the first round is published."""
        self._boot_out()
        self._launchctl("enable", self._target)
        self._launchctl("bootstrap", self._domain, str(self.file))

    def stop_and_remove(self) -> list[str]:
        """End it and remove what `install` wrote; returns the names of what was removed."""
        if not self.file.exists():
            return []
        if not units.is_ours(text_of(self.file)):
            raise OperatorError(f"{self.file} was not written by `service install`: it is left alone")
        self._boot_out()
        for file in (self.file, self._log):
            with contextlib.suppress(FileNotFoundError):
                file.unlink()
        return [str(self.file), str(self._log)]

    def state(self) -> Service:
        """What launchd knows of it."""
        called = self._call("print", self._target)
        if not called.fine:
            return Service(file=str(self.file) if self.file.exists() else "")
        found = dict(re.findall(r"^\t([a-z ]+) = (.*)$", called.out, re.MULTILINE))
        pid = found.get("pid", "")
        return Service(
            file=found.get("path", str(self.file)),
            load="loaded",
            enabled=True,
            active="active" if found.get("state") == "running" else shown(found.get("state", "unknown")),
            pid=int(pid) if pid.isdigit() else None,
            result=shown(found.get("last exit code", "")),
        )

    def logs(self, lines: int, *, follow: bool) -> list[str]:
        """The command that shows the log."""
        return ["tail", "-n", str(lines), *(["-F"] if follow else []), str(self._log)]

    def last_words(self) -> list[str]:
        """The last lines of the log, for who wants to know why it did not start."""
        called = call(self.logs(5, follow=False), _PATIENCE)
        return [shown(line) for line in called.out.splitlines()] if called.fine else []

    def state_folder(self) -> Path | None:
        """The user's own."""
        return None

    def _boot_out(self) -> None:
        if not self._call("print", self._target).fine:
            return
        self._launchctl("bootout", self._target)
        ends = time.monotonic() + _GONE
        while self._call("print", self._target).fine and time.monotonic() < ends:
            time.sleep(0.1)

    def _call(self, *words: str) -> Called:
        return call(["launchctl", *words], _PATIENCE)

    def _launchctl(self, *words: str) -> None:
        called = self._call(*words)
        if not called.fine:
            mend = "" if words[0] != "bootstrap" else "; an agent starts only while its user is logged in at the screen"
            raise OperatorError(f"`launchctl {' '.join(words)}` failed: {shown(called.said)}{mend}")
