"""Every published file's content."""

import re
from collections.abc import Mapping

import msgspec

from . import shell
from .believed import Whole, check_schema
from .choosing import choose_model
from .snapshot import Snapshot, best_by_model, check
from .text import shown

SOURCED = ("env.sh", "env.fish", "env", "endpoint")
"""Files that programs rely on at their start: they survive a power cut."""

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Snapshot)


class _Schema(msgspec.Struct):
    schema: Whole


def files(snapshot: Snapshot, templates: Mapping[str, str]) -> dict[str, bytes]:
    """Name -> content, in the order of writing: what is sourced first. `templates`: the shells' code, by file name."""
    texts = {
        "env.sh": shell.sourced(templates["env.sh"], snapshot.variables),
        "env.fish": shell.sourced(templates["env.fish"], snapshot.variables),
        "env": shell.dotenv(snapshot.variables),
        "models": _models(snapshot),
        "endpoint": f"{snapshot.decision.endpoint}\n",
        "verdict": f"{snapshot.decision.verdict}\n",
    }
    return {name: text.encode() for name, text in texts.items()} | {"state.json": _ENCODER.encode(snapshot) + b"\n"}


def _models(snapshot: Snapshot) -> str:
    """A line for each model, and one for each alias, which has no tag."""
    best = best_by_model(snapshot)
    found = {name: choose_model(name, best, snapshot.aliases) for name in snapshot.aliases}
    lines = best | {name: chosen.url for name, chosen in found.items() if chosen is not None}
    return "".join(f"{name}\t{url}\n" for name, url in sorted(lines.items()))


def read_snapshot(data: bytes) -> Snapshot:
    """The snapshot in a state.json, of which everything may be shown; raises ValueError with a sentence."""
    try:
        check_schema(msgspec.json.decode(data, type=_Schema).schema)
        snapshot = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # Which pattern a text does not match is nothing that a person wants to read.
        what = re.sub("`str` matching regex '.*'", "a text without control characters", str(error), flags=re.DOTALL)
        raise ValueError(f"it cannot be read: {shown(what)}") from None
    check(snapshot)
    return snapshot
