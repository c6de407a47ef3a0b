"""What is known of each server's models, so that little is asked twice: lists in their time, abilities by digest."""

import asyncio
import hashlib
from collections.abc import Iterable
from typing import Protocol

import msgspec

from ollama_locate.core.bounds import LIST_RATE, SHOW_AGAIN, SHOW_MAX_BYTES, SHOWS_AT_A_TIME
from ollama_locate.core.constants import TAGS_MAX_BYTES
from ollama_locate.core.inventory import Ability, Model, ability, able, listed, loaded, unlisted

from .talk import Answer

_OK = 200
_NOT_FOUND = 404


class Ask(Protocol):
    """One request on a server's connection."""

    async def __call__(self, target: str, limit: int, body: bytes | None = None) -> Answer | None:
        """Its answer, of at most `limit` bytes; None where none came. A POST where there is a `body`."""


class Stock:
    """One server's. `models` is the last list, without what is loaded; None where none has been read yet."""

    def __init__(self) -> None:
        self.models: tuple[Model, ...] | None = None
        self._tags = self._ps = b""
        self._version = ""
        self._list_from = self._show_from = 0.0
        self._abilities: dict[tuple[str, str], Ability] = {}
        self._taking = False
        self._told: tuple[Model, ...] | None = None

    def recall(self, models: Iterable[Model], version: str) -> None:
        """What an earlier daemon knew of what they can do."""
        self._version = version
        known = ((one, one.can) for one in models if not one.absent)
        self._abilities |= {(one.name, one.digest): Ability(can, one.window) for one, can in known if can is not None}

    async def list(self, ask: Ask, now: float) -> tuple[Model, ...] | None:
        """What is installed; None where it was asked for a moment ago, by its size, or where no list came."""
        if now < self._list_from:
            return None
        answer = await ask("/api/tags", TAGS_MAX_BYTES)
        if answer is None or answer.status != _OK:
            return None
        self._list_from = now + len(answer.body) / LIST_RATE
        mark = hashlib.blake2b(answer.body, digest_size=16).digest()
        if mark != self._tags:
            self._tags, self.models = mark, listed(answer.body)
            self._told = None
            there = {(one.name, one.digest) for one in self.models or ()}
            self._abilities = {key: one for key, one in self._abilities.items() if key in there and not one.absent}
        return self.models

    async def take(self, ask: Ask, version: str, now: float) -> tuple[Model, ...] | None:
        """What is loaded as well, and what a few more of the models can do; None where nothing is new."""
        if self._taking or self.models is None:
            return None
        self._taking = True
        try:
            return await self._take(ask, self.models, version, now)
        finally:
            self._taking = False

    async def _take(self, ask: Ask, models: tuple[Model, ...], version: str, now: float) -> tuple[Model, ...] | None:
        if version != self._version:
            # Another Ollama may see more in the same model.
            self._version, self._abilities = version, {}
        answer = await ask("/api/ps", TAGS_MAX_BYTES)
        ps = self._ps if answer is None else answer.body if answer.status == _OK else b""
        if unlisted(models, ps):
            self._list_from = 0.0
        learnt = await self._ask_abilities(ask, loaded(models, ps), now)
        if ps == self._ps and not learnt and self._told is not None:
            return None
        self._ps = ps
        self._told = able(loaded(models, ps), self._abilities)
        return self._told

    async def _ask_abilities(self, ask: Ask, models: tuple[Model, ...], now: float) -> bool:
        """Of those not known yet, the loaded ones first; whether anything new was said."""
        if now >= self._show_from and any(one.absent for one in self._abilities.values()):
            self._abilities = {key: one for key, one in self._abilities.items() if not one.absent}
        unknown = [one for one in models if not one.cloud and (one.name, one.digest) not in self._abilities]
        if not unknown or now < self._show_from:
            return False
        unknown.sort(key=lambda one: not one.loaded)
        learnt = False
        for model in unknown[:SHOWS_AT_A_TIME]:
            found = await _ability(ask, model.name)
            if found is None:
                self._show_from = now + SHOW_AGAIN
                break
            if found.absent:
                self._show_from = now + SHOW_AGAIN
            self._abilities[model.name, model.digest] = found
            learnt = True
            await asyncio.sleep(0)
        return learnt


async def _ability(ask: Ask, name: str) -> Ability | None:
    answer = await ask("/api/show", SHOW_MAX_BYTES, msgspec.json.encode({"model": name}))
    if answer is None:
        return None
    if answer.status == _NOT_FOUND and b"not found" in answer.body:
        return Ability(absent=True)
    return ability(answer.body) if answer.status == _OK else None
