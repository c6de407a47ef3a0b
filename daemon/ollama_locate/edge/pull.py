"""To have an Ollama load and pull a model, by httpx; what the server does never raises.

Imported by `ensure` and `models --bench` only.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

import httpx

from ollama_locate.core.bounds_models import LOAD_DEADLINE, LOAD_MAX_BYTES, PULL_CONNECT, PULL_LINE_MAX
from ollama_locate.core.pulling import Failure, Meter, Trouble, parse_error, stopped_before_its_end, told
from ollama_locate.core.text import shown

from . import https
from .access import Access

_NOT_FOUND: Final = 404
_BAD_REQUEST: Final = 400
_OPEN: Final = Access()


def client(access: Access = _OPEN) -> httpx.AsyncClient:
    """A client for one server.

    How long an answer may take is bounded where it is read.
    """
    timeout = httpx.Timeout(None, connect=PULL_CONNECT, write=PULL_CONNECT)
    return https.client(timeout, access)


async def load(asked: httpx.AsyncClient, url: str, model: str, deadline: float = LOAD_DEADLINE) -> Failure | None:
    """Load it; NOT_FOUND: it is not there. A model that only embeds is loaded by an embedding of nothing."""
    try:
        async with asyncio.timeout(deadline):
            status, body = await _post(asked, f"{url}/api/generate", {"model": model})
            if status == _BAD_REQUEST and "does not support generate" in parse_error(body):
                status, body = await _post(asked, f"{url}/api/embed", {"model": model})
    except TimeoutError:
        return Failure(Trouble.STALLED, f"it was not loaded within {deadline:g} s")
    except httpx.HTTPError as error:
        return _lost(error)
    if status == httpx.codes.OK:
        return None
    said = parse_error(body)
    if status == _NOT_FOUND and said:
        return Failure(Trouble.NOT_FOUND, shown(said))
    return Failure(Trouble.OTHER, shown(said)) if said else _no_ollama(status)


async def pull(
    asked: httpx.AsyncClient,
    url: str,
    body: dict[str, object],
    meter: Meter,
    tell: Callable[[Meter], None],
) -> Failure | None:
    """Pull it; `tell` is called after each piece of the stream. When this task is cancelled, Ollama stops."""
    clock = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(meter.patience) as limit, asked.stream("POST", f"{url}/api/pull", json=body) as got:
            if got.status_code != httpx.codes.OK:
                said = parse_error(await bounded(got))
                return told(said) if said else _no_ollama(got.status_code)
            async for several in lines(got):
                for line in several:
                    if failure := meter.feed(line, clock()):
                        return failure
                tell(meter)
                if meter.done:
                    return None
                limit.reschedule(meter.moved_at + meter.patience)
    except TimeoutError:
        return meter.stalled(clock()) or Failure(Trouble.STALLED, "nothing came any more")
    except httpx.HTTPError as error:
        return _lost(error)
    return stopped_before_its_end()


async def lines(answer: httpx.Response) -> AsyncIterator[list[bytes]]:
    """The lines of each piece that comes; what is longer than a line of Ollama's may be is given back as it is."""
    rest = b""
    async for chunk in answer.aiter_raw():
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > PULL_LINE_MAX:
            whole.append(rest.strip() or b"\0")
        yield whole
    if rest:
        yield [rest]


async def _post(asked: httpx.AsyncClient, url: str, body: dict[str, object]) -> tuple[int, bytes]:
    async with asked.stream("POST", url, json=body) as answer:
        return answer.status_code, await bounded(answer)


async def bounded(answer: httpx.Response) -> bytes:
    """The body, or the beginning of one that is too long."""
    body = b""
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) >= LOAD_MAX_BYTES:
            break
    return body[:LOAD_MAX_BYTES]


def _lost(error: httpx.HTTPError) -> Failure:
    if isinstance(error, httpx.RemoteProtocolError):
        return Failure(Trouble.ENDED, shown(str(error)))
    return Failure(Trouble.LOST, shown(str(error) or type(error).__name__))


def _no_ollama(status: int) -> Failure:
    return Failure(Trouble.NOT_OLLAMA, f"status {status}")
