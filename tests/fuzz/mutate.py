"""New inputs of old ones: documents stay documents. A change of a random byte seldom gets past a reader of JSON."""

import copy
import json
import random
from typing import Any

HOSTILE: tuple[Any, ...] = (
    *("", " ", "local", "self", "static", "*", "tag:ollama", "100.64.0.2", "fd7a:115c:a1e0::2%eth0", "::1", "0.0.0.0"),
    *("$(reboot)", "a\nOLLAMA_HOST=evil", "'; rm -rf ~;'", "a,b=c", "../../x", "http://[::1]:1", "https://evil/", "\\"),
    *("\x1b]0;x\x07", "\u202eb", "\u2028", "\x85", "\ufeff", "\ud800", "é", "x" * 600, "0001-01-01T00:00:00Z", "NaN"),
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**400, 0.5, 1e308, -0.0),
    *([], {}, [[]], {"": ""}),
)
DEEP = b"[" * 3000


def documents(data: bytes, most: int, seed: int) -> bytes | None:
    """One line of JSON changed at one place; None where this changes nothing, or it would be too long."""
    dice = random.Random(seed)
    lines = data.split(b"\n")
    place = dice.randrange(len(lines))
    if dice.random() < 0.01:
        lines[place] = DEEP
    else:
        try:
            document = json.loads(lines[place])
        except (ValueError, RecursionError):
            return None
        for _ in range(dice.choice((1, 1, 2, 4))):
            document = _changed(document, dice)
        lines[place] = json.dumps(document, ensure_ascii=dice.random() < 0.7).encode("utf-8", "surrogatepass")
    if dice.random() < 0.05:
        lines.insert(place, lines[place])
    changed = b"\n".join(lines)
    return changed if len(changed) <= most else None


def _changed(document: Any, dice: random.Random) -> Any:
    """The document, with the value at a random place changed."""
    if isinstance(document, dict | list) and document and dice.random() < 0.85:
        key = dice.choice(list(document)) if isinstance(document, dict) else dice.randrange(len(document))
        act = dice.random()
        if act < 0.08:
            del document[key]
        elif act < 0.14 and isinstance(document, dict):
            document[str(dice.choice(HOSTILE))] = copy.deepcopy(document[key])
        elif act < 0.2 and isinstance(document, list):
            document.append(copy.deepcopy(document[key]))
        else:
            document[key] = _changed(document[key], dice)
        return document
    if isinstance(document, str) and document and dice.random() < 0.5:
        cut = dice.randrange(len(document) + 1)
        return document[:cut] + str(dice.choice(HOSTILE)) + document[cut + dice.randrange(3) :]
    if isinstance(document, int) and not isinstance(document, bool) and dice.random() < 0.5:
        return document + dice.choice((-1, 1, 2**32, -(2**40)))
    return copy.deepcopy(dice.choice(HOSTILE))
