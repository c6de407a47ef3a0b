"""What a server has, what of it is in its memory, and what each model can do: Ollama's answers, read.

`/api/tags` lists what is installed, `/api/ps` what is loaded, `/api/show` says what one model can do.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from .bounds import CAPABILITIES_MAX
from .constants import MODELS_MAX
from .models import is_model_name
from .text import shown

_DETAIL_MAX: Final = 24
_DIGEST_SHOWN: Final = 12
"""Hexadecimal digits, as `ollama list` shows them."""


class Model(msgspec.Struct, frozen=True, omit_defaults=True):
    """One model of one server. Sizes in bytes; `vram` is the part of `memory` that lies in its card, where loaded.

    `can` is None where the server has not said yet what the model can do; `window` is the longest context it can have,
    in tokens, `context` the one it is loaded with. `cloud`: it runs at the company that gives it, so that using it
    leaves the tailnet. `absent`: it is listed, but the server says that it is not there.
    """

    name: str
    digest: str = ""
    size: int = 0
    parameters: str = ""
    quantisation: str = ""
    can: tuple[str, ...] | None = None
    window: int = 0
    cloud: bool = False
    absent: bool = False
    loaded: bool = False
    memory: int = 0
    vram: int = 0
    context: int = 0
    until: str = ""

    @property
    def in_card(self) -> float:
        """The share of what is loaded that lies in the card, 0 to 1; 1 where nothing is known."""
        return min(1.0, self.vram / self.memory) if self.memory > 0 else 1.0


class Ability(msgspec.Struct, frozen=True):
    """What `/api/show` says of a model, as far as anybody chooses by it."""

    can: tuple[str, ...] = ()
    window: int = 0
    absent: bool = False


class _Details(msgspec.Struct):
    parameter_size: str = ""
    quantization_level: str = ""


class _Listed(msgspec.Struct):
    name: str = ""
    model: str = ""
    digest: str = ""
    size: int = 0
    size_vram: int = 0
    expires_at: str = ""
    context_length: int = 0
    remote_host: str = ""
    remote_model: str = ""
    details: _Details | None = None


class _List(msgspec.Struct):
    models: list[_Listed] | None


class _Shown(msgspec.Struct):
    capabilities: list[str] | None = None
    model_info: dict[str, msgspec.Raw] | None = None


_LIST: Final = msgspec.json.Decoder(_List)
_SHOWN: Final = msgspec.json.Decoder(_Shown)


def listed(tags: bytes) -> tuple[Model, ...] | None:
    """The models of `/api/tags` by name, at most MODELS_MAX; None where it is no such list.

    Names that no Ollama gives are left out.
    """
    found = _read(tags)
    if found is None:
        return None
    models = {name: _model(name, one) for one in found if (name := _name(one))}
    return tuple(models[name] for name in sorted(models)[:MODELS_MAX])


def loaded(models: tuple[Model, ...], ps: bytes) -> tuple[Model, ...]:
    """The same, with what `/api/ps` says of those that are loaded; an answer that is no list says nothing."""
    running = {name: one for one in _read(ps) or () if (name := _name(one))}
    return tuple(_running(model, running[model.name]) if model.name in running else model for model in models)


def unlisted(models: tuple[Model, ...], ps: bytes) -> bool:
    """Whether something is loaded that the list does not have: then the list is older than that."""
    names = {model.name for model in models}
    return any(name not in names for one in _read(ps) or () if (name := _name(one)))


def ability(show: bytes) -> Ability | None:
    """What `/api/show` says; None where it is no such answer."""
    try:
        found = _SHOWN.decode(show)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    can = sorted({shown(word, _DETAIL_MAX) for word in found.capabilities or ()} - {""})
    return Ability(tuple(can[:CAPABILITIES_MAX]), _window(found.model_info or {}))


def able(models: tuple[Model, ...], abilities: Mapping[tuple[str, str], Ability]) -> tuple[Model, ...]:
    """The same, with what is known of what they can do, by name and digest."""
    return tuple(
        model if (known := abilities.get((model.name, model.digest))) is None else _able(model, known)
        for model in models
    )


def same_to_choose_by(some: tuple[Model, ...], others: tuple[Model, ...]) -> bool:
    """Whether two states of a server's models differ in nothing by which one is chosen: when it is unloaded, say."""
    return len(some) == len(others) and all(
        (one.name, one.digest, one.loaded, one.can, one.absent)
        == (other.name, other.digest, other.loaded, other.can, other.absent)
        for one, other in zip(some, others, strict=True)
    )


def usable(models: tuple[Model, ...], *, cloud: bool = False) -> tuple[str, ...]:
    """The names by which they can be asked for; those that run elsewhere only where that is allowed."""
    return tuple(model.name for model in models if (cloud or not model.cloud) and not model.absent)


def _read(raw: bytes) -> list[_Listed] | None:
    try:
        return _LIST.decode(raw).models or []
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _name(one: _Listed) -> str:
    name = one.name or one.model
    return name if is_model_name(name) else ""


def _model(name: str, one: _Listed) -> Model:
    details = one.details or _Details()
    return Model(
        name,
        shown(one.digest.removeprefix("sha256:")[:_DIGEST_SHOWN], _DIGEST_SHOWN),
        max(0, one.size),
        shown(details.parameter_size, _DETAIL_MAX),
        shown(details.quantization_level, _DETAIL_MAX),
        cloud=bool(one.remote_host or one.remote_model),
    )


def _running(model: Model, running: _Listed) -> Model:
    return msgspec.structs.replace(
        model,
        loaded=True,
        memory=max(0, running.size),
        vram=max(0, running.size_vram),
        context=max(0, running.context_length),
        until=shown(running.expires_at, 2 * _DETAIL_MAX),
    )


def _able(model: Model, known: Ability) -> Model:
    return msgspec.structs.replace(model, can=known.can, window=known.window, absent=known.absent)


def _window(info: Mapping[str, msgspec.Raw]) -> int:
    """`<architecture>.context_length`; of a model with several parts the largest is its own."""
    lengths = [_number(raw) for key, raw in info.items() if key.endswith(".context_length")]
    return max(lengths, default=0)


def _number(raw: msgspec.Raw) -> int:
    try:
        return max(0, msgspec.json.decode(raw, type=int))
    except msgspec.MsgspecError:
        return 0
