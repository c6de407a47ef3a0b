"""The user's shell: whether a start-up file makes it follow, the right one, and how closely."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from ollama_locate.core.advice import listed
from ollama_locate.core.bounds import DOCTOR_COMMAND
from ollama_locate.core.finding import Finding, found
from ollama_locate.core.hook import SHELLS
from ollama_locate.core.marker import MARKER
from ollama_locate.core.startup import Home, Kind, Line, find, line_for
from ollama_locate.core.text import shown
from ollama_locate.core.versions import older
from ollama_locate.edge.call import call
from ollama_locate.edge.startup import OURS, Scanned, in_terminals, loading, login_shell, scanned

from .case import Case

_LOOKS_BEFORE_COMMANDS: Final = "5.3"
"""The first bash whose PS0 can run code in the shell itself: `${ command; }` (bash 5.3, NEWS)."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9/._*-]+")
_VERSION: Final = re.compile(r"version (\d+\.\d+\.\d+)")


class Facts(NamedTuple):
    """What was found. `version` is bash's, empty of any other; `follows`: the environment bears our marker."""

    shell: str
    home: Home
    folder: str
    files: Mapping[str, list[Scanned]]
    version: str = ""
    follows: bool = False


def run(case: Case) -> list[Finding]:
    """Look at it. Files are read, never run; bash is asked for its version, for which it reads none of them."""
    path = login_shell(case.environment)
    shell = Path(path).name
    home, folder = home_of(case), str(case.folder)
    files = {name: scanned(name, home, folder) for name in SHELLS}
    version = _version(path) if shell == "bash" else ""
    return judge(Facts(shell, home, folder, files, version, bool(case.environment.get(MARKER))))


def home_of(case: Case) -> Home:
    """What the start-up files' paths depend on."""
    return Home(str(Path.home()), case.environment, case.macos)


def judge(facts: Facts) -> list[Finding]:
    """Say what is wrong."""
    if facts.shell not in SHELLS:
        return []
    mine = facts.files.get(facts.shell, [])
    if right := loading(facts.shell, mine):
        terminal = [file for file in mine if in_terminals(file, mine)]
        return _closely(facts, [*right, *(line for file in terminal for line in file.lines)])
    if facts.follows:
        return []
    mend = _append(facts)
    read = {file.file.path for file in mine}
    others = [file for files in facts.files.values() for file in files if file.file.path not in read]
    for file in (*mine, *others):
        for line in file.lines:
            if line.kind in OURS:
                return [_wrong(facts, file, line, mend)]
    files = listed(_short(file.path, facts.home) for file in find(facts.shell, facts.home))
    return [found("shell_not_sourced", shell=facts.shell, files=files, line=mend)]


def _wrong(facts: Facts, file: Scanned, line: Line, mend: str) -> Finding:
    if line.name not in ("", facts.shell):
        reason = f"It loads the hook of {line.name}."
    elif file.file.shell == facts.shell:
        reason = "Login shells read it; the shells of a terminal here do not."
    else:
        reason = f"{file.file.shell} reads it; your shell ($SHELL) is {facts.shell}."
    place = f"{_short(file.file.path, facts.home)}, line {line.number}"
    return found("shell_wrong_file", shell=facts.shell, place=place, reason=reason, line=mend)


def _closely(facts: Facts, lines: list[Line]) -> list[Finding]:
    """Whether it looks before each command as well."""
    hooked = any(line.kind is Kind.HOOK for line in lines)
    if not hooked or any(line.kind is Kind.PREEXEC for line in lines):
        return []
    if not older(facts.version, _LOOKS_BEFORE_COMMANDS):
        return []
    return [found("shell_prompt_only", shell=facts.shell, version=facts.version)]


def _append(facts: Facts) -> str:
    """The command that puts our line where it belongs."""
    line = line_for(facts.shell, facts.folder, facts.home.path)
    if facts.shell == "nu":
        return line
    target = next(file.path for file in find(facts.shell, facts.home) if file.terminal)
    short = _short(target, facts.home)
    # With a newline before it: the file may end without one.
    return f"printf '\\n%s\\n' {shlex.quote(line)} >> {short if short != target else shlex.quote(target)}"


def _short(path: str, home: Home) -> str:
    """With `~`, where that needs no quotes."""
    below = path.removeprefix(f"{home.path}/")
    plain = below != path and _PLAIN.fullmatch(below)
    return shown(f"~/{below}" if plain else path)


def _version(bash: str) -> str:
    """The version of this bash; empty where it does not say."""
    match = _VERSION.search(call([bash, "--version"], DOCTOR_COMMAND).out)
    return match[1] if match else ""
