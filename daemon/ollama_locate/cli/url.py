"""`ollama-locate [url]`: the endpoint that was found. The environment is not asked."""

import argparse
from typing import Any

from ollama_locate.core.advice import advice
from ollama_locate.core.models import full_name
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
    words.add_argument("--model", metavar="M", default=absent, help="the best server that has this model")


def run(args: argparse.Namespace) -> int:
    """Print it; the exit code says how far it can be relied on."""
    snapshot = seen().snapshot
    if args.model:
        found = best_by_model(snapshot).get(full_name(args.model))
        if found is None:
            note(f"ollama-locate: {no_model(snapshot, args.model)}")
            return NONE_EXIT
        print(found)
        return 0
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
