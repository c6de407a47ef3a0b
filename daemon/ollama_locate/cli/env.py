"""`ollama-locate env`: the variables, in the form a shell or a program reads."""

import argparse
import sys
from typing import Any

import msgspec

from ollama_locate.core import shell
from ollama_locate.core.bounds import SCHEMA
from ollama_locate.edge.templates import templates

from .state import seen

_FORMATS = ("sh", "fish", "dotenv", "json")


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser("env", help="the variables, for a shell or a program")
    words.add_argument("--format", choices=_FORMATS, default="sh", help="default: sh")
    words.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print them; `eval "$(ollama-locate env)"` applies them by the same rule as env.sh."""
    variables = seen().snapshot.variables
    if args.format == "json":
        print(msgspec.json.encode({"schema": SCHEMA, "variables": variables}).decode())
    elif args.format == "dotenv":
        sys.stdout.write(shell.dotenv(variables))
    else:
        sys.stdout.write(shell.sourced(templates()[f"env.{args.format}"], variables))
    return 0
