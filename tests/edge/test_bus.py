"""Tailscaled's bus on a real unix socket, whatever sits behind it: it rings, or it is told once that it does not."""

import asyncio
import contextlib
import itertools
import os
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ollama_locate.core.constants import BUS_BREATH
from ollama_locate.edge import bus
from ollama_locate.edge.bus import Bus

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BAD = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
HINT = b"HTTP/1.1 100 Continue\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


class Heard:
    """What the bus called: how often it rang, and each time that it was told to stand or not."""

    def __init__(self, path: Path) -> None:
        self.rings = 0
        self.told: list[bool] = []
        self.bus = Bus(self._ring, self._tell, str(path))

    def _ring(self) -> None:
        self.rings += 1

    def _tell(self) -> None:
        self.told.append(self.bus.connected)


class Tailscaled:
    """Plays one behaviour after the other, the last one for ever; `asked` holds the heads."""

    def __init__(self, path: Path, *behaviours: Behaviour) -> None:
        self.asked: list[str] = []
        self._path, self._behaviours = path, list(behaviours)

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        writers: set[asyncio.StreamWriter] = set()

        async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.add(writer)
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
                behaviour = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
                await behaviour(reader, writer)
            writer.close()

        server = await asyncio.start_unix_server(client, str(self._path))
        try:
            yield
        finally:
            await turns()  # asyncio 3.11 leaks who is being accepted while the server closes
            server.close()
            for writer in writers:
                writer.transport.abort()
            self._path.unlink()
            await turns()


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def says(*pieces: bytes, then_close: bool = False) -> Behaviour:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if not then_close:
            await reader.read()

    return behave


def for_ever(begin: bytes, again: bytes) -> Behaviour:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:  # noqa: ARG001
        writer.write(begin)
        while not writer.is_closing():
            writer.write(again)
            await writer.drain()

    return behave


@contextlib.asynccontextmanager
async def listening(path: Path) -> AsyncIterator[Heard]:
    heard = Heard(path)
    running = asyncio.ensure_future(heard.bus.run())
    try:
        yield heard
        assert not running.done(), "it listens until it is cancelled"
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def until(ready: Callable[[], object], what: str) -> None:
    ends = time.monotonic() + 5
    while not ready():
        assert time.monotonic() < ends, f"never: {what}"
        await asyncio.sleep(0.002)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits as they are, but shorter."""
    monkeypatch.setattr(bus, "BUS_RETRY", 0.02)
    monkeypatch.setattr(bus, "BUS_RETRY_MAX", 0.1)
    monkeypatch.setattr(bus, "BUS_HEAD_DEADLINE", 0.2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tailscaled.sock"


def test_it_rings_when_it_stands_and_for_whatever_comes_later(path: Path) -> None:
    lines: asyncio.Queue[bytes] = asyncio.Queue()

    async def on_command(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:  # noqa: ARG001
        writer.write(OK)
        while True:
            writer.write(chunk(await lines.get()))

    async def case() -> Heard:
        daemon = Tailscaled(path, on_command)
        async with daemon.up(), listening(path) as heard:
            await until(lambda: heard.rings == 1, "the first ring")
            for count, line in enumerate([b'{"State":6}\n', b"\x00", b"half a li", b"ne\n"], 2):
                lines.put_nowait(line)
                await until(lambda count=count: heard.rings == count, f"ring {count}")  # type: ignore[misc]
            assert heard.told == [True]
            assert len(daemon.asked) == 1
            return heard

    asyncio.run(case())


def test_an_older_tailscaled_that_knows_no_such_mask_is_asked_without(path: Path) -> None:
    async def case() -> tuple[list[str], Heard]:
        daemon = Tailscaled(path, says(BAD, then_close=True), says(OK))
        async with daemon.up(), listening(path) as heard:
            await until(lambda: heard.rings, "a ring")
            return daemon.asked, heard

    asked, heard = asyncio.run(case())
    assert [head.split(" ")[1].partition("mask=")[2] for head in asked] == ["45056", "0"]
    assert all("\r\nHost: local-tailscaled.sock\r\n" in head for head in asked), "as the tailscale command asks"
    assert heard.told == [True], "the first 400 is not said"


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(says(BAD, then_close=True), id="400 to every mask"),
        pytest.param(says(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), id="403"),
        pytest.param(says(b"HTTP/1.1 500 Oh\r\n\r\n"), id="500"),
        pytest.param(says(b"HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n"), id="redirects"),
        pytest.param(says(b"\x00\xff" * 20_000), id="garbage"),
        pytest.param(says(b"SSH-2.0-OpenSSH_9\r\n"), id="another protocol"),
        pytest.param(says(then_close=True), id="closes at once"),
        pytest.param(says(), id="says nothing"),
        pytest.param(says(b"HTTP/1.1 200 "), id="half a status line"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 99_000), id="a header that is too long"),
        pytest.param(for_ever(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), id="a head that never ends"),
        pytest.param(for_ever(b"", HINT * 100), id="early hints that never end"),
    ],
)
def test_who_is_no_bus_is_told_once_and_tried_again(path: Path, behaviour: Behaviour) -> None:
    async def case() -> Heard:
        daemon = Tailscaled(path, behaviour)
        async with daemon.up(), listening(path) as heard:
            await until(lambda: len(daemon.asked) >= 3, "three tries")
            return heard

    heard = asyncio.run(case())
    assert (heard.told, heard.rings) == ([False], 0)


def nothing(path: Path) -> None:
    """No socket at all."""


def left_behind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(nothing, id="no socket"),
        pytest.param(lambda path: path.write_text("hello"), id="a regular file"),
        pytest.param(Path.mkdir, id="a folder"),
        pytest.param(os.mkfifo, id="a fifo"),
        pytest.param(lambda path: path.symlink_to(path), id="a symlink to itself"),
        pytest.param(left_behind, id="a socket on which nobody listens"),
    ],
)
def test_where_nobody_can_ring_that_is_told_once(path: Path, make: Callable[[Path], object]) -> None:
    make(path)

    async def case() -> Heard:
        async with listening(path) as heard:
            await until(lambda: heard.told, "told")
            await asyncio.sleep(0.2)  # several more tries
            return heard

    heard = asyncio.run(case())
    assert (heard.told, heard.rings) == ([False], 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a socket away")
def test_another_users_socket_is_not_even_connected_to(path: Path) -> None:
    async def case() -> list[str]:
        daemon = Tailscaled(path, says(OK))
        async with daemon.up():
            os.chown(path, 12345, 12345)
            async with listening(path) as heard:
                await until(lambda: heard.told, "told")
                assert heard.told == [False]
        return daemon.asked

    assert asyncio.run(case()) == []


def test_a_queue_that_is_full_ends_in_time(path: Path) -> None:
    async def case() -> Heard:
        with contextlib.ExitStack() as stack:
            door = stack.enter_context(socket.socket(socket.AF_UNIX))
            door.bind(str(path))
            door.listen(0)
            for _ in range(2):
                waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
                waiting.setblocking(False)  # noqa: FBT003 - the standard library's signature
                waiting.connect_ex(str(path))
            async with listening(path) as heard:
                await until(lambda: heard.told, "told")
                return heard

    heard = asyncio.run(case())
    assert (heard.told, heard.rings) == ([False], 0)


@pytest.mark.parametrize(
    ("begin", "again"),
    [
        pytest.param(OK + b"5f5e100\r\n", b" " * 65_536, id="a line of 100 MB in one chunk"),
        pytest.param(OK, chunk(b" " * 65_536), id="a line without end in large chunks"),
        pytest.param(OK, chunk(b"x") * 10_000, id="chunks of a byte"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n", b" " * 65_536, id="a body until the end"),
    ],
)
def test_a_flood_costs_bounded_rings_and_memory_and_nobody_waits_for_it(path: Path, begin: bytes, again: bytes) -> None:
    lasts = 0.5

    async def case() -> tuple[int, float, int]:
        async with Tailscaled(path, for_ever(begin, again)).up(), listening(path) as heard:
            await until(lambda: heard.rings, "a ring")
            tracemalloc.start()
            worst, ends = 0.0, time.monotonic() + lasts
            while (before := time.monotonic()) < ends:
                await asyncio.sleep(0.005)
                worst = max(worst, time.monotonic() - before)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return heard.rings, worst, peak

    rings, worst, peak = asyncio.run(case())
    assert rings <= lasts / BUS_BREATH + 3
    assert worst < 0.2
    assert peak < 4 * 2**20


def test_who_ends_at_once_is_connected_to_less_and_less_often_but_never_given_up(path: Path) -> None:
    async def case() -> tuple[list[bool], list[float]]:
        daemon = Tailscaled(path, says(then_close=True))
        times: list[float] = []
        async with daemon.up(), listening(path) as heard:
            began = time.monotonic()
            while len(times) < 7:
                await until(lambda: len(daemon.asked) > len(times), "another try")
                times.append(time.monotonic() - began)
            return heard.told, times

    told, times = asyncio.run(case())
    assert told == [False]
    waits = (0.02, 0.04, 0.08, 0.1, 0.1, 0.1)
    assert all(time >= least for time, least in zip(times[1:], itertools.accumulate(waits), strict=True))


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(says(OK, then_close=True), id="an end of file"),
        pytest.param(says(OK + b"0\r\n\r\n"), id="an end of the body, and the connection stays open"),
        pytest.param(says(OK, chunk(b"x"), b"zz\r\n"), id="garbage in the body"),
        pytest.param(says(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), id="an empty body"),
    ],
)
def test_an_end_is_told_once_and_the_bus_that_is_back_as_well(path: Path, end: Behaviour) -> None:
    async def case() -> Heard:
        daemon = Tailscaled(path, end, says(OK))
        async with daemon.up(), listening(path) as heard:
            await until(lambda: len(heard.told) == 3, "it is back")
            assert len(daemon.asked) == 2
            return heard

    assert asyncio.run(case()).told == [True, False, True]


def test_a_tailscaled_that_restarts_is_found_again(path: Path) -> None:
    async def case() -> Heard:
        daemon = Tailscaled(path, says(OK))
        async with listening(path) as heard:
            await until(lambda: heard.told == [False], "nobody is there yet")
            for times in (1, 2):
                async with daemon.up():
                    await until(lambda: heard.bus.connected, "it stands")
                    assert heard.rings == times, "it rings each time that it stands"
                await until(lambda: not heard.bus.connected, "it ended")
            return heard

    assert asyncio.run(case()).told == [False, True, False, True, False]
