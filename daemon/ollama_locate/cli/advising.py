"""What `models --advise` prints: which sizes run well where, the rule it starts from, and what it does not know."""

import argparse
from collections.abc import Sequence
from typing import Any

import msgspec

from ollama_locate.core.bench import Stocked
from ollama_locate.core.bounds import SCHEMA
from ollama_locate.core.guidance import NOT_KNOWN, RULE, SIZES, Fit, Guidance, gigabytes, guide, start
from ollama_locate.core.speed import Speed

from .show import fits, line, note, table


def run(args: argparse.Namespace, have: Sequence[Stocked], known: Sequence[Speed]) -> int:
    """Print it; 1 where no server answers."""
    found = guide(have, known)
    if args.json:
        _json(found)
    elif found:
        _say(found)
    else:
        note("ollama-locate: no server answers; `ollama-locate why` says more")
    return 0 if found else 1


def _say(found: Sequence[Guidance]) -> None:
    if first := start(found):
        line(first)
        line()
    heads = ("CLASS", "NEEDS", *(one.server.name for one in found))
    rows = [
        (size.name, gigabytes(size.needs), *(one.fits[place].text for one in found)) for place, size in enumerate(SIZES)
    ]
    if fits(heads, rows):
        table(heads, rows)
    else:
        table(
            ("SERVER", "CLASS", "NEEDS", "SPEED"),
            [
                (one.server.name, fit.size.name, gigabytes(fit.size.needs), fit.text)
                for one in found
                for fit in one.fits
            ],
        )
    line()
    for one in found:
        line(f"{one.server.name}: {'; '.join(one.sentences)}.")
    line()
    line("The rule of thumb, where no figure is known:")
    for sentence in RULE:
        line(f"- {sentence}")
    line("What it does not know:")
    for sentence in NOT_KNOWN:
        line(f"- {sentence}")
    line(
        "`about`: reckoned from the figure of the closest model that was measured there. `if it fits`: nothing so "
        "large was seen there."
    )


def _json(found: Sequence[Guidance]) -> None:
    data = {
        "schema": SCHEMA,
        "start": start(found),
        "servers": [
            {
                "name": one.server.name,
                "key": one.server.key,
                "url": one.server.url,
                "path": one.server.path,
                "rtt_ms": one.server.rtt_ms,
                "card": {"holds": one.card.holds, "full": one.card.full, "seen": one.card.seen},
                "sizes": [_size(fit) for fit in one.fits],
                "text": list(one.sentences),
            }
            for one in found
        ],
        "rule": list(RULE),
        "not_known": list(NOT_KNOWN),
    }
    print(msgspec.json.encode(data).decode())


def _size(fit: Fit) -> dict[str, Any]:
    return {
        "size": fit.size.name,
        "bytes": fit.size.bytes,
        "grade": fit.grade.word,
        "basis": fit.basis.word,
        "tokens_per_s": None if fit.rate is None else round(fit.rate, 2),
        "model": fit.model or None,
        "proven": fit.proven,
        "text": fit.text,
    }
