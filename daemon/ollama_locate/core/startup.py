"""Which start-up files a shell reads, and what of ours, or against us, stands in one. Nothing is ever executed."""

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final, NamedTuple

from .hook import QUOTE

WATCHED: Final = ("OLLAMA_ENDPOINT", "OLLAMA_HOST")
"""Variables of which a hand-set value is worth knowing."""


class File(NamedTuple):
    """A start-up file, there or not; `path` may end in `*`-patterns, to be expanded.

    `terminal`: each new terminal reads it; else login shells only do, or other shells.
    """

    path: str
    shell: str
    terminal: bool


class Kind(Enum):
    """What a line does."""

    HOOK = "hook"
    """It loads the hook: the shell follows. `name` is the hook's shell, empty where the line does not say."""
    ENV = "env"
    """It sources env.sh or env.fish: the shell has what was true at its start."""
    SET = "set"
    """It sets the variable `name` by hand."""
    PREEXEC = "preexec"
    """It loads bash-preexec."""
    BASHRC = "bashrc"
    """It reads ~/.bashrc, as a login file should."""


class Line(NamedTuple):
    """One line of interest, its number counted from 1."""

    number: int
    kind: Kind
    name: str
    text: str


class Home(NamedTuple):
    """What the paths depend on: the home folder, the environment, whether this is macOS."""

    path: str
    environment: Mapping[str, str]
    macos: bool = False

    def of(self, variable: str, default: str) -> str:
        """An absolute path of the environment, else the default below the home folder."""
        said = self.environment.get(variable, "")
        return said if said.startswith("/") else f"{self.path}/{default}"


def find(shell: str, home: Home) -> list[File]:
    """The start-up files of a shell (`bash`, `zsh`, `fish`, `nu`; another has none), the usual place first.

    Terminals start login shells on macOS and others elsewhere; so bash reads ~/.bashrc in a terminal on Linux and
    the first login file on macOS (bash(1), INVOCATION; zsh(1), STARTUP/SHUTDOWN FILES).
    """
    if shell == "bash":
        login = [f"{home.path}/{name}" for name in (".bash_profile", ".bash_login", ".profile")]
        rc = File(f"{home.path}/.bashrc", shell, not home.macos)
        files = [File(path, shell, home.macos) for path in login]
        return [*files, rc] if home.macos else [rc, *files]
    if shell == "zsh":
        folder = home.of("ZDOTDIR", "").rstrip("/")
        read = {".zshrc": True, ".zshenv": True, ".zprofile": home.macos, ".zlogin": home.macos}
        return [File(f"{folder}/{name}", shell, terminal) for name, terminal in read.items()]
    if shell == "fish":
        config = home.of("XDG_CONFIG_HOME", ".config")
        return [File(f"{config}/fish/{name}", shell, terminal=True) for name in ("config.fish", "conf.d/*.fish")]
    if shell == "nu":
        support = "Library/Application Support" if home.macos else ""
        settings = home.of("XDG_CONFIG_HOME", support or ".config")
        data = home.of("XDG_DATA_HOME", support or ".local/share")
        names = [f"{settings}/nushell/{name}" for name in ("config.nu", "env.nu", "autoload/*.nu")]
        return [File(name, shell, terminal=True) for name in (f"{data}/nushell/vendor/autoload/*.nu", *names)]
    return []


_PLAIN: Final = re.compile(r"[A-Za-z0-9/._-]+")
_HOOK_FILE: Final = re.compile(r"hook\.(bash|zsh|fish|nu)\b")
_HOOK_COMMAND: Final = re.compile(r"ollama-locate\s+(?:hook|init)\s+(bash|zsh|fish|nu)\b(?!.*--off)")
_HOOK_TEXT: Final = re.compile(r"__ollama_locate_(?:hook|file)\b|# ollama-locate in nu")
_ENV_FILE: Final = re.compile(r"env\.(?:sh|fish)\b|ollama-locate\s+env\b")
_PREEXEC: Final = re.compile(r"bash-preexec(?:\.sh)?\b")
_BASHRC: Final = re.compile(r"(?:\.|source)\s+\S*\.bashrc\b")
_BEFORE: Final = r"^(?:.*(?:[;&{{]|\b(?:then|do|else))\s*)?"
_VALUE: Final = r"(?:'[^']*'|\"[^\"]*\"|[^\s;&|'\"])*"
_SET: Final = (
    _BEFORE + r"(?:export|typeset\s+-x|declare\s+-x)\s+({names})=(?!=)",
    # Not `NAME=value command`, which sets it for that command alone.
    _BEFORE + r"({names})=(?!=)" + _VALUE + r"\s*(?:$|[;&}}#])",
    r"^(?:.*[;&]\s*)?set\s+(?:-\S+\s+)*-\S*x\S*\s+(?:-\S+\s+)*({names})\s",
    r"^\s*\$env\.({names})\s*=(?!=)",
)


def scan(text: str, folder: str = "", watched: Iterable[str] = WATCHED) -> list[Line]:
    """The lines that load something of ours, or set a watched variable. Comments are passed over.

    `folder` is the state folder, where its path is not the usual one. A text is read as lines: what a shell would make
    of quotes, functions and conditions is not followed.
    """
    names = "|".join(map(re.escape, watched))
    setters = [re.compile(pattern.format(names=names)) for pattern in _SET]
    found = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or (line.startswith("#") and not _HOOK_TEXT.match(line)):
            continue
        if (kind := _kind(line, folder)) is not None:
            found.append(Line(number, *kind, line))
            continue
        for setter in setters:
            if names and (match := setter.match(line)):
                found.append(Line(number, Kind.SET, match[1], line))
                break
    return found


def _kind(line: str, folder: str) -> tuple[Kind, str] | None:
    ours = "ollama-locate" in line or (bool(folder) and folder in line)
    if match := (_HOOK_COMMAND.search(line) or (_HOOK_FILE.search(line) if ours else None)):
        return Kind.HOOK, match[1]
    if _HOOK_TEXT.search(line):
        return Kind.HOOK, ""
    if ours and _ENV_FILE.search(line):
        return Kind.ENV, ""
    if _PREEXEC.search(line):
        return Kind.PREEXEC, ""
    return (Kind.BASHRC, "") if _BASHRC.search(line) else None


def line_for(shell: str, folder: str, home: str) -> str:
    """The line that makes a shell follow, as README has it; for nu the command that writes its file."""
    if shell == "nu":
        return "ollama-locate hook nu"
    path = f"{folder}/hook.{shell}"
    below = path.removeprefix(f"{home}/")
    if not _PLAIN.fullmatch(path):
        path = QUOTE[shell](path)
    elif below != path:
        path = f"~/{below}"
    if shell == "fish":
        return f"test -r {path}; and source {path}"
    return f"[ -r {path} ] && . {path}"
