"""systemd as the service's manager: the user's own, or the system's."""

import contextlib
import getpass
import os
import shutil
from pathlib import Path
from typing import Final

from ollama_locate.core import units
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.text import shown
from ollama_locate.core.units import UNIT

from .call import Called, call
from .folders import SYSTEM_STATE, user_units
from .services import Service, is_foreign
from .templates import service
from .userfiles import put, text_of

_BOOTED: Final = Path("/run/systemd/system")
_SYSUSERS: Final = Path("/etc/sysusers.d") / units.SYSUSERS
_PATIENCE: Final = 20.0
_START: Final = 100.0
"""Longer than systemd's own DefaultTimeoutStartSec of 90 s, so that its reason is what is passed on."""
_HIDDEN: Final = ("/home/", "/root/", "/run/user/")
_PROPERTIES: Final = "LoadState,UnitFileState,ActiveState,MainPID,StatusText,NRestarts,Result,FragmentPath"


class Systemd:
    """Installs, starts, stops and shows the service. Each method raises OperatorError with systemd's own words."""

    def __init__(self, *, system: bool) -> None:
        self.system = system
        self.name = "systemd" if system else "systemd (user)"
        # Not set after su, and over ssh where PAM does not open a session; the manager may run all the same.
        own = f"/run/user/{os.getuid()}"
        absent = not system and "XDG_RUNTIME_DIR" not in os.environ and Path(own).is_dir()
        self._more = {"XDG_RUNTIME_DIR": own} if absent else {}
        self._environment: dict[str, str] = {}
        folder = Path("/etc/systemd/system")
        if not system:
            known = self._call("show-environment")
            theirs = dict(line.partition("=")[::2] for line in known.out.splitlines()) if known.fine else os.environ
            folder = user_units(theirs)
            ours = {name: value for name in units.FOLDERS if (value := os.environ.get(name, "")).startswith("/")}
            self._environment = {name: value for name, value in ours.items() if theirs.get(name) != value}
        self.file = folder / UNIT

    @staticmethod
    def here() -> bool:
        """Whether systemd manages this machine (sd_booted(3))."""
        return _BOOTED.is_dir() and shutil.which("systemctl") is not None

    def check(self, program: str) -> None:
        """Whether it can be installed here; nothing is changed."""
        self._reach()
        if self.system:
            if os.geteuid() != 0:
                raise OperatorError(
                    "the system's service is root's to install; type: sudo ollama-locate service install --system"
                )
            _check_seen_by_all(program)
        found = self.state()
        if found.load == "masked":
            raise OperatorError(f"{UNIT} is masked; type: {self._typed('unmask', UNIT)}")
        for file in self._files:
            if is_foreign(file):
                raise OperatorError(f"{file} is there, and was not written by `service install`; move it away first")
        if found.file and found.file != str(self.file):
            raise OperatorError(f"systemd has a unit of this name already, {found.file}; remove it first")

    def install(self, program: str) -> str:
        """Write the unit and enable it; returns what changed, in a word or two."""
        self.check(program)
        old = text_of(self.file) if self.file.exists() else None
        new = units.unit(service(f"systemd/{'system/' if self.system else ''}{UNIT}"), program, self._environment)
        if self.system:
            put(_SYSUSERS, service(f"systemd/system/{units.SYSUSERS}"))
            _need(call(["systemd-sysusers", str(_SYSUSERS)], _PATIENCE), "systemd-sysusers")
        if new != old:
            put(self.file, new)
        self._systemctl("daemon-reload")
        self._systemctl("enable", UNIT)
        return "is as it was" if new == old else "replaced" if old is not None else "written"

    def start(self) -> None:
        """Start it, or start it again, and wait until the first round is published."""
        if is_foreign(self.file):
            raise OperatorError(f"{self.file} was not written by `service install`: it is left alone")
        self._systemctl("restart", UNIT, patience=_START)

    def stop_and_remove(self) -> list[str]:
        """End it and remove what `install` wrote; returns the names of what was removed."""
        self._reach()
        for file in self._files:
            if is_foreign(file):
                raise OperatorError(f"{file} was not written by `service install`: it is left alone")
        if not self.file.exists():
            return []
        self._systemctl("disable", "--now", UNIT, patience=_START)
        removed = [file for file in self._files if file.exists()]
        for file in removed:
            file.unlink()
        # What `install` may have made, where nothing else is in it; the system's own folder for units stays.
        for folder in {file.parent for file in removed} - {Path("/etc/systemd/system")}:
            with contextlib.suppress(OSError):
                folder.rmdir()
        self._systemctl("daemon-reload")
        self._call("reset-failed", UNIT)
        return [str(file) for file in removed]

    def remove_user(self) -> None:
        """The user as whom the system's service ran; only when nothing is left that belongs to it."""
        if self.system:
            call(["userdel", units.USER], _PATIENCE)
            # It stays where somebody was made a member.
            call(["groupdel", units.USER], _PATIENCE)

    @property
    def _files(self) -> list[Path]:
        return [self.file, _SYSUSERS] if self.system else [self.file]

    def state(self) -> Service:
        """What the manager knows of it."""
        called = self._call("show", UNIT, f"--property={_PROPERTIES}")
        if not called.fine:
            raise OperatorError(f"systemctl: {shown(called.said)}")
        found = dict(line.partition("=")[::2] for line in called.out.splitlines())
        return Service(
            file=found.get("FragmentPath", ""),
            load=found.get("LoadState", ""),
            enabled=found.get("UnitFileState", "") in ("enabled", "enabled-runtime", "linked"),
            active=found.get("ActiveState", ""),
            pid=int(found.get("MainPID", "0")) or None,
            says=shown(found.get("StatusText", "")),
            restarts=int(found.get("NRestarts", "0")),
            result=found.get("Result", ""),
        )

    def logs(self, lines: int, *, follow: bool) -> list[str]:
        """The command that shows the log."""
        unit = ["--unit" if self.system else "--user-unit", UNIT]
        return ["journalctl", *unit, "--lines", str(lines), *(["--follow"] if follow else [])]

    def last_words(self) -> list[str]:
        """The last lines of the log, for who wants to know why it did not start."""
        called = call([*self.logs(5, follow=False), "--no-pager", "--output=cat"], _PATIENCE, self._more)
        return [shown(line) for line in called.out.splitlines()] if called.fine else []

    def lingers(self) -> bool | None:
        """Whether the user's services go on after the last logout; None where nobody can tell."""
        called = call(["loginctl", "show-user", _user(), "--property=Linger", "--value"], _PATIENCE)
        return called.out == "yes" if called.fine else None

    def linger(self, *, on: bool) -> None:
        """Let them go on, or not any more."""
        word = "enable-linger" if on else "disable-linger"
        _need(call(["loginctl", word, _user()], _PATIENCE), f"loginctl {word}")

    def state_folder(self) -> Path | None:
        """Where the service writes, if not where this user's own programs would."""
        return SYSTEM_STATE if self.system else None

    def _reach(self) -> None:
        called = self._call("show", "--property=Version")
        if called.fine:
            return
        uid = os.getuid()
        mend = (
            ""
            if self.system
            else ". There is no user session here (su, cron, a container?): log in as this user, or type\n"
            f"  sudo loginctl enable-linger {_user()} && export XDG_RUNTIME_DIR=/run/user/{uid}"
        )
        raise OperatorError(f"{self.name} cannot be reached: {shown(called.said)}{mend}")

    def _typed(self, *words: str) -> str:
        return " ".join(["sudo systemctl" if self.system else "systemctl --user", *words])

    def _call(self, *words: str, patience: float = _PATIENCE) -> Called:
        return call(["systemctl", *([] if self.system else ["--user"]), *words], patience, self._more)

    def _systemctl(self, *words: str, patience: float = _PATIENCE) -> None:
        _need(self._call(*words, patience=patience), self._typed(*words))


def _need(called: Called, typed: str) -> None:
    if not called.fine:
        raise OperatorError(f"`{typed}` failed: {shown(called.said)}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _check_seen_by_all(program: str) -> None:
    """The service runs as a user of its own, and sees no home folder."""
    for path in {str(Path(program)), str(Path(program).resolve()), str(Path(program).parent / "python3")}:
        if os.path.realpath(path).startswith(_HIDDEN) or path.startswith(_HIDDEN):
            raise OperatorError(
                f"{program} lies in a home folder, which the system's service cannot see. Install it for all, from "
                "the folder with this program's sources, and use that one:\n"
                "  sudo python3 -m venv /opt/ollama-locate && sudo /opt/ollama-locate/bin/pip install .\n"
                "  sudo /opt/ollama-locate/bin/ollama-locate service install --system"
            )
