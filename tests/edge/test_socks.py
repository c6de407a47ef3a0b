"""Connects through a SOCKS5 proxy, on real sockets: good ones, and each way in which one may be bad."""

import asyncio
import contextlib
import errno
import gc
import socket
import time
import warnings
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from ollama_locate.core import socks5
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.sentinel import Watch
from ollama_locate.core.server import Kind, Server, http_url
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.examine import examine
from ollama_locate.edge.forward import Target
from ollama_locate.edge.sentinel import Sentinel
from tests.edge.listener import probe
from tests.edge.test_forward import CHAT, lab, named, run
from tests.standins import ollama
from tests.standins.ollama import Behaviour, like_ollama, serving
from tests.standins.socks import FAILED, OK, Reader, Writer, greeted, leads

PEER = "100.64.0.2"
SIX = "fd7a:115c:a1e0::2"
NAMED = b"\x05\x00\x00\x03\x09localhost\x00\x50"
LONG = b"\x05\x00\x00\x04" + bytes(18)


def peer(port: int, host: str = PEER) -> Server:
    """A server of a tailnet to which the proxy at this port leads."""
    return Server("peer", "gpu", Kind.PEER, host, 11434, http_url(host, 11434), socks5=("127.0.0.1", port))


@contextlib.asynccontextmanager
async def proxied(server: Behaviour, reply: bytes = OK, wait: float = 0.0) -> AsyncIterator[int]:
    """A proxy that leads to this server; its port."""
    async with serving(server) as there, serving(leads({PEER: there, SIX: there}, reply, wait)) as port:
        yield port


@pytest.mark.parametrize("host", [PEER, SIX])
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(OK, id="as tailscaled says"),
        pytest.param(NAMED, id="with a name"),
        pytest.param(LONG, id="with an IPv6 address"),
    ],
)
def test_a_probe_goes_through_it(host: str, reply: bytes) -> None:
    async def test() -> Probe:
        async with proxied(like_ollama("mistral:latest"), reply) as port:
            return await probe(peer(port, host), 5)

    found = asyncio.run(test())
    assert (found.outcome, found.models) == (Outcome.ALIVE, ("mistral:latest",))


def test_the_round_trip_is_from_the_request_to_the_reply() -> None:
    async def test() -> Probe:
        async with proxied(like_ollama(), wait=0.05) as port:
            return await probe(peer(port), 5)

    found = asyncio.run(test())
    assert found.rtt is not None
    assert 0.05 <= found.rtt < 0.15, "the kernel's own figure would be that of loopback"


def says(data: bytes) -> Behaviour:
    """Says this at once, whatever it is asked, and keeps the connection."""

    async def serve(reader: Reader, writer: Writer) -> None:
        writer.write(data)
        await reader.read()

    return serve


def replies(data: bytes, *, ends: bool = False) -> Behaviour:
    """A good greeting, and then this."""

    async def serve(reader: Reader, writer: Writer) -> None:
        await greeted(reader, writer)
        writer.write(data)
        if not ends:
            await reader.read()

    return serve


async def a_byte_at_a_time(reader: Reader, writer: Writer) -> None:
    await greeted(reader, writer)
    for byte in OK:
        await writer.drain()
        await asyncio.sleep(0.3)
        writer.write(bytes((byte,)))


STRANGER = "does not speak SOCKS5 without a login"
ENDED = "it ended without an answer"


@pytest.mark.parametrize(
    ("behaviour", "outcome", "detail"),
    [
        pytest.param(ollama.says_nothing, Outcome.SILENT, "", id="hangs"),
        pytest.param(replies(b""), Outcome.SILENT, "", id="hangs after the request: as a silent server does"),
        pytest.param(a_byte_at_a_time, Outcome.SILENT, "", id="drips"),
        pytest.param(ollama.closes_at_once, Outcome.ERROR, ENDED, id="closes at once"),
        pytest.param(replies(b"\x05\x00\x00", ends=True), Outcome.ERROR, ENDED, id="ends within its reply"),
        pytest.param(says(b"\x05\x02"), Outcome.ERROR, STRANGER, id="wants a login"),
        pytest.param(says(b"\x05\xff"), Outcome.ERROR, STRANGER, id="takes no method"),
        pytest.param(says(b"\x00\xff" * 9000), Outcome.ERROR, STRANGER, id="garbage"),
        pytest.param(says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Outcome.ERROR, STRANGER, id="an HTTP server"),
        pytest.param(replies(b"\x04\x00\x00\x01\x00"), Outcome.ERROR, STRANGER, id="another version in the reply"),
        pytest.param(replies(b"\x05\x00\x00\x09\x00"), Outcome.ERROR, STRANGER, id="an address of no kind"),
        pytest.param(replies(b"\x05\x00\x00\x03\xff short"), Outcome.SILENT, "", id="a name shorter than it says"),
        pytest.param(replies(FAILED), Outcome.ERROR, "it could not connect", id="as tailscaled fails"),
        pytest.param(replies(FAILED[:5], ends=True), Outcome.ERROR, "it could not connect", id="without an address"),
        pytest.param(replies(b"\x05\x05\x00\x01\x00"), Outcome.REFUSED, "", id="the server refuses"),
        pytest.param(replies(b"\x05\x03\x00\x01\x00"), Outcome.ERROR, "no way to that network", id="no network"),
    ],
)
def test_each_bad_one_has_a_name_and_nothing_is_left_open(behaviour: Behaviour, outcome: Outcome, detail: str) -> None:
    async def test() -> Probe:
        async with serving(behaviour) as port:
            return await probe(peer(port), 0.5)

    started = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        found = asyncio.run(test())
        gc.collect()
    assert (found.outcome, detail in found.detail) == (outcome, True), found
    assert not found.reached or outcome is Outcome.REFUSED, "no proof of any network"
    assert time.monotonic() - started < 3


def test_where_nobody_listens_that_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = asyncio.run(probe(peer(taken.getsockname()[1]), 0.5))
    assert (found.outcome, found.detail) == (Outcome.ERROR, "the SOCKS5 proxy: nothing listens there")


def test_a_reply_that_is_longer_than_it_says_is_the_servers_word() -> None:
    """Whatever comes after a reply is taken for what the server says: here it speaks too early."""

    async def test() -> Probe:
        async with proxied(like_ollama(), OK + b"HTTP/1.1 200 OK\r\n\r\n") as port:
            return await probe(peer(port), 1)

    assert asyncio.run(test()).outcome is not Outcome.ALIVE


def test_one_that_is_cancelled_tells_nobody() -> None:
    told: list[int] = []

    async def test() -> None:
        async with serving(ollama.says_nothing) as port:
            wire = Wire().via(("127.0.0.1", port))
            attempts = [wire.attempt(PEER, 11434, lambda _, code, __: told.append(code)) for _ in range(2)]
            attempts[0].cancel()
            await asyncio.sleep(0.1)  # the second one is at the door
            attempts[1].cancel()
            await asyncio.sleep(0)

    asyncio.run(test())
    assert told == []


def test_a_loop_that_cannot_watch_the_socket_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> int:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[int] = loop.create_future()

        def refuse(*_: object) -> None:
            raise OSError(errno.ENOMEM, "no")

        async with serving(ollama.says_nothing) as port:
            wire = Wire().via(("127.0.0.1", port))
            monkeypatch.setattr(loop, "add_reader", refuse)
            wire.attempt(PEER, 11434, lambda _, code, __: told.set_result(code))
            return await asyncio.wait_for(told, 5)

    assert asyncio.run(test()) == errno.ENOMEM


def test_a_wire_says_what_was_wrong() -> None:
    wire = Wire()
    assert wire.via(None) is wire
    assert (
        wire.says(errno.ENETUNREACH) == wire.via(("127.0.0.1", 1)).says(errno.ENETUNREACH) == "Network is unreachable"
    )
    assert wire.via(("127.0.0.1", 1)).says(socks5.AWAY) == "the SOCKS5 proxy: nothing listens there"


def test_the_doctor_goes_through_it() -> None:
    async def test() -> None:
        async with proxied(like_ollama()) as port:
            wire, proxy = Wire(), ("127.0.0.1", port)
            found = await examine(wire.via(proxy), (PEER, 11434), f"{PEER}:11434", 5, time.time())
            assert found.outcome is Outcome.ALIVE
        gone = await examine(wire.via(proxy), (PEER, 11434), f"{PEER}:11434", 5, time.time())
        assert (gone.outcome, gone.detail) == (Outcome.ERROR, "the SOCKS5 proxy: nothing listens there")

    asyncio.run(test())


def test_the_stable_address_goes_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with proxied(named(b"behind")) as port, lab(named(b"before")) as made:
            behind = Target("1", PEER, 11434, None, ("127.0.0.1", port))
            first = made.chosen.targets()[0]
            monkeypatch.setattr(made.chosen, "targets", lambda: [behind, first])
            assert await made.ask(CHAT) == (200, b"behind")
        async with serving(replies(FAILED)) as port, lab(named(b"before")) as made:
            behind, first = behind._replace(socks5=("127.0.0.1", port)), made.chosen.targets()[0]
            monkeypatch.setattr(made.chosen, "targets", lambda: [behind, first])
            assert await made.ask(CHAT) == (200, b"before")
            assert made.chosen.doubts[0] == 1

    run(test)


class Warden:
    """Notes what becomes of the connection."""

    def __init__(self) -> None:
        self.told: list[tuple[str, float]] = []
        self.changed = asyncio.Event()

    def note(self, word: str, at: float = -1.0) -> None:
        self.told.append((word, at))
        self.changed.set()

    def watching(self, key: str) -> None:
        self.note(f"watching {key}")

    def unwatchable(self, key: str) -> None:
        self.note(f"unwatchable {key}")

    def lost(self, key: str, alive_at: float) -> None:
        self.note(f"lost {key}", alive_at)


def test_the_sentinel_goes_through_it_and_its_end_says_nothing_of_the_server() -> None:
    async def test() -> Warden:
        over, warden = asyncio.Event(), Warden()

        async def until_over(_reader: Reader, writer: Writer) -> None:
            await over.wait()
            writer.close()

        async with proxied(until_over) as port:
            sentinel = Sentinel(warden, Wire())
            watch = Watch("gpu", PEER, 11434, 2.0)
            sentinel.watch(replace(watch, socks5=("127.0.0.1", port)))
            for _ in range(2):
                await asyncio.wait_for(warden.changed.wait(), 5)
                warden.changed.clear()
                over.set()
            sentinel.stop()
        return warden

    assert asyncio.run(test()).told == [("watching gpu", -1.0), ("lost gpu", 0.0)]
