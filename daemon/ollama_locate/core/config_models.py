"""`[models]` of the config: what is required, what aliases mean, where nothing is pulled, if a cloud may be used."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .bounds_models import ALIASES_MAX, REQUIRED_MAX
from .config_values import AtError, at, patterns, yes_or_no
from .models import full_name, may_be_pulled
from .patterns import Pattern
from .text import shown

_ALIAS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KEYS: Final = ("no_pull", "require", "alias", "cloud")


@dataclass(frozen=True)
class Models:
    """`require`: models by their full names, and aliases; `alias`: what those mean, of which any one is enough.

    `no_pull`: whom nothing is pulled to. `cloud`: models that run elsewhere may be used as well.
    """

    no_pull: tuple[Pattern, ...] = ()
    require: tuple[str, ...] = ()
    alias: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cloud: bool = False


def models(value: object) -> Models:
    """Read the table. Raises AtError with the key that is wrong, or ValueError."""
    if not isinstance(value, dict):
        raise ValueError("must be a table: [models]")
    for key in value:
        if key not in _KEYS:
            raise AtError(key, f"unknown key; there are {', '.join(_KEYS)}")
    alias = _aliases(value.get("alias", {}))
    no_pull = at("no_pull", patterns, value.get("no_pull", []))
    cloud = at("cloud", yes_or_no, value.get("cloud", False))
    required = _names("require", value.get("require", []))
    if len(required) > REQUIRED_MAX:
        raise AtError("require", f"at most {REQUIRED_MAX} models")
    return Models(no_pull, tuple(one if one in alias else full_name(one) for one in required), alias, cloud)


def _aliases(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise AtError("alias", 'must be a table: [models.alias] and then coder = ["qwen2.5-coder:32b"]')
    if len(value) > ALIASES_MAX:
        raise AtError("alias", f"at most {ALIASES_MAX} of them")
    found = {}
    for name, meant in value.items():
        if not _ALIAS.fullmatch(name):
            raise AtError(f"alias.{name}", "an alias has letters, digits and `. _ -`, no tag and no slash")
        names = _names(f"alias.{name}", [meant] if isinstance(meant, str) else meant)
        if not names:
            raise AtError(f"alias.{name}", "it names no model")
        if inner := next((one for one in names if one in value), None):
            raise AtError(f"alias.{name}", f"it names `{inner}`, which is an alias itself: name the models")
        found[name] = tuple(full_name(one) for one in names)
    return found


def _names(key: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise AtError(key, 'must be a list of models: ["mistral", "qwen3:8b"]')
    for one in value:
        if not may_be_pulled(one):
            raise AtError(key, f"`{shown(one)}` is no model's name")
    return value
