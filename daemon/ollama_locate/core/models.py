"""Model names, and the answer of `/api/tags`."""

import re
from collections.abc import Collection
from typing import Final

import msgspec

from .constants import MODEL_NAME_MAX, MODELS_MAX

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/\-]*")


class _Model(msgspec.Struct, frozen=True):
    name: str = ""
    model: str = ""
    remote_host: str = ""
    remote_model: str = ""


class _Tags(msgspec.Struct, frozen=True):
    models: list[_Model] | None


_DECODER = msgspec.json.Decoder(_Tags)


def parse_tags(raw: bytes) -> tuple[str, ...] | None:
    """The models that run on the server itself, sorted; None where the answer is no such list.

    Left out are cloud models (`remote_host`: using one leaves the tailnet) and names that no Ollama
    gives, control characters among them; at most MODELS_MAX are kept.
    """
    try:
        tags = _DECODER.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    names = {
        model.name or model.model
        for model in tags.models or ()
        if not model.remote_host and not model.remote_model and is_model_name(model.name or model.model)
    }
    return tuple(sorted(names)[:MODELS_MAX])


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


def has_model(models: Collection[str] | None, wanted: str) -> bool:
    """Whether the list is known and has the model."""
    return models is not None and full_name(wanted) in models
