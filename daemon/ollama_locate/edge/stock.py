"""What is known of each server's models, so that little is asked twice: lists in their time, abilities by digest."""

import asyncio
import hashlib
from collections.abc import Iterable
from math import inf
from typing import NamedTuple, Protocol

import msgspec

from ollama_locate.core.bounds_models import (
    LIST_RATE,
    PS_BELIEVED,
    SHOW_AGAIN,
    SHOW_MAX_BYTES,
    SHOW_RATE,
    SHOW_RETRY,
    SHOWS_AT_A_TIME,
)
from ollama_locate.core.constants import TAGS_MAX_BYTES
from ollama_locate.core.inventory import Ability, Model, ability, able, listed, loaded, unlisted

from .talk import Answer

_OK = 200
_NOT_FOUND = 404


class Ask(Protocol):
    """One request on a server's connection."""

    async def __call__(self, target: str, limit: int, body: bytes | None = None) -> Answer | None:
        """Its answer, of at most `limit` bytes; None where none came. A POST where there is a `body`."""


class _Known(NamedTuple):
    """What was said of a model; `again`: when to ask anew, as it was no answer of use."""

    ability: Ability | None
    again: float = inf


class Stock:
    """One server's. `models` is the last list, without what is loaded; None where none has been read yet.

    `shows`: of how many models a check may ask what they can do.
    """

    def __init__(self) -> None:
        self.models: tuple[Model, ...] | None = None
        self.shows = SHOWS_AT_A_TIME
        self._tags = self._ps = self._unlisted = b""
        self._unsaid = 0
        self._list_from = self._show_from = 0.0
        self._known: dict[tuple[str, str, str], _Known] = {}
        self._versions: tuple[str, ...] = ()
        self._taking = False
        self._told: tuple[Model, ...] | None = None

    def recall(self, models: Iterable[Model], version: str) -> None:
        """What an earlier daemon knew of what they can do."""
        said = ((one, one.can) for one in models if not one.absent)
        self._known |= {
            (version, one.name, one.digest): _Known(Ability(can, one.window)) for one, can in said if can is not None
        }

    def list_again(self) -> None:
        """Let the list be asked for with the next check, whatever its size."""
        self._list_from = 0.0

    async def list(self, ask: Ask, now: float) -> tuple[Model, ...] | None:
        """What is installed; None where it was asked for a moment ago, by its size, or where no list came."""
        if now < self._list_from:
            return None
        answer = await ask("/api/tags", TAGS_MAX_BYTES)
        if answer is None or answer.status != _OK:
            return None
        self._list_from = now + len(answer.body) / LIST_RATE
        mark = _mark(answer.body)
        if mark != self._tags:
            self._tags, self.models, self._told = mark, listed(answer.body), None
            there = {(one.name, one.digest) for one in self.models or ()}
            self._known = {key: one for key, one in self._known.items() if key[1:] in there and one.again == inf}
        return self.models

    async def take(self, ask: Ask, version: str, now: float) -> tuple[Model, ...] | None:
        """What is loaded as well, and what a few more of the models can do; None where nothing is new."""
        if self._taking or self.models is None:
            return None
        self._taking = True
        try:
            return await self._take(ask, version, now)
        finally:
            self._taking = False

    async def _take(self, ask: Ask, version: str, now: float) -> tuple[Model, ...] | None:
        ps = await self._running(ask)
        # What was told of with this very list and answer is compared already.
        same = ps == self._ps and self._told is not None
        if self.models is not None and not same and ps != self._unlisted and unlisted(self.models, ps):
            # Pulled since: the list is older than that. Once for each answer, as one may stay loaded without a file.
            self._unlisted = ps
            self.list_again()
            await self.list(ask, now)
        models = self.models
        if models is None:
            return None
        learnt = await self._ask_abilities(ask, models, ps, version, now)
        if models is not self.models or (ps == self._ps and not learnt and self._told is not None):
            return None
        self._ps = ps
        abilities = {key[1:]: one.ability for key, one in self._known.items() if key[0] == version and one.ability}
        # What nobody learnt anything about is the same object in both: of thousands that is megabytes.
        self.models = able(models, abilities)
        self._told = loaded(self.models, ps)
        return self._told

    async def _running(self, ask: Ask) -> bytes:
        """The list of what is loaded; the last one where none comes now, for a few times."""
        answer = await ask("/api/ps", TAGS_MAX_BYTES)
        if answer is not None:
            self._unsaid = 0
            return answer.body if answer.status == _OK else b""
        self._unsaid += 1
        return self._ps if self._unsaid < PS_BELIEVED else b""

    async def _ask_abilities(self, ask: Ask, models: tuple[Model, ...], ps: bytes, version: str, now: float) -> bool:
        """Of those not known yet, the loaded ones first; whether anything new was said."""
        self._forget_other_versions(version)
        unknown = tuple(
            one for one in models if not one.cloud and self._is_unknown((version, one.name, one.digest), now)
        )
        if not unknown or now < self._show_from:
            return False
        learnt, size = False, 0
        for model in sorted(loaded(unknown, ps), key=lambda one: not one.loaded)[: self.shows]:
            answer = await ask("/api/show", SHOW_MAX_BYTES, msgspec.json.encode({"model": model.name}))
            if answer is None:
                self._show_from = now + SHOW_RETRY
                break
            size += len(answer.body)
            found = _ability(answer)
            waits = found is None or found.absent
            self._known[version, model.name, model.digest] = _Known(found, now + SHOW_AGAIN if waits else inf)
            learnt = learnt or found is not None
            await asyncio.sleep(0)
        self._show_from = max(self._show_from, now + size / SHOW_RATE)
        return learnt

    def _is_unknown(self, key: tuple[str, str, str], now: float) -> bool:
        known = self._known.get(key)
        return known is None or known.again <= now

    def _forget_other_versions(self, version: str) -> None:
        """Another Ollama may see more in the same model. Two are kept: a proxy may have two behind it."""
        if version not in self._versions:
            self._versions = (*self._versions, version)[-2:]
            self._known = {key: one for key, one in self._known.items() if key[0] in self._versions}


def _mark(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


def _ability(answer: Answer) -> Ability | None:
    """None where it is no answer of use."""
    if answer.status == _NOT_FOUND and b"not found" in answer.body:
        return Ability(absent=True)
    return ability(answer.body) if answer.status == _OK else None
