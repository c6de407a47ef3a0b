"""Other names for models: which are in force, and what a requirement means by them."""

from collections.abc import Collection, Mapping

from .models import full_name
from .selection import Required


def in_force(aliases: Mapping[str, tuple[str, ...]], models: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Those that hide none of the `models`, full names that can be had: a real model of that name wins."""
    return {name: meant for name, meant in aliases.items() if full_name(name) not in models}


def resolved(required: Required, aliases: Mapping[str, tuple[str, ...]]) -> Required:
    """The same by full names: an alias, which has no tag, stands for its models; the `aliases` are in force."""
    return tuple(
        tuple(model for name in names for model in aliases.get(name) or (full_name(name),)) for names in required
    )
