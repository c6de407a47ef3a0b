"""`ollama-locate ensure M`: have this model loaded somewhere, pulled if need be, and print where."""

import argparse
from typing import Any

from ollama_locate.core.constants import MODEL_NAME_MAX
from ollama_locate.core.models import full_name, may_be_pulled

from .help import Help


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser(
        "ensure",
        help="load a model, pull it if nobody has it",
        description="If a server has the model, it is loaded there; else it is pulled first, to where it belongs by "
        "your order. Prints the endpoint of that server.",
        epilog="examples:\n  ollama-locate ensure qwen3:8b\n  ollama-locate ensure qwen3:8b --on gpu-box\n"
        "  host=$(ollama-locate ensure qwen3:8b --yes) && OLLAMA_HOST=$host ollama run qwen3:8b",
        formatter_class=Help,
    )
    words.add_argument("model", metavar="MODEL", type=_model, help="its name; without a tag, `:latest` is meant")
    words.add_argument("--on", metavar="NAME", help="on this server, by its name, address or URL")
    asked = words.add_mutually_exclusive_group()
    asked.add_argument("--yes", action="store_true", help="do not ask")
    asked.add_argument(
        "--ask", action="store_true", help="ask before each pull; where no terminal is, a line of stdin is the answer"
    )
    words.add_argument("--insecure", action="store_true", help="let it pull from a registry that speaks plain http")
    words.add_argument("--json", action="store_true", help="what happens, an object a line")
    words.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from .ensuring import run  # noqa: PLC0415 - asyncio and httpx, 130 ms, for this command only

    return run(args)


def _model(text: str) -> str:
    if not may_be_pulled(text):
        raise argparse.ArgumentTypeError(
            "this is no model's name: letters, digits and `. _ -`, parts divided by `/` and `:`, "
            f"{MODEL_NAME_MAX} characters at most"
        )
    return full_name(text)
