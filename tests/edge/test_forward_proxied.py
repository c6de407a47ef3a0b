"""The stable address before servers that need TLS, a path or a token: what they get, and what they never get."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import trustme

from ollama_locate.core.server import NOTHING, Kind, Needs, Server, host_of, port_of
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.forward import Target
from tests.edge.test_forward import CHAT, ONE, PULL, TAGS, Lab, Reader, Writer, head_of, lab, run
from tests.standins.nginx import WORD, needs_nginx, nginx
from tests.standins.ollama import Behaviour, http, like_ollama, serving

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # Python 3.11 leaves aborted TLS to the collector

AUTHORIZED = f"Bearer {WORD}"


class Asked:
    """A server that gives back each request as it came; `connections` is how many there were, `requests` what came."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[bytes] = []

    async def __call__(self, reader: Reader, writer: Writer) -> None:
        self.connections += 1
        while head := await head_of(reader):
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"), 0
            )
            whole = head + await reader.readexactly(length)
            self.requests.append(whole)
            writer.write(http("200 OK", whole))
            await writer.drain()


@pytest.fixture
def headers(tmp_path: Path) -> str:
    path = tmp_path / "headers"
    path.write_text(f"Authorization: {AUTHORIZED}\nX-Team: red\n")
    path.chmod(0o600)
    return str(path)


@contextlib.asynccontextmanager
async def behind_tls(behaviour: Behaviour, folder: Path, name: str = "localhost") -> AsyncIterator[tuple[str, str]]:
    """Such a server; its URL, and the path of its authority's certificate."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    path = folder / f"{name}.pem"
    authority.cert_pem.write_to_path(path)

    async def client(reader: Reader, writer: Writer) -> None:
        with contextlib.suppress(OSError):
            await behaviour(reader, writer)
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}/gpu/ollama", str(path)


def target(url: str, needs: Needs = NOTHING) -> Target:
    server = Server("0", "x", Kind.STATIC, host_of(url), int(port_of(url)), url, tls=url[:5] == "https", needs=needs)
    return Target("0", server.host, server.port, proxied=server)


class Mixed:
    """Says whom to ask; the proxied one is 0."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._targets = targets
        self.doubts: list[int] = []

    def targets(self) -> Sequence[Target]:
        return self._targets

    def doubted(self, key: str) -> None:
        self.doubts.append(int(key))


@contextlib.asynccontextmanager
async def before(*targets: Target, others: bool = False) -> AsyncIterator[tuple[Lab, Mixed]]:
    """The forward before these, and after them, if wanted, one that needs nothing and says `one`."""
    async with lab(*([ONE] if others else [])) as made:
        more = [Target(str(port), "127.0.0.1", port) for port in made.ports]
        chooser = Mixed([*targets, *more])
        await made.forwarder.close()
        made.forwarder = type(made.forwarder)(made.forwarder.forward, chooser, Wire())
        made.forwarder.open()
        yield made, chooser


def test_a_request_wears_what_the_server_needs_and_its_body_passes_as_it_is(tmp_path: Path, headers: str) -> None:
    async def test() -> None:
        asked = Asked()
        async with behind_tls(asked, tmp_path) as (url, ca), before(target(url, Needs(headers, ca))) as (made, _):
            body = bytes(range(256)) * 12_000
            head = (
                b"POST /api/chat?x=1 HTTP/1.1\r\nHost: 127.0.0.1:11435\r\nauthorization: Bearer ollama\r\n"
                b"Accept: */*\r\nContent-Length: %d\r\n\r\n" % len(body)
            )
            status, said = await made.ask(head + body)
            got, _, rest = said.partition(b"\r\n\r\n")
            assert status == 200
            assert rest == body
            assert sorted(got.split(b"\r\n")) == sorted(
                [
                    b"POST /gpu/ollama/api/chat?x=1 HTTP/1.1",
                    f"Host: localhost:{port_of(url)}".encode(),
                    f"Authorization: {AUTHORIZED}".encode(),
                    b"X-Team: red",
                    b"Accept: */*",
                    b"Content-Length: %d" % len(body),
                ]
            )

    run(test)


def test_a_kept_connection_stays_on_both_sides(tmp_path: Path, headers: str) -> None:
    async def test() -> None:
        asked = Asked()
        async with behind_tls(asked, tmp_path) as (url, ca), before(target(url, Needs(headers, ca))) as (made, chooser):
            kept = await made.connect()
            for request in (CHAT, TAGS, PULL):
                status, said = await made.ask(request, kept)
                assert (status, AUTHORIZED.encode() in said) == (200, True)
            assert (asked.connections, chooser.doubts) == (1, [])

    run(test)


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(b"GET /../admin HTTP/1.1\r\nHost: localhost\r\n\r\n", id="above its path"),
        pytest.param(b"GET /api/%2E%2e/%2e%2e/x HTTP/1.1\r\nHost: localhost\r\n\r\n", id="the same, written otherwise"),
        pytest.param(b"GET /..;/admin HTTP/1.1\r\nHost: localhost\r\n\r\n", id="the same, to a servlet"),
        pytest.param(b"GET /api/%252e%252e/x HTTP/1.1\r\nHost: localhost\r\n\r\n", id="the same, escaped twice"),
        pytest.param(b"GET /api\\..\\..\\x HTTP/1.1\r\nHost: localhost\r\n\r\n", id="the same, by backslashes"),
        pytest.param(b"GET http://other.example/x HTTP/1.1\r\nHost: localhost\r\n\r\n", id="another host"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", id="no path"),
        pytest.param(b"CONNECT other.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", id="a tunnel"),
        pytest.param(TAGS + TAGS, id="two at once"),
    ],
)
def test_the_token_is_lent_for_nothing_but_ollama(request_: bytes, tmp_path: Path, headers: str) -> None:
    async def test() -> None:
        asked = Asked()
        async with behind_tls(asked, tmp_path) as (url, ca), before(target(url, Needs(headers, ca))) as (made, chooser):
            status, said = await made.ask(request_)
            assert (status, b"that is no HTTP/1.1" in said) == (400, True)
            assert (asked.requests, chooser.doubts) == ([], [])

    run(test)


def test_a_second_request_that_does_not_wait_does_not_pass_undressed(tmp_path: Path, headers: str) -> None:
    """Unlike a server that takes both, this one would get the second without its path and its token."""

    async def test() -> None:
        came = asyncio.Event()

        async def thinks(reader: Reader, writer: Writer) -> None:  # noqa: ARG001 - it never answers
            await head_of(reader)
            came.set()
            assert await reader.read() == b""

        async with behind_tls(thinks, tmp_path) as (url, ca), before(target(url, Needs(headers, ca))) as (made, _):
            reader, writer = await made.connect()
            writer.write(TAGS)
            await came.wait()
            assert (await made.ask(TAGS, (reader, writer)))[0] == 400

    run(test)


def test_an_upgrade_is_not_offered_to_it(tmp_path: Path, headers: str) -> None:
    """Java's client offers HTTP/2 with each request; an answer in HTTP/1.1 is what it takes as well."""

    async def test() -> None:
        asked = Asked()
        async with behind_tls(asked, tmp_path) as (url, ca), before(target(url, Needs(headers, ca))) as (made, _):
            offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n\r\n"
            status, said = await made.ask(TAGS[:-2] + offer)
            assert status == 200
            assert b"pgrade" not in said
            assert b"Connection: close" in said

    run(test)


def test_pieces_come_as_they_are_said_and_a_client_that_goes_stops_the_server(tmp_path: Path) -> None:
    async def test() -> None:
        gone, more = asyncio.Event(), asyncio.Event()

        async def generates(reader: Reader, writer: Writer) -> None:
            await head_of(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
            await more.wait()
            writer.write(b"3\r\ntwo\r\n")
            with contextlib.suppress(OSError):
                await reader.read()
            gone.set()

        async with behind_tls(generates, tmp_path) as (url, ca), before(target(url, Needs(ca=ca))) as (made, _):
            reader, writer = await made.connect()
            writer.write(TAGS)
            await reader.readuntil(b"one\r\n")
            more.set()
            await reader.readuntil(b"two\r\n")
            writer.close()
            await gone.wait()

    run(test)


def test_what_the_server_said_last_arrives_though_it_closes_at_once(tmp_path: Path) -> None:
    async def test() -> None:
        body = b"x" * 5_000_000

        async def closes(reader: Reader, writer: Writer) -> None:
            await head_of(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        async with behind_tls(closes, tmp_path) as (url, ca), before(target(url, Needs(ca=ca))) as (made, _):
            assert await made.ask(TAGS) == (200, body)

    run(test)


@pytest.mark.parametrize(
    ("name", "needs_ca", "path"),
    [
        pytest.param("other.example", True, None, id="a certificate of another name"),
        pytest.param("localhost", False, None, id="of an authority that nobody knows"),
        pytest.param("localhost", True, "/no/headers", id="no file of headers"),
    ],
)
def test_one_that_cannot_be_asked_safely_is_passed_over(
    name: str,
    needs_ca: bool,  # noqa: FBT001 - of the table
    path: str | None,
    tmp_path: Path,
    headers: str,
) -> None:
    async def test() -> None:
        asked = Asked()
        async with behind_tls(asked, tmp_path, name) as (url, ca):
            needs = Needs(path or headers, ca if needs_ca else "")
            async with before(target(url, needs), others=True) as (made, chooser):
                assert await made.ask(CHAT) == (200, b"one")
                assert (asked.requests, chooser.doubts) == ([], [0])

    run(test)


@needs_nginx
@pytest.mark.parametrize(
    ("path", "request_", "alone", "beside"),
    [
        pytest.param("/ollama", TAGS, 200, 200, id="the token is good"),
        pytest.param("/open", TAGS, 200, 200, id="it wants none"),
        pytest.param("/away", TAGS, 502, 200, id="503: another is asked"),
        pytest.param("/away", PULL, 503, 503, id="503 to what is asked once: the client gets it"),
        pytest.param("/login", TAGS, 302, 302, id="a redirect is the client's"),
    ],
)
def test_what_a_real_proxy_makes_of_it(
    path: str, request_: bytes, alone: int, beside: int, tmp_path: Path, headers: str
) -> None:
    async def test() -> None:
        async with serving(like_ollama("m:1")) as port:
            with nginx(tmp_path / "nginx", port) as proxy:
                for url, ca in ((proxy.url, str(proxy.ca)), (proxy.plain, "")):
                    for others, want in ((False, alone), (True, beside)):
                        async with before(target(url + path, Needs(headers, ca)), others=others) as (made, chooser):
                            status, body = await made.ask(request_)
                            assert status == want
                            refused = path == "/away" and request_ == TAGS
                            assert (body == b"one", chooser.doubts) == (refused and others, [0] if refused else [])

    run(test)


@needs_nginx
def test_a_token_that_is_no_longer_good_lets_the_next_one_answer(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("Authorization: Bearer old\n")
    old.chmod(0o600)

    async def test() -> None:
        async with serving(like_ollama()) as port:
            with nginx(tmp_path / "nginx", port) as proxy:
                needs = Needs(str(old), str(proxy.ca))
                async with before(target(f"{proxy.url}/ollama", needs), others=True) as (made, chooser):
                    assert await made.ask(CHAT) == (200, b"one")
                    assert chooser.doubts == [0]

    run(test)
