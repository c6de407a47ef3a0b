"""`ollama-locate [url]`: the endpoint that was found. The environment is not asked."""

import argparse
from typing import Any

from ollama_locate.core.advice import advice
from ollama_locate.core.choosing import choose_model
from ollama_locate.core.errors import OperatorError
from ollama_locate.core.snapshot import best_by_model

from .named import no_model
from .show import note
from .state import seen

STALE_EXIT = 3
NONE_EXIT = 4


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command's words."""
    words = commands.add_parser("url", help="print the best endpoint (also without any command)")
    add_options(words)
    words.set_defaults(run=run)


def add_options(words: argparse.ArgumentParser) -> None:
    """Add the options, which may also stand without the word `url`; not given, they leave what stands there."""
    absent = argparse.SUPPRESS
    words.add_argument("--strict", action="store_true", default=absent, help="exit 3 when it does not answer now")
    words.add_argument(
        "--model", metavar="M[,M2]", default=absent, help="the best server that has the first of these; qwen3:* is any"
    )
    words.add_argument(
        "--print",
        dest="shows",
        choices=("url", "model"),
        default=absent,
        help="with --model: the URL, or the model's full name",
    )


def run(args: argparse.Namespace) -> int:
    """Print it; the exit code says how far it can be relied on."""
    snapshot = seen().snapshot
    if args.model:
        found = choose_model(args.model, best_by_model(snapshot))
        if found is None:
            note(f"ollama-locate: {no_model(snapshot, args.model)}")
            return NONE_EXIT
        print(found.model if args.shows == "model" else found.url)
        return 0
    if args.shows == "model":
        raise OperatorError("say which: --model M --print model")
    print(snapshot.decision.endpoint)
    if snapshot.decision.verdict == "fresh":
        return 0
    if snapshot.decision.verdict == "stale":
        note(f"ollama-locate: stale: {snapshot.decision.text}")
        return STALE_EXIT if args.strict else 0
    note("ollama-locate: no Ollama was found; this is the default.")
    for sentence in advice(snapshot):
        note(f"  {sentence}")
    return NONE_EXIT
