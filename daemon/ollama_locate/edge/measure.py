"""Measures how fast an Ollama generates. Imported by `models --bench` only; what the server does never raises."""

import asyncio
from typing import Final, NamedTuple

import httpx

from ollama_locate.core.bounds_models import (
    BENCH_DEADLINE,
    BENCH_MAX_BYTES,
    BENCH_QUIET,
    BENCH_RELOADED,
    BENCH_TOKENS,
    BENCH_WARM,
    INVENTORY_PATIENCE,
    LOAD_DEADLINE,
)
from ollama_locate.core.constants import TAGS_MAX_BYTES
from ollama_locate.core.generation import Generation, Miss, Unmeasured, refused
from ollama_locate.core.inventory import Model, listed, loaded
from ollama_locate.core.pulling import parse_error
from ollama_locate.core.text import shown

from .https import get
from .pull import bounded, lines
from .talk import Answer

_PROMPT: Final = (
    "{number}. Explain to a friend, in plain words and in at least ten sentences, how a sailing ship can go against "
    "the wind."
)


class Figures(NamedTuple):
    """Seconds to the first token and to load; tokens a second. `load` is 0.0 where it was loaded already."""

    first_token: float
    rate: float
    load: float


async def measure(asked: httpx.AsyncClient, url: str, model: str, context: int | None, number: int) -> Figures | Miss:
    """Load it with a generation that is not counted, then measure a second one.

    `context`: the one with which it is loaded now, None where it is not: with another one Ollama would load it anew
    (server/sched.go, needsReload). `number` is another one each time: what Ollama has read before, it need not read
    again, and the first token would come too soon. How long it stays loaded is left as it was: nothing is said of it.
    """
    first = await _generate(asked, url, _body(model, context, number, BENCH_WARM), LOAD_DEADLINE)
    if isinstance(first, Miss):
        return first
    load = first.load() if context is None else 0.0
    if isinstance(load, Miss):
        return load
    second = await _generate(asked, url, _body(model, context, number + 1, BENCH_TOKENS), BENCH_QUIET)
    if isinstance(second, Miss):
        return second
    rate, again, first_token = second.rate(BENCH_TOKENS), second.load(), second.first_token
    if isinstance(rate, Miss):
        return rate
    if isinstance(again, Miss) or again > BENCH_RELOADED:
        return Miss(Unmeasured.DISPLACED)
    return Miss(Unmeasured.SHORT) if first_token is None else Figures(first_token, rate, load)


async def listing(asked: httpx.AsyncClient, url: str) -> tuple[Model, ...] | Miss:
    """What the server has and what is loaded, at this moment: what is published may be half a minute old."""
    tags = _good(await get(asked, f"{url}/api/tags", TAGS_MAX_BYTES, INVENTORY_PATIENCE))
    if isinstance(tags, Miss):
        return tags
    ps = _good(await get(asked, f"{url}/api/ps", TAGS_MAX_BYTES, INVENTORY_PATIENCE))
    if isinstance(ps, Miss):
        return ps
    found = listed(tags)
    return Miss(Unmeasured.NOT_OLLAMA, "no list of models") if found is None else loaded(found, ps)


def _good(answer: Answer | str) -> bytes | Miss:
    if isinstance(answer, str):
        return Miss(Unmeasured.LOST, answer.removeprefix("https: "))
    ok = answer.status == httpx.codes.OK
    return answer.body if ok else Miss(Unmeasured.NOT_OLLAMA, f"status {answer.status}")


def _body(model: str, context: int | None, number: int, tokens: int) -> dict[str, object]:
    options: dict[str, object] = {"num_predict": tokens, "temperature": 0, "seed": 1}
    if context:
        options["num_ctx"] = context
    return {"model": model, "prompt": _PROMPT.format(number=number), "stream": True, "options": options}


async def _generate(
    asked: httpx.AsyncClient, url: str, body: dict[str, object], first_within: float
) -> Generation | Miss:
    """One generation, read to its end, so that the next one finds the connection open."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    ends = begun + first_within + BENCH_DEADLINE
    came = Generation(begun)
    try:
        async with (
            asyncio.timeout(first_within) as limit,
            asked.stream("POST", f"{url}/api/generate", json=body) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                said = parse_error(await bounded(answer))
                return refused(said) if said else Miss(Unmeasured.NOT_OLLAMA, f"status {answer.status_code}")
            async for several in lines(answer):
                for line in several:
                    if miss := came.feed(line, clock()):
                        return miss
                if answer.num_bytes_downloaded > BENCH_MAX_BYTES:
                    return Miss(Unmeasured.TOO_MUCH)
                limit.reschedule(min(ends, clock() + BENCH_QUIET))
    except TimeoutError:
        return Miss(Unmeasured.STALLED, f"for {clock() - begun:.0f} s in all")
    except httpx.RemoteProtocolError as error:
        return Miss(Unmeasured.ENDED, shown(str(error)))
    except httpx.HTTPError as error:
        return Miss(Unmeasured.LOST, shown(str(error) or type(error).__name__))
    return came if came.done else Miss(Unmeasured.ENDED)
