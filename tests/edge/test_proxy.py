"""Static servers behind a real nginx that wants a token, has a path, keeps a cache, or stands before a dead Ollama."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from ollama_locate.core.inventory import Model
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.pulling import Meter
from ollama_locate.core.server import NOTHING, Kind, Needs, Server, host_of, port_of
from ollama_locate.edge import pull
from ollama_locate.edge.access import access
from ollama_locate.edge.probe import Prober
from tests.edge.listener import Notes, probe, terms
from tests.standins.nginx import WORD, Nginx, needs_nginx, nginx
from tests.standins.ollama import answers, http, like_ollama, serving

pytestmark = needs_nginx

T = TypeVar("T")


@pytest.fixture
def headers(tmp_path: Path) -> str:
    return token(tmp_path / "headers", WORD)


def token(path: Path, value: str) -> str:
    path.write_text(f"Authorization: Bearer {value}\n")
    path.chmod(0o600)
    return str(path)


def static(url: str, needs: Needs = NOTHING) -> Server:
    return Server("static:x", "x", Kind.STATIC, host_of(url), int(port_of(url)), url, tls=url[4] == "s", needs=needs)


def through(folder: Path, asked: Callable[[Nginx], Awaitable[T]], *, dead: bool = False) -> T:
    """What is found through an nginx before an Ollama, or before a port where one was."""

    async def scenario() -> T:
        async with contextlib.AsyncExitStack() as stack:
            port = await stack.enter_async_context(serving(like_ollama("mistral:latest")))
            if dead:
                await stack.aclose()
            with nginx(folder / "nginx", port) as proxy:
                return await asked(proxy)

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("path", "dead", "outcome", "detail"),
    [
        pytest.param("/open", False, Outcome.ALIVE, "", id="alive"),
        pytest.param("/open", True, Outcome.GATEWAY, "HTTP 502", id="the Ollama behind it is dead"),
        pytest.param("/away", False, Outcome.GATEWAY, "HTTP 503", id="it knows no Ollama"),
        pytest.param("/ollama", False, Outcome.LOGIN, "HTTP 401: name a file of `headers`", id="it wants a token"),
        pytest.param("/closed", False, Outcome.LOGIN, "HTTP 403: name a file of `headers`", id="it lets nobody in"),
        pytest.param("/login", False, Outcome.NOT_OLLAMA, "HTTP 302: it redirects, as to a login", id="a login"),
        pytest.param("/page", False, Outcome.NOT_OLLAMA, "a page for people (HTML)", id="a page"),
        pytest.param("/nowhere", False, Outcome.NOT_OLLAMA, "HTTP 404 to /api/version", id="another path"),
    ],
)
def test_what_a_proxy_answers_has_a_name(path: str, dead: bool, outcome: Outcome, detail: str, tmp_path: Path) -> None:  # noqa: FBT001 - of the table
    async def asked(proxy: Nginx) -> list[Probe]:
        over_tls = Needs(ca=str(proxy.ca))
        return [await probe(static(proxy.url + path, over_tls), 2.0), await probe(static(proxy.plain + path), 2.0)]

    for found in through(tmp_path, asked, dead=dead):
        assert (found.outcome, found.detail.startswith(detail)) == (outcome, True), found
        # On a busy machine the list comes after the probe: it is no matter of the proxy.
        assert found.models in ((("mistral:latest",), None) if outcome is Outcome.ALIVE else (None,))


def test_with_the_token_it_answers(tmp_path: Path, headers: str) -> None:
    async def asked(proxy: Nginx) -> list[Probe]:
        both = Needs(headers, str(proxy.ca))
        return [
            await probe(static(f"{proxy.url}/ollama", both), 2.0),
            await probe(static(f"{proxy.plain}/ollama", Needs(headers)), 2.0),
        ]

    for found in through(tmp_path, asked):
        assert (found.outcome, found.version, found.models) == (Outcome.ALIVE, "0.17.4", ("mistral:latest",)), found


def test_a_token_that_is_no_longer_good_is_called_by_its_file(tmp_path: Path) -> None:
    path = token(tmp_path / "headers", "old-t0ken")

    async def asked(proxy: Nginx) -> Probe:
        return await probe(static(f"{proxy.url}/ollama", Needs(path, str(proxy.ca))), 2.0)

    found = through(tmp_path, asked)
    assert (found.outcome, found.detail) == (Outcome.LOGIN, f"HTTP 401: it refuses the token in {path}")


def test_a_new_token_is_used_from_the_next_probe_on(tmp_path: Path) -> None:
    path = token(tmp_path / "headers", "old-t0ken")

    async def asked(proxy: Nginx) -> list[Outcome]:
        notes, found = Notes(), []
        prober = Prober(notes, 2.0)
        for value in ("old-t0ken", WORD, WORD):
            token(Path(path), value)
            notes.probes.clear()
            prober.probe(static(f"{proxy.url}/ollama", Needs(path, str(proxy.ca))), terms())
            await notes.until(1)
            found.append(notes.probes["static:x"].outcome)
        await prober.stop()
        return found

    assert through(tmp_path, asked) == [Outcome.LOGIN, Outcome.ALIVE, Outcome.ALIVE]


def test_a_file_that_cannot_be_used_is_an_outcome(tmp_path: Path) -> None:
    async def asked(proxy: Nginx) -> list[Probe]:
        return [
            await probe(static(f"{proxy.url}/ollama", Needs("/no/headers", str(proxy.ca))), 2.0),
            await probe(static(f"{proxy.plain}/ollama", Needs("/no/headers")), 2.0),
            await probe(static(f"{proxy.url}/ollama", Needs(ca="/no/ca.pem")), 2.0),
        ]

    found = through(tmp_path, asked)
    assert [one.outcome for one in found] == [Outcome.ERROR] * 3
    said = "cannot read /no/{}: No such file or directory"
    assert [one.detail for one in found] == [said.format("headers"), said.format("headers"), said.format("ca.pem")]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Python 3.11 leaves a refused TLS transport to the collector
def test_another_authority_or_another_name_is_refused(tmp_path: Path, headers: str) -> None:
    async def scenario() -> list[Probe]:
        async with serving(like_ollama()) as port:
            with nginx(tmp_path / "one", port) as one, nginx(tmp_path / "two", port, "other.example") as two:
                return [
                    await probe(static(f"{one.url}/ollama", Needs(headers, str(two.ca))), 2.0),
                    await probe(static(f"{one.url}/ollama", Needs(headers)), 2.0),
                    await probe(static(f"{two.url}/ollama", Needs(headers, str(two.ca))), 2.0),
                ]

    found = asyncio.run(scenario())
    assert [one.outcome for one in found] == [Outcome.ERROR] * 3
    assert ["certificate verify failed" in one.detail for one in found] == [True] * 3
    assert "Hostname mismatch" in found[2].detail


def test_a_cache_does_not_hide_that_ollama_died(tmp_path: Path) -> None:
    """It has an answer to `/api/version`, and would give it; nobody has asked it this question before."""

    async def scenario() -> list[Probe]:
        async with contextlib.AsyncExitStack() as stack:
            port = await stack.enter_async_context(serving(like_ollama()))
            with nginx(tmp_path / "nginx", port) as proxy:
                server = static(f"{proxy.plain}/cached")
                found = [await probe(server, 2.0)]
                for _ in range(2):
                    async with httpx.AsyncClient(trust_env=False) as anybody:
                        assert (await anybody.get(f"{proxy.plain}/cached/api/version")).status_code == httpx.codes.OK
                    await stack.aclose()
                found.append(await probe(server, 2.0))
                return found

    found = asyncio.run(scenario())
    assert [one.outcome for one in found] == [Outcome.ALIVE, Outcome.GATEWAY]


@pytest.mark.parametrize(
    ("age", "outcome"),
    [
        pytest.param("0", Outcome.ALIVE, id="asked just now"),
        pytest.param("37", Outcome.CACHED, id="an old answer"),
        pytest.param("soon", Outcome.ALIVE, id="no number is no age"),
        pytest.param("9" * 40, Outcome.ALIVE, id="nor is one that no clock has"),
    ],
)
def test_a_cache_that_says_so_is_believed(age: str, outcome: Outcome, tmp_path: Path) -> None:
    aged = answers(http("200 OK", b'{"version":"0.17.4"}', more=f"Age: {age}\r\n"), then_close=False)

    async def scenario() -> list[Probe]:
        async with serving(aged) as port:
            with nginx(tmp_path / "nginx", port) as proxy:
                over_tls = static(f"{proxy.url}/open", Needs(ca=str(proxy.ca)))
                return [await probe(over_tls, 2.0), await probe(static(f"{proxy.plain}/open"), 2.0)]

    assert [one.outcome for one in asyncio.run(scenario())] == [outcome, outcome]


def test_what_is_loaded_and_can_be_done_is_asked_with_the_token(tmp_path: Path, headers: str) -> None:
    like = like_ollama("mistral:latest", loaded=("mistral:latest",), can={"mistral:latest": ["tools"]})

    async def scenario() -> list[tuple[Model, ...]]:
        found = []
        async with serving(like) as port:
            with nginx(tmp_path / "nginx", port) as proxy:
                for url, ca in ((proxy.url, str(proxy.ca)), (proxy.plain, "")):
                    notes = Notes()
                    prober = Prober(notes, 2.0)
                    prober.probe(static(f"{url}/ollama", Needs(headers, ca)), terms())
                    await notes.until_stocked()
                    await prober.stop()
                    found.append(notes.stock or ())
        return found

    assert [[(one.loaded, one.can) for one in stock] for stock in asyncio.run(scenario())] == [[(True, ("tools",))]] * 2


def test_a_pull_and_a_load_carry_the_token(tmp_path: Path, headers: str) -> None:
    async def asked(proxy: Nginx) -> list[str]:
        details = []
        for needs in (Needs(headers, str(proxy.ca)), Needs(ca=str(proxy.ca))):
            async with pull.client(await access(needs)) as client:
                meter = Meter(asyncio.get_running_loop().time())
                pulled = await pull.pull(client, f"{proxy.url}/ollama", {"model": "m:1"}, meter, lambda _: None)
                loaded = await pull.load(client, f"{proxy.url}/ollama", "m:1")
                assert pulled is not None  # the stand-in has neither
                assert loaded is not None
                details += [pulled.detail, loaded.detail]
        return details

    assert through(tmp_path, asked) == ["status 404", "status 404", "status 401", "status 401"]
