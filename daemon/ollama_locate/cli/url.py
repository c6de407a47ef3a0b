"""`ollama-locate [url]`: the endpoint that was found. The environment is not asked."""

import argparse
from typing import Any

from ollama_locate.core.advice import advice
from ollama_locate.core.choosing import Wish, alternatives, fulfil
from ollama_locate.core.errors import UsageError
from ollama_locate.core.snapshot import Snapshot

from .named import no_model
from .show import note
from .waiting import HELP, waited

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
        "--model",
        metavar="M[,M2]",
        type=wanted_models,
        default=absent,
        help="the best server that has the first of these; qwen3:* is any",
    )
    words.add_argument(
        "--can",
        metavar="WHAT[,WHAT]",
        type=_wanted_abilities,
        default=absent,
        help="the best model that can do this: tools, vision, thinking, embedding; with --model one of those",
    )
    words.add_argument("--wait", metavar="TIME", default=absent, help=HELP)
    words.add_argument("--loaded", action="store_true", default=absent, help="one that is in a server's memory now")
    words.add_argument(
        "--print",
        dest="shows",
        choices=("url", "model"),
        default=absent,
        help="with --model, --can or --loaded: the URL, or the model's full name",
    )


def wanted_models(text: str) -> str:
    """An argument that names models; argparse says what is wrong with it."""
    if not alternatives(text):
        raise argparse.ArgumentTypeError("it names no model")
    return text


def _wanted_abilities(text: str) -> str:
    """The same of what a model must be able to do."""
    if not _abilities(text):
        raise argparse.ArgumentTypeError("it names nothing that a model can do")
    return text


def _abilities(text: str) -> frozenset[str]:
    """Ollama writes them in small letters."""
    return frozenset(word.strip().lower() for word in text.split(",")) - {""}


def _wish(args: argparse.Namespace) -> Wish | None:
    """What of models is asked for; None where that is none."""
    if args.model is None and not (args.can or args.loaded):
        return None
    return Wish(args.model or "*", _abilities(args.can or ""), loaded=bool(args.loaded))


def _model(args: argparse.Namespace, wish: Wish) -> int:
    snapshot = waited(args.wait, wish)
    found = fulfil(wish, snapshot)
    if found is None:
        note(f"ollama-locate: {no_model(snapshot, wish)}")
        return NONE_EXIT
    print(found.model if args.shows == "model" else found.url)
    if (found.url, "stale") == (snapshot.decision.endpoint, snapshot.decision.verdict):
        return _stale(args, snapshot)
    return 0


def _stale(args: argparse.Namespace, snapshot: Snapshot) -> int:
    note(f"ollama-locate: stale: {snapshot.decision.text}")
    return STALE_EXIT if args.strict else 0


def run(args: argparse.Namespace) -> int:
    """Print it; the exit code says how far it can be relied on."""
    wish = _wish(args)
    if wish is not None:
        return _model(args, wish)
    if args.shows == "model":
        raise UsageError("say which: --model M --print model")
    snapshot = waited(args.wait, None)
    print(snapshot.decision.endpoint)
    if snapshot.decision.verdict == "fresh":
        return 0
    if snapshot.decision.verdict == "stale":
        return _stale(args, snapshot)
    note("ollama-locate: no Ollama was found; this is the default.")
    for sentence in advice(snapshot):
        note(f"  {sentence}")
    return NONE_EXIT
