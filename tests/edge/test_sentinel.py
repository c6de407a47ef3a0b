"""The sentinel's connection on real sockets: its end is told at once, and nothing else is."""

import asyncio
import contextlib
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator, Callable

import pytest

from ollama_locate.core.constants import SENTINEL_INTERVAL, SENTINEL_USER_TIMEOUT
from ollama_locate.core.sentinel import Watch
from ollama_locate.edge import sentinel
from ollama_locate.edge.dial import Attempt, Connected, Wire
from ollama_locate.edge.sentinel import Sentinel
from tests.standins.wire import EmbeddedWire, Far


class Told:
    """What the warden was told, in order; `alive_at` of the last loss."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.alive_at = -1.0
        self._news = asyncio.Event()

    def watching(self, key: str) -> None:
        self._note(f"watching {key}")

    def unwatchable(self, key: str) -> None:
        self._note(f"unwatchable {key}")

    def lost(self, key: str, alive_at: float) -> None:
        self.alive_at = alive_at
        self._note(f"lost {key}")

    def _note(self, event: str) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, *events: str) -> None:
        async with asyncio.timeout(5):
            while self.events != list(events):
                self._news.clear()
                await self._news.wait()


class Server:
    """Accepts and holds connections; the test ends them."""

    def __init__(self) -> None:
        self.held: list[socket.socket] = []
        self._news = asyncio.Event()

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator[int]:
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as door:
            door.setblocking(False)  # noqa: FBT003 - the standard library's signature

            def accept() -> None:
                self.held.append(door.accept()[0])
                self._news.set()

            loop.add_reader(door.fileno(), accept)
            try:
                yield door.getsockname()[1]
            finally:
                loop.remove_reader(door.fileno())
                for sock in self.held:
                    sock.close()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.held) < count:
                self._news.clear()
                await self._news.wait()

    async def until_left(self, number: int) -> None:
        """Until this connection was closed by the other side."""
        self.held[number].setblocking(False)  # noqa: FBT003 - the standard library's signature
        async with asyncio.timeout(5):
            assert await asyncio.get_running_loop().sock_recv(self.held[number], 1) == b""


class Seen(Wire):
    """The real wire; keeps the sockets that it made."""

    def __init__(self) -> None:
        self.socks: list[socket.socket] = []

    def attempt(self, host: str, port: int, done: Connected) -> Attempt:
        def seen(sock: socket.socket | None, error: int, rtt: float) -> None:
            self.socks += [sock] if sock is not None else []
            done(sock, error, rtt)

        return super().attempt(host, port, seen)


def at(port: int, key: str = "gpu", *, host: str = "127.0.0.1", idle: float = 2.0) -> Watch:
    return Watch(key, host, port, idle)


@contextlib.asynccontextmanager
async def watching(wire: Wire | None = None) -> AsyncIterator[tuple[Sentinel, Told, Server, int]]:
    """A sentinel that stands."""
    server, told = Server(), Told()
    async with server.up() as port:
        held = Sentinel(told, wire or Wire())
        held.watch(at(port))
        await told.until("watching gpu")
        await server.until(1)
        try:
            yield held, told, server, port
        finally:
            held.stop()


def resets(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(socket.socket.close, id="closes: FIN"),
        pytest.param(lambda sock: sock.shutdown(socket.SHUT_WR), id="closes its half: FIN"),
        pytest.param(resets, id="resets: RST"),
        pytest.param(lambda sock: sock.send(b"x"), id="sends a byte, though nothing was asked"),
        pytest.param(
            lambda sock: sock.send(b"HTTP/1.1 408 Request Timeout\r\n\r\n"), id="says that it waited too long"
        ),
    ],
)
def test_the_end_is_told_at_once_and_its_machine_was_alive_just_now(end: Callable[[socket.socket], object]) -> None:
    async def case() -> tuple[Told, float, float]:
        async with watching() as (_, told, server, _):
            ended = time.monotonic()
            end(server.held[0])
            await told.until("watching gpu", "lost gpu")
            await asyncio.sleep(0.05)  # nothing more is to come
            return told, ended, time.monotonic() - ended

    told, ended, took = asyncio.run(case())
    assert told.events == ["watching gpu", "lost gpu"]
    assert ended <= told.alive_at <= ended + 0.1
    assert took < 0.3


def test_a_connection_that_times_out_tells_when_the_other_kernel_last_answered() -> None:
    """The error is the kernel's ETIMEDOUT; the last sign of life is that of TCP_INFO."""

    class TimesOut(socket.socket):
        def recv(self, *_: object) -> bytes:
            raise TimeoutError(110, "Connection timed out")

    class Slow(Wire):
        def attempt(self, host: str, port: int, done: Connected) -> Attempt:
            def turned(sock: socket.socket | None, error: int, rtt: float) -> None:
                done(None if sock is None else TimesOut(fileno=sock.detach()), error, rtt)

            return super().attempt(host, port, turned)

    async def case() -> tuple[float, float, float]:
        began = time.monotonic()
        async with watching(Slow()) as (_, told, server, _):
            await asyncio.sleep(0.2)  # the silence that is to be seen
            ended = time.monotonic()
            server.held[0].send(b"x")
            await told.until("watching gpu", "lost gpu")
            return began, told.alive_at, ended

    began, alive_at, ended = asyncio.run(case())
    if sys.platform == "linux":
        assert began - 0.1 <= alive_at <= ended + 0.1
    else:
        assert alive_at == 0.0


@pytest.mark.parametrize(
    ("wire", "host"),
    [
        pytest.param(Wire(), "127.0.0.1", id="refused"),
        pytest.param(EmbeddedWire({}), "100.64.0.2", id="silent"),
        pytest.param(EmbeddedWire({"100.64.0.2": Far(None, 0.01)}), "100.64.0.2", id="refused from afar"),
        pytest.param(Wire(), "no-such-host.invalid", id="a name that is not known"),
        pytest.param(Wire(), "a" * 300, id="a name that is none"),
    ],
)
def test_a_connection_that_cannot_be_had_is_told_and_may_be_asked_for_again(
    wire: Wire, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentinel, "TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]

    async def case() -> tuple[list[str], float]:
        told, started = Told(), time.monotonic()
        held = Sentinel(told, wire)
        held.watch(at(port, host=host))
        await told.until("unwatchable gpu")
        took = time.monotonic() - started
        held.watch(at(port, host=host))
        await told.until("unwatchable gpu", "unwatchable gpu")
        held.stop()
        return told.events, took

    _, took = asyncio.run(case())
    assert took < 0.9, "no longer than the time-out"


@pytest.mark.parametrize(
    "let_go",
    [
        pytest.param(lambda held: held.watch(None), id="by watching nobody"),
        pytest.param(lambda held: held.stop(), id="by stopping"),
    ],
)
def test_letting_go_tells_nobody_and_closes_the_socket(let_go: Callable[[Sentinel], None]) -> None:
    async def case() -> list[str]:
        wire = Seen()
        async with watching(wire) as (held, told, server, _):
            let_go(held)
            await server.until_left(0)
            assert [sock.fileno() for sock in wire.socks] == [-1]
            let_go(held)
            return told.events

    assert asyncio.run(case()) == ["watching gpu"]


class AtOnce(Wire):
    """A connect that stands before anybody can look; it keeps the sockets."""

    def __init__(self) -> None:
        self.mine: list[socket.socket] = []
        self.other: list[socket.socket] = []

    def attempt(self, host: str, port: int, done: Connected) -> Attempt:  # noqa: ARG002 - it goes nowhere
        near, far = socket.socketpair()
        self.mine.append(near)
        self.other.append(far)
        asyncio.get_running_loop().call_soon(done, near, 0, 0.0)
        return Nothing()


class Nothing(Attempt):
    def __init__(self) -> None:
        pass

    def cancel(self) -> None:
        pass


@pytest.mark.parametrize("steps", range(8))
def test_letting_go_while_it_dials_leaves_no_socket_at_any_step(steps: int) -> None:
    async def case() -> tuple[list[str], list[int]]:
        told, wire = Told(), AtOnce()
        held = Sentinel(told, wire)
        held.watch(at(1))
        for _ in range(steps):
            await asyncio.sleep(0)
        before = list(told.events)
        held.watch(None)
        for _ in range(8):
            await asyncio.sleep(0)
        assert told.events == before
        for sock in wire.other:
            sock.close()
        return told.events, [sock.fileno() for sock in wire.mine]

    _, left = asyncio.run(case())
    assert left in ([], [-1])


def test_the_same_again_keeps_the_connection_and_another_moves_it() -> None:
    async def case() -> list[str]:
        async with watching() as (held, told, server, port):
            for _ in range(3):
                held.watch(at(port))
            async with (other := Server()).up() as nas:
                held.watch(at(nas, "nas"))
                await told.until("watching gpu", "watching nas")
                await server.until_left(0)
                assert (len(server.held), len(other.held)) == (1, 1)
                other.held[0].close()
                await told.until("watching gpu", "watching nas", "lost nas")
            return told.events

    asyncio.run(case())


def test_on_battery_the_connection_is_a_calmer_one() -> None:
    async def case() -> list[str]:
        async with watching() as (held, told, server, port):
            held.watch(at(port, idle=10.0))
            await told.until("watching gpu", "watching gpu")
            await server.until(2)
            await server.until_left(0)
            return told.events

    asyncio.run(case())


def test_after_a_loss_the_same_server_is_watched_anew() -> None:
    async def case() -> None:
        async with watching() as (held, told, server, port):
            server.held[0].close()
            await told.until("watching gpu", "lost gpu")
            held.watch(at(port))
            await told.until("watching gpu", "lost gpu", "watching gpu")

    asyncio.run(case())


@pytest.mark.skipif(sys.platform != "linux", reason="these names are Linux's")
@pytest.mark.parametrize("idle", [2.0, 10.0], ids=["on mains", "on battery"])
def test_the_kernel_is_told_to_ask(idle: float) -> None:
    async def case() -> dict[str, int]:
        wire = Seen()
        async with watching(wire) as (held, told, _, port):
            held.watch(None)
            held.watch(at(port, "again", idle=idle))
            await told.until("watching gpu", "watching again")
            sock, tcp = wire.socks[-1], socket.IPPROTO_TCP
            return {
                "on": sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                "idle": sock.getsockopt(tcp, socket.TCP_KEEPIDLE),
                "interval": sock.getsockopt(tcp, socket.TCP_KEEPINTVL),
                "limit": sock.getsockopt(tcp, socket.TCP_USER_TIMEOUT),
            }

    assert asyncio.run(case()) == {
        "on": 1,
        "idle": idle,
        "interval": SENTINEL_INTERVAL,
        "limit": SENTINEL_USER_TIMEOUT * 1000,
    }
