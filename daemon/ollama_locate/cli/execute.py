"""`ollama-locate exec -- CMD`: run a program with the variables set, for what never runs a shell's start-up file."""

import argparse
import os
import shutil
import sys
from typing import Any, Final

from ollama_locate.core.choosing import Wish, fulfil
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.marker import OFF, applied, overridden
from ollama_locate.core.snapshot import Snapshot, variables
from ollama_locate.core.text import shown

from .help import Help
from .named import no_model
from .show import note
from .state import config
from .url import wanted_models
from .waiting import HELP, waited

_NOT_FOUND: Final = 127
_NOT_EXECUTABLE: Final = 126
_STALE: Final = 3
_NONE: Final = 4


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "exec",
        help="run a program with the variables set",
        description="Runs a program with OLLAMA_ENDPOINT, and the variables of the config, set to the server that is "
        "best now. The program takes this one's place: the same pid, signals and exit code. A variable that was set "
        "by hand stays.",
        epilog="examples:\n  ollama-locate exec -- python chat.py\n"
        "  ollama-locate exec --model qwen3:32b --wait 30s --require -- ./batch.sh\n"
        "  @reboot  ollama-locate exec --wait 2m -- ~/bin/bot      (a line of a crontab)\n\n"
        "exit codes:\n  the program's own    126 it cannot be run    127 it is not there\n"
        "  with --require, and without running it: 3 the last server does not answer now, 4 none was found",
        formatter_class=Help,
    )
    words.add_argument(
        "--model", metavar="M[,M2]", type=wanted_models, help="the best server that has the first of these models"
    )
    words.add_argument("--wait", metavar="TIME", help=HELP)
    words.add_argument("--require", action="store_true", help="do not run it without a server that answers")
    words.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD ...", help="the program and its words")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Become the program."""
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        raise OperatorError("say what to run: ollama-locate exec -- CMD ...")
    snapshot = waited(args.wait, Wish(args.model) if args.model is not None else None)
    if os.environ.get(OFF, "") in ("", "0"):
        wanted, code = _wanted(snapshot, args.model)
    else:
        wanted, code = {}, 0
    if code and args.require:
        return code
    if code and args.model is not None:
        where = snapshot.decision
        note(f"ollama-locate: it gets {where.name}, {where.endpoint}, all the same; with --require it would not run")
    for name, value in overridden(os.environ, wanted).items():
        if args.model or args.require:
            note(f"ollama-locate: {name} was set by hand, to {shown(value)}; that wins")
    path = shutil.which(command[0])
    if path is None:
        note(f"ollama-locate: {shown(command[0])}: no such program")
        return _NOT_FOUND
    sys.stdout.flush()
    try:
        os.execve(path, command, applied(os.environ, wanted))  # noqa: S606 - what the user typed
    except OSError as error:
        note(f"ollama-locate: {shown(path)}: {error.strerror}")
        return _NOT_EXECUTABLE


def _wanted(snapshot: Snapshot, model: str | None) -> tuple[dict[str, str], int]:
    """The variables to set, and the exit code that `--require` gives."""
    decision = snapshot.decision
    if model is not None:
        found = fulfil(Wish(model), snapshot)
        if found is None:
            note(f"ollama-locate: {no_model(snapshot, Wish(model))}")
            return snapshot.variables, _NONE
        return variables(config().variables, found.url), 0
    if decision.verdict != "fresh":
        note(f"ollama-locate: {decision.endpoint} ({decision.name}, {decision.verdict}): {decision.text}")
        return snapshot.variables, _STALE if decision.server is not None else _NONE
    return snapshot.variables, 0
