"""`ollama-locate hook`: the start-up code of a shell, whose variables then follow the daemon."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Final

from ollama_locate.core import hook
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.text import shown
from ollama_locate.edge.folders import nu_autoload, reader_folder
from ollama_locate.edge.templates import templates

from .help import Help
from .show import note

_HELP: Final = """\
Put this last in the shell's start-up file:
  bash  ~/.bashrc                    eval "$(ollama-locate hook bash)"
  zsh   ~/.zshrc                     eval "$(ollama-locate hook zsh)"
  fish  ~/.config/fish/config.fish   ollama-locate hook fish | source
  nu    run `ollama-locate hook nu` once, and after an upgrade: nu has no eval, so it writes a file
        into nu's vendor/autoload folder, which new shells read; `--off` removes that file

Faster, and silent when the program is gone: the daemon keeps the same code in the state folder.
  bash  [ -r ~/.local/state/ollama-locate/hook.bash ] && . ~/.local/state/ollama-locate/hook.bash

Every prompt reads one small file, without starting any process; zsh, fish, nu and bash 5.3 do so before
each command as well. bash up to 5.2 looks at the prompt only: a command typed at an old prompt gets the
old address. Ways out: load bash-preexec, in any order; use the address that never changes
(`[forward]` in the config); start the program with `ollama-locate exec -- CMD`.

A variable that you set by hand stays as it is. OLLAMA_LOCATE_OFF=1 turns the hook off; in a running shell
  eval "$(ollama-locate hook bash --off)"         removes it (fish: `ollama-locate hook fish --off | source`)"""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "hook",
        aliases=["init"],
        help="start-up code for a shell, so that it follows",
        description="Prints start-up code, with which a shell's variables follow the daemon. Needs no daemon.",
        epilog=_HELP,
        formatter_class=Help,
    )
    words.add_argument("shell", nargs="?", choices=hook.SHELLS, help="which one; if not said, that of $SHELL")
    words.add_argument("--off", action="store_true", help="what removes it again")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the code; for nu, write or remove its file."""
    shell = args.shell or _guessed()
    if shell == "nu":
        return _remove(nu_autoload()) if args.off else write(nu_autoload())
    text = hook.off(shell, templates()) if args.off else _code(shell)
    sys.stdout.flush()
    sys.stdout.buffer.write(os.fsencode(text))
    return 0


def _guessed() -> str:
    """The shell of this user's logins. It is said which, as another one may be running."""
    path = os.environ.get("SHELL", "")
    shell = path.rpartition("/")[2]
    if shell not in hook.SHELLS:
        why = f"$SHELL is {shown(path)}" if path else "$SHELL is not set"
        raise OperatorError(f"say for which shell: `ollama-locate hook {'|'.join(hook.SHELLS)}` ({why})")
    note(f"ollama-locate: for {shell}, as $SHELL is {shown(path)}")
    return shell


def _code(shell: str) -> str:
    return hook.hook(shell, str(reader_folder() / "env"), templates())


def write(path: Path) -> int:
    """Write nu's file. Raises OperatorError."""
    text = _code("nu")
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise OperatorError("nu reads UTF-8 only, and the state folder's path is none") from None
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        raise OperatorError(f"cannot write {path}: {error.strerror}") from None
    print(f"written: {path}\nEach nu that starts from now on follows the daemon.")
    return 0


def _remove(path: Path) -> int:
    try:
        path.unlink()
    except FileNotFoundError:
        print(f"{path} is not there: nothing to remove")
        return 0
    except OSError as error:
        raise OperatorError(f"cannot remove {path}: {error.strerror}") from None
    print(f"removed: {path}\nA nu that runs already stops following with: $env.OLLAMA_LOCATE_OFF = '1'")
    return 0
