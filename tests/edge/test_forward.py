"""The stable address on real sockets: to whom a request goes, and what becomes of it when servers die."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from ollama_locate.core.errors import OperatorError
from ollama_locate.core.forward import Forward
from ollama_locate.edge import exchange, pump
from ollama_locate.edge import forward as forwarding
from ollama_locate.edge.dial import Wire
from ollama_locate.edge.forward import Forwarder, Target
from tests.standins.ollama import Behaviour, closes_at_once, http, says_nothing, serving
from tests.standins.wire import EmbeddedWire, Far

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
CHAT = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
PULL = CHAT.replace(b"chat", b"pull")
TAGS = b"GET /api/tags HTTP/1.1\r\nHost: localhost\r\n\r\n"


def named(name: bytes) -> Behaviour:
    """Answers each request with its own name, and keeps the connection."""

    async def serve(reader: Reader, writer: Writer) -> None:
        while head := await head_of(reader):
            length = next((int(line[15:]) for line in head.split(b"\r\n") if line[:15] == b"Content-Length:"), 0)
            await reader.readexactly(length)
            writer.write(http("200 OK", name))
            await writer.drain()

    return serve


async def head_of(reader: Reader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


class Chosen:
    """Says whom to ask, the best first, and notes who was doubted."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.order = list(ports)
        self.doubts: list[int] = []

    def targets(self) -> list[Target]:
        return [Target(str(port), "127.0.0.1", port) for port in self.order]

    def doubted(self, key: str) -> None:
        self.doubts.append(int(key))


class Lab:
    """Some servers, the forward before them, and a client."""

    def __init__(self, ports: Sequence[int], address: Forward, wire: Wire) -> None:
        self.ports = ports
        self.chosen = Chosen(ports)
        self.forwarder = Forwarder(address, self.chosen, wire)
        self._writers: list[Writer] = []

    async def connect(self) -> tuple[Reader, Writer]:
        reader, writer = await asyncio.open_connection(self.forwarder.forward.host, self.forwarder.forward.port)
        self._writers.append(writer)
        return reader, writer

    async def accepted(self) -> None:
        """Wait until the forward has taken a connection."""
        while not self.forwarder.connections:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)

    async def close(self) -> None:
        await self.forwarder.close()
        for writer in self._writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def ask(self, request: bytes, at: tuple[Reader, Writer] | None = None) -> tuple[int, bytes]:
        """The status and the body of an answer; (0, b"") where the connection ended without one."""
        reader, writer = at or await self.connect()
        writer.write(request)
        async with asyncio.timeout(10):
            head = await head_of(reader)
            if not head:
                return 0, b""
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:"))
            body = await reader.readexactly(length)
        return int(head.split(b" ")[1]), body


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.asynccontextmanager
async def lab(*behaviours: Behaviour, wire: Wire | None = None, host: str = "127.0.0.1") -> AsyncIterator[Lab]:
    async with contextlib.AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(serving(one)) for one in behaviours]
        made = Lab(ports, Forward(host, free_port()), wire or Wire())
        made.forwarder.open()
        try:
            yield made
        finally:
            await made.close()
            assert made.forwarder.connections == 0


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


ONE, TWO = named(b"one"), named(b"two")


def test_a_request_goes_to_the_best_and_the_next_one_to_who_is_best_then() -> None:
    async def test() -> None:
        async with lab(ONE, TWO) as made:
            kept = await made.connect()
            assert await made.ask(CHAT, kept) == (200, b"one")
            assert await made.ask(TAGS, kept) == (200, b"one")
            made.chosen.order.reverse()
            assert await made.ask(CHAT, kept) == (200, b"two")
            assert await made.ask(TAGS) == (200, b"two")
            assert made.chosen.doubts == []

    run(test)


@pytest.mark.parametrize(
    ("first", "request_", "answer", "doubted"),
    [
        pytest.param(None, CHAT, (200, b"two"), True, id="refuses: the next one"),
        pytest.param(None, PULL, (200, b"two"), True, id="refuses: the next one, whatever is asked"),
        pytest.param(closes_at_once, CHAT, (200, b"two"), True, id="closes without an answer: the next one"),
        pytest.param(closes_at_once, TAGS, (200, b"two"), True, id="the same, a GET"),
        pytest.param(closes_at_once, PULL, (502, b""), True, id="closes, and it is not to be asked twice"),
    ],
)
def test_a_server_that_fails(
    first: Behaviour | None, request_: bytes, answer: tuple[int, bytes], *, doubted: bool
) -> None:
    async def test() -> None:
        async with lab(first or ONE, TWO) as made:
            if first is None:
                made.chosen.order[0] = free_port()
            failing = made.chosen.order[0]
            status, body = await made.ask(request_)
            assert (status, body if status == 200 else b"") == answer
            assert (made.chosen.doubts == [failing]) is doubted

    run(test)


@pytest.mark.parametrize(
    ("first", "second", "answer", "doubts", "within"),
    [
        pytest.param(Far(None, 0.01, silent=True), Far(2, 0.0), b"two", [1], 0.8, id="silent: the next one, soon"),
        pytest.param(Far(1, 0.1), Far(2, 0.0), b"one", [], 0.8, id="far away, in time"),
        pytest.param(Far(1, 0.25), Far(2, 0.3), b"one", [2], 0.8, id="slow to accept, and still the first"),
        pytest.param(Far(1, 0.6), Far(2, 0.0), b"two", [1], 0.8, id="slower than the next one"),
        pytest.param(Far(None, 0.3), Far(2, 0.0), b"two", [1], 0.8, id="refuses late"),
        pytest.param(Far(None, 0.3), Far(None, 0.0), None, [2, 1], 0.8, id="both refuse"),
        pytest.param(
            Far(None, 0.01, silent=True), Far(None, 0.01, silent=True), None, [1, 2], 2.5, id="both are silent"
        ),
    ],
)
def test_who_lets_a_client_wait_is_not_waited_for_alone(
    first: Far, second: Far, answer: bytes | None, doubts: list[int], within: float
) -> None:
    async def test() -> None:
        async with lab(ONE, TWO) as made:
            ports = (None, *made.ports)
            table = {
                f"127.0.0.{number}": far._replace(port=ports[far.port or 0])
                for number, far in enumerate((first, second), 1)
            }
            made.forwarder._wire = EmbeddedWire(table)
            made.chosen.targets = lambda: [Target("1", "127.0.0.1", 9), Target("2", "127.0.0.2", 9)]  # type: ignore[method-assign]
            began = time.monotonic()
            status, body = await made.ask(CHAT)
            assert (status, body) == (200, answer) if answer else status == 502
            assert made.chosen.doubts == doubts
            assert time.monotonic() - began < within

    run(test)


def test_who_accepts_too_late_is_left_without_a_connection() -> None:
    """A server is not left with one that nobody uses."""
    left: list[str] = []

    def closed(name: str) -> Behaviour:
        async def serve(reader: Reader, writer: Writer) -> None:
            answered = named(name.encode())
            await answered(reader, writer)
            left.append(name)

        return serve

    async def test() -> None:
        async with lab(closed("one"), closed("two")) as made:
            table = {"127.0.0.1": Far(made.ports[0], 0.3), "127.0.0.2": Far(made.ports[1], 0.0)}
            made.forwarder._wire = EmbeddedWire(table)
            made.chosen.targets = lambda: [Target("1", "127.0.0.1", 9), Target("2", "127.0.0.2", 9)]  # type: ignore[method-assign]
            reader, writer = await made.connect()
            assert await made.ask(CHAT, (reader, writer)) == (200, b"two")
            await asyncio.sleep(0.3)  # by now the other one would have been reached
            assert made.forwarder.asked() == {"2"}
            writer.close()

    run(test)
    assert "one" not in left, "it was never reached"


@pytest.mark.parametrize(
    ("rtt", "seconds"),
    [
        pytest.param(None, 0.2, id="not known"),
        pytest.param(0.002, 0.2, id="near"),
        pytest.param(0.15, 0.6, id="a satellite away"),
    ],
)
def test_how_long_the_best_is_waited_for_alone(rtt: float | None, seconds: float) -> None:
    assert Target("1", "127.0.0.1", 9, rtt).patience == pytest.approx(seconds)


def test_nobody_is_there() -> None:
    async def test() -> None:
        async with lab() as made:
            status, body = await made.ask(CHAT)
            assert (status, b"no Ollama server can be reached now" in body) == (502, True)

    run(test)


def test_who_is_known_to_be_lost_is_left_before_it_has_answered() -> None:
    async def test() -> None:
        async with lab(says_nothing, TWO) as made:
            asking = asyncio.ensure_future(made.ask(CHAT))
            await made.accepted()
            while not asking.done():
                made.forwarder.left(str(made.ports[0]))
                await asyncio.sleep(0.01)  # until the request has left, nobody is left
            assert await asking == (200, b"two")

    run(test)


def test_an_answer_that_has_begun_is_not_taken_away() -> None:
    go_on = asyncio.Event()

    async def pauses(reader: Reader, writer: Writer) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
        await writer.drain()
        await go_on.wait()
        writer.write(b"b")
        await writer.drain()

    async def test() -> None:
        async with lab(pauses, TWO) as made:
            reader, writer = await made.connect()
            writer.write(CHAT)
            await head_of(reader)
            assert await reader.readexactly(1) == b"a"
            made.forwarder.left(str(made.ports[0]))
            go_on.set()
            assert await reader.readexactly(1) == b"b"

    run(test)


def test_a_server_that_ends_within_its_answer_ends_the_clients_connection() -> None:
    """The truth, byte for byte: what has come cannot be taken back."""

    async def half(reader: Reader, writer: Writer) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()

    async def test() -> None:
        async with lab(half, TWO) as made:
            reader, writer = await made.connect()
            writer.write(CHAT)
            assert await reader.read() == b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
            writer.close()

    run(test)


def test_a_client_that_goes_away_stops_the_server() -> None:
    """Ollama stops generating when its connection ends."""
    ended = asyncio.Event()

    async def thinks(reader: Reader, _writer: Writer) -> None:
        await head_of(reader)
        await reader.read()
        ended.set()

    async def test() -> None:
        async with lab(thinks, TWO) as made:
            _, writer = await made.connect()
            writer.write(CHAT)
            await made.accepted()
            writer.close()
            await ended.wait()
            assert made.chosen.doubts == []

    run(test)


def test_a_server_that_closed_an_idle_connection_is_asked_again_and_not_doubted() -> None:
    async def once(reader: Reader, writer: Writer) -> None:
        await head_of(reader)
        writer.write(http("200 OK", b"once"))
        await writer.drain()

    async def test() -> None:
        async with lab(once, TWO) as made:
            kept = await made.connect()
            for _ in range(3):
                assert await made.ask(TAGS, kept) == (200, b"once")
            assert made.chosen.doubts == []

    run(test)


@pytest.mark.parametrize(
    ("request_", "status", "sentence"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01", 400, b"that is no HTTP/1.1", id="TLS"),
        pytest.param(TAGS.replace(b"localhost", b"evil.example"), 403, b"Host header", id="a website's name"),
    ],
)
def test_what_the_forward_itself_refuses(request_: bytes, status: int, sentence: bytes) -> None:
    async def test() -> None:
        async with lab(ONE) as made:
            found, body = await made.ask(request_)
            assert (found, sentence in body) == (status, True)

    run(test)


async def echo(reader: Reader, writer: Writer) -> None:
    """Sends back what it gets, with its length."""
    while head := await head_of(reader):
        left = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {left}\r\n\r\n".encode())
        while left:
            piece = await reader.read(min(left, 100_000))
            writer.write(piece)
            await writer.drain()
            left -= len(piece)


@pytest.mark.parametrize("splice", [True, False], ids=["by the kernel", "by hand"])
@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000], ids=str)
def test_bodies_pass_byte_for_byte(size: int, monkeypatch: pytest.MonkeyPatch, *, splice: bool) -> None:
    monkeypatch.setattr(pump, "_SPLICE", pump._SPLICE and splice)
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    head = f"POST /api/blobs/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode()

    async def test() -> None:
        async with lab(echo) as made:
            assert await made.ask(head + body) == (200, body)

    run(test)


def test_five_hundred_at_once() -> None:
    async def test() -> None:
        async with lab(ONE) as made:
            kept = await asyncio.gather(*(made.connect() for _ in range(500)))
            answers = await asyncio.gather(*(made.ask(CHAT, one) for one in kept))
            assert set(answers) == {(200, b"one")}
            assert made.forwarder.connections == 500
            for _, writer in kept:
                writer.close()

    run(test)


def test_who_comes_beyond_the_limit_waits_for_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "FORWARD_CONNECTIONS", 2)

    async def test() -> None:
        async with lab(ONE) as made:
            kept = [await made.connect() for _ in range(3)]
            assert await made.ask(CHAT, kept[0]) == (200, b"one")
            waiting = asyncio.ensure_future(made.ask(CHAT, kept[2]))
            assert await made.ask(CHAT, kept[1]) == (200, b"one")
            assert not waiting.done()
            kept[0][1].close()
            assert await waiting == (200, b"one")

    run(test)


def test_an_address_that_is_taken_is_a_sentence() -> None:
    async def test() -> None:
        async with lab(ONE) as made:
            second = Forwarder(made.forwarder.forward, made.chosen, Wire())
            with pytest.raises(
                OperatorError, match=r"the forward cannot listen on 127\.0\.0\.1:\d+: Address already in use"
            ):
                second.open()

    run(test)


# --- what would lose, double or hold up something


def test_an_answer_that_comes_before_the_whole_request_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of that request must not reach a server in front of the next one."""
    monkeypatch.setattr(exchange, "FORWARD_EARLY", 0.2)
    bodies: list[bytes] = []

    async def hasty(reader: Reader, writer: Writer) -> None:
        await head_of(reader)
        writer.write(http("403 Forbidden", b"no"))
        await writer.drain()
        bodies.append(await reader.read())

    async def test() -> None:
        async with lab(hasty) as made:
            reader, writer = await made.connect()
            writer.write(b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
            assert (await head_of(reader)).startswith(b"HTTP/1.1 403")
            writer.write(b"x" * 96)
            assert await reader.read() == b"no"
            await made.close()
        assert bodies == [b"half" + b"x" * 96]

    run(test)


def test_a_stream_in_chunks_lets_others_run() -> None:
    async def streams(reader: Reader, writer: Writer) -> None:
        await head_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        for _ in range(300):
            writer.write(piece)
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    async def test() -> None:
        async with lab(streams) as made:
            reader, writer = await made.connect()
            writer.write(CHAT)
            loop, turns = asyncio.get_running_loop(), 0

            def turn() -> None:
                nonlocal turns
                turns += 1
                loop.call_later(0.001, turn)

            turn()
            received = 0
            while received < 300 * 0x10000:
                received += len(await reader.read(1 << 20))
            assert turns > 5

    run(test)


def test_a_client_that_resets_its_connection_is_gone() -> None:
    """Its request is not asked of the next server, and nobody is doubted."""
    seen: list[bytes] = []

    async def thinks(reader: Reader, _writer: Writer) -> None:
        seen.append(await head_of(reader))
        await reader.read()

    async def test() -> None:
        async with lab(thinks, thinks) as made:
            _, writer = await made.connect()
            writer.write(CHAT)
            while not seen:  # noqa: ASYNC110 - a server of this test tells nobody
                await asyncio.sleep(0)
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            writer.transport.abort()
            while made.forwarder.connections:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0)
            assert (len(seen), made.chosen.doubts) == (1, [])

    run(test)


@pytest.mark.parametrize(
    "garbage", [b"SSH-2.0-x\r\n\r\n", b"\x00\xff" * 50, b"SSH-2.0-x\r\n"], ids=["ssh", "bytes", "a line"]
)
def test_what_answers_no_http_is_passed_over(garbage: bytes) -> None:
    async def speaks_otherwise(reader: Reader, writer: Writer) -> None:
        await head_of(reader)
        writer.write(garbage)
        await writer.drain()

    async def test() -> None:
        async with lab(speaks_otherwise, TWO) as made:
            assert await made.ask(CHAT) == (200, b"two")

    run(test)


def test_a_head_that_drips_has_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "FORWARD_HEAD", 0.2)

    async def test() -> None:
        async with lab(ONE) as made:
            reader, writer = await made.connect()
            ended = asyncio.ensure_future(reader.read())
            while not ended.done():
                writer.write(b"G")
                await asyncio.sleep(0.02)  # the slowness is what is tested
            assert await ended == b""

    run(test)


def test_without_a_pipe_a_body_passes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(pump, "_Pipe", none)
    body = bytes(3_000_000)

    async def test() -> None:
        async with lab(echo) as made:
            head = f"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            assert await made.ask(head + body) == (200, body)

    run(test)


def test_beyond_what_may_be_kept_a_request_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "FORWARD_KEPT_MAX", 10)

    async def test() -> None:
        async with lab(closes_at_once, TWO) as made:
            assert (await made.ask(CHAT))[0] == 502
            assert made.forwarder.budget.take(10)

    run(test)
