"""`ollama-locate completion SHELL`: code with which a shell completes this command's words."""

import argparse
import re
import sys
from collections.abc import Iterator
from typing import Any, Final

from ollama_locate.edge.templates import completions

from .help import Help

SHELLS: Final = ("bash", "zsh", "fish")
KINDS: Final = {
    "PEER": "peers",
    "NAME|URL": "servers",
    "NAME": "servers",
    "URL": "urls",
    "M": "models",
    "M[,M2]": "models",
    "MODEL": "installed",
    "FILE": "file",
    "-- CMD ...": "command",
    "WHAT[,WHAT]": "abilities",
    "TIME": "",
    "N": "",
    "PORT": "",
}
"""What a word is completed from, by what it is called in the help: names, files, programs, or nothing."""
_HELPERS: Final = (
    *("_shtab_compgen_files", "_shtab_compgen_dirs", "_shtab_replace_nonword"),
    *("_set_parser_defaults", "_set_new_action"),
)
_OPTION_WITH_VALUE: Final = re.compile(r"^( *\"--[\w-]+)(\[.*\]:)", re.MULTILINE)
"""shtab's way to say it to zsh, in which the value may only be a word of its own."""
_HELP: Final = """\
A line in the shell's start-up file:
  bash  ~/.bashrc       eval "$(ollama-locate completion bash)"
  zsh   ~/.zshrc        eval "$(ollama-locate completion zsh)"    (after compinit)
  fish  config.fish     ollama-locate completion fish | source
A file that is read at the first TAB only, which costs a new shell nothing: docs/install.md.

Servers and models are those that the daemon has published."""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "completion",
        help="code for a shell, so that TAB knows the words",
        description="Prints code with which a shell completes commands, options, servers and models at TAB.",
        epilog=_HELP,
        formatter_class=Help,
    )
    words.add_argument("shell", choices=SHELLS, help="for which one")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    from .main import parser  # noqa: PLC0415 - which knows all commands, this one as well

    sys.stdout.write(script(parser(), args.shell))
    return 0


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The code for a shell: shtab's for the words, and what is ours for the names."""
    import shtab  # noqa: PLC0415 - 20 ms, for this command only

    ours = completions()
    _shorten(parser)
    for action in valued(parser):
        kind = KINDS.get(str(action.metavar), "")
        if kind == "file":
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # where shtab looks for it
        elif kind:
            action.complete = _function(kind)  # type: ignore[attr-defined]
    text: str = shtab.complete(parser, shell, preamble=ours[f"names.{shell}"])
    if shell == "bash":
        for name in _HELPERS:
            # Every program that shtab serves defines them, and another version's may not do the same.
            text = text.replace(name, f"_ollama_locate{name}")
        text += "\n" + ours["words.bash"]
    if shell == "zsh":
        text = _OPTION_WITH_VALUE.sub(r"\1=\2", text)
    return text.rstrip() + "\n"


def _shorten(parser: argparse.ArgumentParser) -> None:
    """Describe each command by its line in the list of commands: shtab would take the first line of its page."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask, and shtab goes the same
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for line in action._choices_actions:  # noqa: SLF001 - as above
                below = action.choices[line.dest]
                below.description = line.help
                _shorten(below)


def valued(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every option and argument that takes a value which is not one of a few words, of all commands."""
    for action in parser._actions:  # noqa: SLF001 - as above
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for below in action.choices.values():
                yield from valued(below)
        elif action.nargs != 0 and action.choices is None:
            yield action


def _function(kind: str) -> dict[str, str]:
    name = f"_ollama_locate_{kind}"
    return {"bash": name, "zsh": name, "fish": f"({name})"}
