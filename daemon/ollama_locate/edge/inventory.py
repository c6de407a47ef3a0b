"""Asks servers for their models, all at once: the list of what is installed, and of what is loaded."""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

import h11

from ollama_locate.core.bounds import INVENTORY_PATIENCE
from ollama_locate.core.constants import TAGS_MAX_BYTES
from ollama_locate.core.inventory import Model, inventory
from ollama_locate.core.net import Proxy

from .connect import connect
from .dial import Wire
from .https import client, get
from .talk import Answer, Talk, TooLargeError


class Stock(NamedTuple):
    """What a server has; `trouble` is why nothing is known, empty if something is."""

    models: tuple[Model, ...] = ()
    trouble: str = ""


async def stocks(places: Iterable[tuple[str, Proxy | None]], wire: Wire) -> list[Stock]:
    """Of each URL, reached through its proxy where it has one, in order. Never raises for what a server does."""
    return list(await asyncio.gather(*(_stock(url, wire.via(proxy)) for url, proxy in places)))


async def _stock(url: str, wire: Wire) -> Stock:
    try:
        async with asyncio.timeout(INVENTORY_PATIENCE):
            tags, ps = await (_over_tls(url) if url.startswith("https:") else _plainly(url, wire))
    except TimeoutError:
        return Stock(trouble=f"no answer within {INVENTORY_PATIENCE:g} s")
    except (OSError, TooLargeError, h11.ProtocolError, ValueError):
        return Stock(trouble="does not answer")
    models = inventory(tags, ps)
    return Stock(trouble="its list of models cannot be read") if models is None else Stock(models)


async def _plainly(url: str, wire: Wire) -> tuple[bytes, bytes | None]:
    parts = urlsplit(url)
    sock = await connect(wire, parts.hostname or "", parts.port or 0, INVENTORY_PATIENCE)
    if sock is None:
        raise OSError
    with sock:
        talk = Talk(sock, parts.netloc)
        tags = await talk.get("/api/tags", TAGS_MAX_BYTES)
        ps = await talk.get("/api/ps", TAGS_MAX_BYTES) if talk.reusable else None
    return _needed(tags), _body(ps)


async def _over_tls(url: str) -> tuple[bytes, bytes | None]:
    async with client(INVENTORY_PATIENCE) as secure:
        tags = await get(secure, f"{url}/api/tags", TAGS_MAX_BYTES, INVENTORY_PATIENCE)
        ps = await get(secure, f"{url}/api/ps", TAGS_MAX_BYTES, INVENTORY_PATIENCE)
    return _needed(tags), _body(ps)


def _needed(answer: Answer | str) -> bytes:
    body = _body(answer)
    if body is None:
        raise OSError
    return body


def _body(answer: Answer | str | None) -> bytes | None:
    """A good answer's; None of any other, of a sentence why there is none, and where nothing was asked."""
    return answer.body if isinstance(answer, Answer) and answer.status == 200 else None  # noqa: PLR2004 - HTTP's "OK"
