"""What a server has, what of it is in its memory, and what each model can do: Ollama's answers, read.

`/api/tags` lists what is installed, `/api/ps` what is loaded, `/api/show` says what one model can do.
"""

from collections.abc import Mapping
from functools import lru_cache
from sys import intern
from typing import Final

import msgspec

from .believed import Shown, Whole
from .bounds_models import CAPABILITIES_MAX
from .constants import MODELS_MAX
from .models import full_name, is_cloud, is_model_name, short_digest
from .text import shown

_DETAIL_MAX: Final = 24
_MOST: Final = 2**53
"""What every reader of JSON can hold; eight petabytes."""


class Model(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One model of one server. Sizes in bytes; `vram` is the part of `memory` that lies in its card, where loaded.

    `can` is None where the server has not said yet what the model can do; `window` is the longest context it can have,
    in tokens, `context` the one it is loaded with. `cloud`: it runs at the company that gives it, so that using it
    leaves the tailnet. `absent`: it is listed, but the server says that it is not there. `seconds`: how long a typical
    answer takes it, where servers are compared by that and it was measured; else 0.
    """

    name: Shown
    digest: Shown = ""
    size: Whole = 0
    parameters: Shown = ""
    quantisation: Shown = ""
    can: tuple[Shown, ...] | None = None
    window: Whole = 0
    cloud: bool = False
    absent: bool = False
    loaded: bool = False
    memory: Whole = 0
    vram: Whole = 0
    context: Whole = 0
    until: Shown = ""
    seconds: float = 0.0

    @property
    def in_card(self) -> float:
        """The share of what is loaded that lies in the card, 0 to 1; 1 where nothing is known."""
        return min(1.0, self.vram / self.memory) if self.memory > 0 else 1.0


class Ability(msgspec.Struct, frozen=True, gc=False):
    """What `/api/show` says of a model, as far as anybody chooses by it."""

    can: tuple[str, ...] = ()
    window: int = 0
    absent: bool = False


class _Details(msgspec.Struct):
    parameter_size: object = None
    quantization_level: object = None


class _Listed(msgspec.Struct):
    """Whatever a server says of a model beside its name may be anything: no word of it hides the others."""

    name: object = None
    model: object = None
    digest: object = None
    size: object = None
    size_vram: object = None
    expires_at: object = None
    context_length: object = None
    remote_host: object = None
    remote_model: object = None
    details: object = None


class _List(msgspec.Struct):
    models: list[_Listed] | None


class _Shown(msgspec.Struct):
    capabilities: list[str] | None = None
    model_info: dict[str, object] | None = None


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
    return _shared(tuple(can[:CAPABILITIES_MAX]), _window(found.model_info or {}))


@lru_cache(maxsize=256)
def _shared(can: tuple[str, ...], window: int) -> Ability:
    """One for all models that can do the same: thousands of models can do a dozen things."""
    return Ability(can, window)


def able(models: tuple[Model, ...], abilities: Mapping[tuple[str, str], Ability]) -> tuple[Model, ...]:
    """The same, with what is known of what they can do, by name and digest, and nothing that is not known."""
    return tuple(_able(model, abilities.get((model.name, model.digest))) for model in models)


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
    """As a person asks for it; empty where no Ollama gives such a name."""
    name = one.name or one.model
    return full_name(name) if isinstance(name, str) and is_model_name(name) else ""


def _model(name: str, one: _Listed) -> Model:
    details = one.details if isinstance(one.details, dict) else {}
    return Model(
        name,
        _digest(one),
        _number(one.size),
        intern(_word(details.get("parameter_size"))),
        intern(_word(details.get("quantization_level"))),
        cloud=bool(one.remote_host or one.remote_model) or is_cloud(name),
    )


def _running(model: Model, running: _Listed) -> Model:
    digest = _digest(running)
    if digest and model.digest and digest != model.digest:
        return model  # what was there before a new pull
    return msgspec.structs.replace(
        model,
        loaded=True,
        memory=_number(running.size),
        vram=_number(running.size_vram),
        context=_number(running.context_length),
        until=_word(running.expires_at, 2 * _DETAIL_MAX),
    )


def _able(model: Model, known: Ability | None) -> Model:
    can, window, absent = (None, 0, False) if known is None else (known.can, known.window, known.absent)
    if (model.can, model.window, model.absent) == (can, window, absent):
        return model
    return msgspec.structs.replace(model, can=can, window=window, absent=absent)


def _window(info: Mapping[str, object]) -> int:
    """`<architecture>.context_length`; of a model with several parts the largest is its own."""
    return max((_number(value) for key, value in info.items() if key.endswith(".context_length")), default=0)


def _digest(one: _Listed) -> str:
    return short_digest(one.digest) if isinstance(one.digest, str) else ""


def _word(value: object, limit: int = _DETAIL_MAX) -> str:
    return shown(value, limit) if isinstance(value, str) else ""


def _number(value: object) -> int:
    """A size or a length; 0 where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return 0
    return int(min(value, _MOST))
