"""A static server behind https: its certificate is verified, by httpx."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest
import trustme

from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.patience import Terms
from ollama_locate.edge.probe import Prober
from tests.edge.listener import Notes, at, probe
from tests.standins import ollama
from tests.standins.ollama import Behaviour, answers, http, like_ollama


@contextmanager
def trusting(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's trust store is what httpx asks; here it has one more authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    real = httpx.AsyncClient

    def client(**words: Any) -> httpx.AsyncClient:
        return real(**words, verify=context)

    monkeypatch.setattr(httpx, "AsyncClient", client)
    yield


@asynccontextmanager
async def serving_tls(behaviour: Behaviour, authority: trustme.CA, name: str) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await behaviour(reader, writer)
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def verdict(behaviour: Behaviour, authority: trustme.CA, name: str = "localhost") -> Probe:
    async with serving_tls(behaviour, authority, name) as port:
        return await probe(at("localhost", port, scheme="https"), 1.0)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Python 3.11 leaves a refused TLS transport to the collector
@pytest.mark.parametrize(
    ("behaviour", "name", "outcome", "detail"),
    [
        pytest.param(like_ollama("mistral:latest"), "localhost", Outcome.ALIVE, "", id="a good certificate"),
        pytest.param(like_ollama(), "other.example", Outcome.ERROR, "certificate", id="of another name"),
        pytest.param(ollama.says_nothing, "localhost", Outcome.ERROR, "https: ", id="says nothing"),
        pytest.param(answers(http("302 Found", b"")), "localhost", Outcome.NOT_OLLAMA, "redirects", id="redirects"),
        pytest.param(ollama.floods, "localhost", Outcome.ERROR, "too large", id="floods"),
    ],
)
def test_https(behaviour: Behaviour, name: str, outcome: Outcome, detail: str, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    with trusting(authority, monkeypatch):
        found = asyncio.run(verdict(behaviour, authority, name))
    assert (found.outcome, detail in found.detail) == (outcome, True), found
    assert found.models == (("mistral:latest",) if outcome is Outcome.ALIVE else None)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_authority_that_is_not_trusted_is_an_error() -> None:
    found = asyncio.run(verdict(like_ollama("m"), trustme.CA()))
    assert (found.outcome, "certificate verify failed" in found.detail) == (Outcome.ERROR, True), found


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # as above
def test_what_is_loaded_and_what_it_can_do_is_asked_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    authority, notes = trustme.CA(), Notes()

    async def scenario() -> None:
        behaviour = like_ollama("mistral:latest", loaded=("mistral:latest",), can={"mistral:latest": ["tools"]})
        async with serving_tls(behaviour, authority, "localhost") as port:
            prober = Prober(notes, 1.0)
            prober.probe(at("localhost", port, scheme="https"), Terms(None, sure=False, answer_wait=1.0))
            await notes.until_stocked()
            await prober.stop()

    with trusting(authority, monkeypatch):
        asyncio.run(scenario())
    (model,) = notes.stock or ()
    assert (model.loaded, model.can) == (True, ("tools",))
