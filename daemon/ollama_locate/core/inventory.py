"""What a server has and what it holds in its memory: the answers of `/api/tags` and `/api/ps`, read."""

from typing import Final

import msgspec

from .constants import MODELS_MAX
from .models import is_model_name
from .speed import short
from .text import shown

_DETAIL_MAX: Final = 24


class Model(msgspec.Struct, frozen=True):
    """One model of one server. Sizes in bytes; `vram` is the part of `memory` that lies in its card, where loaded.

    `digest`: its first 12 hex digits, empty where the server does not say. `cloud`: it runs at the company that gives
    it, so that using it leaves the tailnet.
    """

    name: str
    size: int = 0
    parameters: str = ""
    quantisation: str = ""
    cloud: bool = False
    loaded: bool = False
    memory: int = 0
    vram: int = 0
    context: int = 0
    until: str = ""
    digest: str = ""

    @property
    def in_card(self) -> float:
        """The share of what is loaded that lies in the card, 0 to 1; 1 where nothing is known."""
        return min(1.0, self.vram / self.memory) if self.memory > 0 else 1.0


class _Details(msgspec.Struct):
    parameter_size: str = ""
    quantization_level: str = ""


class _Listed(msgspec.Struct):
    name: str = ""
    model: str = ""
    size: int = 0
    size_vram: int = 0
    expires_at: str = ""
    context_length: int = 0
    digest: str = ""
    remote_host: str = ""
    remote_model: str = ""
    details: _Details | None = None


class _List(msgspec.Struct):
    models: list[_Listed] | None = None


_DECODER: Final = msgspec.json.Decoder(_List)


def inventory(tags: bytes, ps: bytes | None) -> tuple[Model, ...] | None:
    """The models by name, at most MODELS_MAX; None where `/api/tags` is no such list.

    `ps` may be missing, or no list: then nothing counts as loaded. Names that no Ollama gives are left out.
    """
    listed = _read(tags)
    if listed is None:
        return None
    running = {_name(one): one for one in (_read(ps) or []) if _name(one)} if ps is not None else {}
    models = {name: _model(name, one, running.get(name)) for one in listed if (name := _name(one))}
    return tuple(models[name] for name in sorted(models)[:MODELS_MAX])


def _read(raw: bytes) -> list[_Listed] | None:
    try:
        return _DECODER.decode(raw).models or []
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _name(one: _Listed) -> str:
    name = one.name or one.model
    return name if is_model_name(name) else ""


def _model(name: str, one: _Listed, running: _Listed | None) -> Model:
    details = one.details or _Details()
    found = Model(
        name,
        max(0, one.size),
        shown(details.parameter_size, _DETAIL_MAX),
        shown(details.quantization_level, _DETAIL_MAX),
        cloud=bool(one.remote_host or one.remote_model),
        digest=short(one.digest),
    )
    if running is None:
        return found
    return msgspec.structs.replace(
        found,
        loaded=True,
        memory=max(0, running.size),
        vram=max(0, running.size_vram),
        context=max(0, running.context_length),
        until=shown(running.expires_at, 2 * _DETAIL_MAX),
    )
