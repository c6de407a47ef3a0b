"""The daemon: whether it lives, is heard, is of this version, and is installed once."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

from ollama_locate.core.constants import VERSION
from ollama_locate.core.duration import about
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.finding import Finding, found
from ollama_locate.core.units import LABEL
from ollama_locate.edge import systemctl
from ollama_locate.edge.folders import SYSTEM_STATE
from ollama_locate.edge.lock import holder

from .case import Case, silent_for

_PROPERTIES = ("LoadState", "ActiveState", "Result", "NRestarts", "UnitFileState")
_GOOD = ("", "success")


class Unit(NamedTuple):
    """What systemd says of the unit; `user`: of this user's own."""

    user: bool
    load: str = ""
    active: str = ""
    result: str = ""
    restarts: int = 0

    @property
    def there(self) -> bool:
        """Whether it is installed."""
        return self.load == "loaded"

    @property
    def name(self) -> str:
        """For people."""
        return "your own unit" if self.user else "the system's unit"


class Facts(NamedTuple):
    """What was found. `pid` holds the lock; `silent` are the seconds since its last heartbeat, if they are too many."""

    pid: int | None
    beats: bool
    silent: float | None = None
    version: str = ""
    units: tuple[Unit, ...] = ()
    agent: bool = False
    system_folder: bool = False


def run(case: Case) -> list[Finding]:
    """Look at it."""
    seen = case.published()
    try:
        folder: Path | None = case.folder
    except StateFolderError:
        folder = None
    pid = holder(folder) if folder else None
    return judge(
        Facts(
            pid,
            seen is not None,
            silent_for(folder) if folder else None,
            seen.snapshot.program if seen else "",
            tuple(unit for user in (True, False) if (unit := _unit(user=user)) is not None),
            Path(f"~/Library/LaunchAgents/{LABEL}.plist").expanduser().exists(),
            folder != SYSTEM_STATE and holder(SYSTEM_STATE) is not None,
        )
    )


def judge(facts: Facts) -> list[Finding]:
    """Say what is wrong."""
    findings = [finding for unit in facts.units if unit.there for finding in _of_unit(unit)]
    there = [unit for unit in facts.units if unit.there]
    lives = facts.pid is not None and facts.silent is None
    if facts.pid is not None and facts.silent is not None:
        findings.append(found("daemon_stale", pid=facts.pid, age=about(facts.silent), restart=_again(facts, there)))
    elif not lives and any(unit.active == "active" and not unit.user for unit in there):
        findings.append(found("daemon_not_for_you"))
    elif not lives:
        findings.append(found("daemon_not_running", start=_start(facts, there)))
    if lives and facts.version and facts.version != VERSION:
        findings.append(found("daemon_other_version", theirs=facts.version, ours=VERSION, restart=_again(facts, there)))
    if len(there) > 1 or (facts.system_folder and facts.pid is not None):
        which = "the system's (/var/lib/ollama-locate) and your own"
        findings.append(found("daemon_twice", which=which, remove="sudo ollama-locate service uninstall --system"))
    return findings


def _of_unit(unit: Unit) -> list[Finding]:
    flag = "--user " if unit.user else ""
    if unit.result == "watchdog":
        return [found("daemon_watchdog", unit=unit.name, user_flag=flag)]
    if unit.result not in _GOOD:
        return [found("daemon_failed", unit=unit.name, result=unit.result, user_flag=flag)]
    if unit.restarts:
        return [found("daemon_restarts", unit=unit.name, count=unit.restarts, user_flag=flag)]
    return []


def _start(facts: Facts, there: list[Unit]) -> str:
    return _restart(there) if there or facts.agent else "ollama-locate service install"


def _again(facts: Facts, there: list[Unit]) -> str:
    if there or facts.agent or not facts.pid:
        return _start(facts, there)
    return f"kill {facts.pid}; ollama-locate service install"


def _restart(there: list[Unit]) -> str:
    own = not there or there[0].user
    return "ollama-locate service restart" if own else "sudo ollama-locate service restart --system"


def _unit(*, user: bool) -> Unit | None:
    if sys.platform == "darwin" or (user and not os.environ.get("XDG_RUNTIME_DIR")):
        return None
    said = systemctl.show(*_PROPERTIES, user=user)
    if said is None:
        return None
    restarts = said.get("NRestarts", "")
    return Unit(
        user,
        said.get("LoadState", ""),
        said.get("ActiveState", ""),
        said.get("Result", ""),
        int(restarts) if restarts.isdigit() else 0,
    )
