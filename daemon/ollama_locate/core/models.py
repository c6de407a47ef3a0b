"""Model names."""

import re
from collections.abc import Collection
from typing import Final

from .constants import MODEL_NAME_MAX

_DIGEST: Final = re.compile(r"(?:sha256[:-])?([0-9a-f]{12})[0-9a-f]*")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/\-]*")


def is_model_name(name: str) -> bool:
    """Whether a text can be a model's name: letters, digits and `. _ : / -`, of bounded length."""
    return len(name) <= MODEL_NAME_MAX and _NAME.fullmatch(name) is not None and ".." not in name


def may_be_pulled(name: str) -> bool:
    """Whether it is a model's name without empty parts, so that it can be one of a registry's."""
    return is_model_name(name) and all(re.split("[/:]", name))


def is_cloud(name: str) -> bool:
    """Whether its tag says that it runs at ollama.com: `:cloud`, or `:120b-cloud` (Ollama: middleware/anthropic.go)."""
    tag = full_name(name).rpartition(":")[2].lower()
    return tag == "cloud" or tag.endswith("-cloud")


def full_name(name: str) -> str:
    """The name as `/api/tags` has it (Ollama: types/model/name.go).

    Without a tag, `:latest` is meant; Ollama's own registry and its `library` are left out.
    """
    name = name.removeprefix("registry.ollama.ai/").removeprefix("library/")
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def short_digest(digest: str) -> str:
    """The first 12 hex digits, as `ollama list` shows them; empty where it is no digest."""
    found = _DIGEST.fullmatch(digest.lower())
    return found[1] if found else ""


def has_model(models: Collection[str] | None, wanted: str) -> bool:
    """Whether the list is known and has the model."""
    return models is not None and full_name(wanted) in models
