"""The proxies of the environment see nothing: what is asked of a server goes to that server."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from ollama_locate.core.outcome import Outcome
from ollama_locate.core.pulling import Meter
from ollama_locate.edge import https, pull
from ollama_locate.edge.access import Access
from tests.edge.listener import at, probe
from tests.standins.ollama import Behaviour, answers, http, like_ollama, serving

NAMES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


async def probed(port: int) -> bool:
    return (await probe(at("127.0.0.1", port))).outcome is Outcome.ALIVE


async def asked_by_httpx(port: int) -> bool:
    async with https.client(1.0, Access()) as asked:
        answer = await https.get(asked, f"http://127.0.0.1:{port}/api/version", 1000, 1.0)
    return not isinstance(answer, str) and answer.status == 200


async def pulled(port: int) -> bool:
    meter = Meter(asyncio.get_running_loop().time())
    async with pull.client() as asked:
        return await pull.pull(asked, f"http://127.0.0.1:{port}", {"model": "m"}, meter, lambda _: None) is None


DONE = answers(http("200 OK", b'{"status":"success"}'))


@pytest.mark.parametrize(
    ("ask", "behaviour"), [(probed, like_ollama("m")), (asked_by_httpx, like_ollama("m")), (pulled, DONE)]
)
def test_the_server_is_asked_and_not_the_proxy(
    ask: Callable[[int], Awaitable[bool]], behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> tuple[bool, bool]:
        async with serving(behaviour) as port, serving(DONE) as proxy:
            for name in NAMES:
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
            good = await ask(port)
            # The environment is such that a client which heeds it does go there.
            async with httpx.AsyncClient() as heeds:
                through = await heeds.get("http://127.0.0.1:1/")
            return good, through.status_code == 200

    assert asyncio.run(scenario()) == (True, True)
