"""A feed for Prometheus: targets for its file_sd_configs (prometheus.io/docs/prometheus/latest/configuration)."""

from typing import Final

import msgspec

from .feed import Entry, Fed, entries, fed
from .selection import Standing
from .snapshot import Snapshot
from .text import shown

FIRST: Final = '[{"targets":[],"labels":{"feed":"ollama-locate"}}'
"""What a file that this program wrote begins with: JSON has no comments, and a group without targets does nothing."""

_DOWN: Final = frozenset(
    one.word for one in (Standing.DOWN, Standing.FAILING, Standing.UNCHECKED, Standing.UNREACHABLE)
)


def prometheus(snapshot: Snapshot) -> Fed:
    """A group for each server, down or not: who watches them wants to see those above all."""
    found = entries(snapshot)
    groups = "".join(f",\n{_json(_group(one))}" for one in found.all)
    return fed(f"{FIRST}{groups}]\n", found.all, found.left_out)


def _group(one: Entry) -> dict[str, object]:
    labels = {
        "server": shown(one.state.name),
        "tier": str(one.place),
        "path": shown(one.state.path),
        "standing": _standing(one.state.standing),
    }
    if one.scheme == "https":
        labels["__scheme__"] = "https"
    return {"targets": [one.address], "labels": labels}


def _standing(word: str) -> str:
    """Three words of many: which of those that are up is slower changes with every round trip."""
    return "chosen" if word == Standing.CHOSEN.word else "down" if word in _DOWN else "spare"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
