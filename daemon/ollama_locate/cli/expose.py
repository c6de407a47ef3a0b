"""`ollama-locate expose` and `unexpose`: this machine's Ollama for the tailnet, and for nothing else."""

import argparse
from typing import Any

from ollama_locate.core.constants import OLLAMA_PORT


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands' words."""
    words = commands.add_parser(
        "expose",
        help="publish this machine's Ollama to the tailnet",
        description="Publishes the Ollama that listens on this machine's own 127.0.0.1 to your tailnet, and to nothing "
        "else, by `tailscale serve`. Shows what it would do, and asks.",
    )
    back = commands.add_parser("unexpose", help="take that back", description="Takes back what `expose` did, exactly.")
    for one, run in ((words, _publish), (back, _take_back)):
        one.add_argument("--yes", action="store_true", help="do not ask")
        one.set_defaults(run=run)
    words.add_argument("--port", type=_port, metavar="PORT", default=None, help=f"Ollama's port ({OLLAMA_PORT})")


def _publish(args: argparse.Namespace) -> int:
    from .exposing import publish  # noqa: PLC0415 - asyncio, 50 ms, for this command only

    return publish(args)


def _take_back(args: argparse.Namespace) -> int:
    from .exposing import take_back  # noqa: PLC0415 - as above

    return take_back(args)


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 2**16:
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return number
