"""The shells that can be had here, and how each says the same thing."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from ollama_locate.core.hook import QUOTE

SH, FISH, NU = QUOTE["bash"], QUOTE["fish"], QUOTE["nu"]
ROOT: Final = Path(__file__).resolve().parents[2]
BUILT: Final = ROOT.parent / "shared" / "shells"
READY: Final = "shell-ready"
PROMPT: Final = "<=>"


@dataclass(frozen=True)
class Shell:
    """`kind` is the name of its hook; `start` makes the command line of an interactive one from its start-up file."""

    name: str
    kind: str
    program: str
    start: Callable[[str, Path], list[str]]
    quote: Callable[[str], str]
    set: Callable[[str, str], str]
    unset: str
    source: str
    prompt: str
    dump: str
    say: Callable[[str, str], str]

    @property
    def number(self) -> tuple[int, ...]:
        """bash's version, as far as its name has it."""
        return tuple(int(part) for part in self.name.partition("-")[2].split(".") if part)

    @property
    def refreshes_before_commands(self) -> bool:
        return self.kind != "bash" or self.number >= (5, 3)


def _printf(one: str, two: str) -> str:
    return f"printf '%s%s\\n' {one} {two}"


def _bash(name: str, program: str) -> Shell:
    return Shell(
        name,
        "bash",
        program,
        start=lambda program, rc: [program, "--noprofile", "--rcfile", str(rc), "-i"],
        quote=SH,
        set=lambda key, value: f"export {key}={SH(value)}",
        unset="unset",
        source=".",
        prompt=f"PS1='{PROMPT}'",
        dump="env -0 >",
        say=_printf,
    )


def _zsh(name: str) -> Shell:
    return Shell(
        name,
        "zsh",
        "zsh",
        # ZDOTDIR is where the start-up file lies: tests/shells/terminal.py sets it.
        start=lambda program, rc: [program, "-d", "-i"],  # noqa: ARG005 - as above
        quote=SH,
        set=lambda key, value: f"export {key}={SH(value)}",
        unset="unset",
        source=".",
        prompt=f"PROMPT='{PROMPT}'",
        dump="env -0 >|",
        say=_printf,
    )


def _fish_shell() -> Shell:
    return Shell(
        "fish",
        "fish",
        "fish",
        start=lambda program, rc: [program, "--no-config", "-i", "--init-command", f"source {FISH(str(rc))}"],
        quote=FISH,
        set=lambda key, value: f"set -gx {key} {FISH(value)}",
        unset="set -e",
        source="source",
        prompt=f"function fish_prompt; printf '{PROMPT}'; end; function fish_greeting; end",
        dump="env -0 >",
        say=_printf,
    )


def _nu_shell() -> Shell:
    return Shell(
        "nu",
        "nu",
        "nu",
        start=lambda program, rc: [
            *(program, "--no-std-lib", "--no-history", "--config", str(rc), "--env-config", str(rc.with_name("none")))
        ],
        quote=NU,
        set=lambda key, value: f"$env.{key} = {NU(value)}",
        unset="hide-env",
        source="source",
        prompt=f"$env.config.show_banner = false; $env.PROMPT_COMMAND = '{PROMPT}'; "
        "$env.PROMPT_COMMAND_RIGHT = ''; $env.PROMPT_INDICATOR = ''",
        dump="^env -0 o>",
        say=lambda one, two: f'print ("{one}" + "{two}")',
    )


OLD: Final = ("bash-3.2", "bash-4.4", "bash-5.0", "bash-5.3")
SHELLS: Final = {
    "bash": _bash("bash", "bash"),
    **{name: _bash(name, str(BUILT / name)) for name in OLD},
    "zsh": _zsh("zsh"),
    "fish": _fish_shell(),
    "nu": _nu_shell(),
}


def marks(shell: Shell) -> list[pytest.MarkDecorator]:
    """One that is missing is skipped by its name."""
    return [] if shutil.which(shell.program) else [pytest.mark.skip(reason=f"{shell.program} is not here")]


def shells(*kinds: str) -> list[object]:
    """Every shell, or those of these kinds."""
    chosen = [shell for shell in SHELLS.values() if not kinds or shell.kind in kinds]
    return [pytest.param(shell, id=shell.name, marks=marks(shell)) for shell in chosen]
