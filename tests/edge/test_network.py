"""The kernel's word that the network changed, by a real event in a network namespace of its own."""

import asyncio
import socket

import pytest

from ollama_locate.edge import network
from ollama_locate.edge.network import Network, way_out

from .namespace import LINUX, in_a_namespace

LISTENS = """
import asyncio, subprocess, sys
from ollama_locate.edge.network import Network, way_out

async def main():
    rung = asyncio.Event()
    network = Network(rung.set)
    assert network.open()
    before = way_out()
    for line in sys.argv[1:]:
        rung.clear()
        made = await asyncio.create_subprocess_exec("ip", *line.split())
        assert await made.wait() == 0, line
        await asyncio.wait_for(rung.wait(), 5)
    network.close()
    print(before, way_out())

asyncio.run(main())
"""


@LINUX
def test_an_address_a_route_and_their_end_ring_and_the_way_out_is_another_one() -> None:
    told = in_a_namespace(LISTENS, "addr add 198.18.0.1/24 dev lo", "route add default dev lo src 198.18.0.1")
    assert told == "('', '') ('198.18.0.1', '')"


@LINUX
def test_the_way_out_is_gone_with_the_address() -> None:
    ups = ("addr add 198.18.0.1/24 dev lo", "route add default dev lo src 198.18.0.1", "addr del 198.18.0.1/24 dev lo")
    assert in_a_namespace(LISTENS, *ups) == "('', '') ('', '')"


@LINUX
def test_a_route_of_a_container_rings_and_is_not_another_way_out() -> None:
    ups = ("addr add 198.18.0.1/24 dev lo", "route add 203.0.113.0/24 dev lo")
    assert in_a_namespace(LISTENS, *ups) == "('', '') ('', '')"


def test_the_way_out_is_two_addresses_or_nothing_for_each_family() -> None:
    found = way_out()
    assert len(found) == 2
    for family, address in zip((socket.AF_INET, socket.AF_INET6), found, strict=True):
        if address:
            socket.inet_pton(family, address)


def test_to_ask_for_the_way_out_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: list[tuple[int, int]] = []

    class Mute(socket.socket):
        """A socket that can be connected, and can say nothing."""

        def __init__(self, family: int, kind: int) -> None:
            kinds.append((family, kind))
            super().__init__(family, kind)

        send = sendto = sendall = sendmsg = None  # type: ignore[assignment]

    monkeypatch.setattr("ollama_locate.edge.network.socket.socket", Mute)
    assert len(way_out()) == 2
    assert kinds == [(socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_INET6, socket.SOCK_DGRAM)]


def test_no_sockets_no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("ollama_locate.edge.network.socket.socket", refuse)
    assert way_out() == ("", "")


def test_a_kernel_that_does_not_tell_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    async def case(listening: object) -> bool:
        monkeypatch.setattr(network, "_listening", listening)
        silent = Network(lambda: None)
        opened = silent.open()
        silent.close()
        return opened

    assert asyncio.run(case(refuse)) is False
    assert asyncio.run(case(lambda: None)) is False


def test_whatever_it_says_rings_and_a_flood_rings_once_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    monkeypatch.setattr(network, "_listening", lambda: near)

    async def case() -> int:
        rings = 0
        enough = asyncio.Event()

        def ring() -> None:
            nonlocal rings
            rings += 1
            enough.set()

        listening = Network(ring)
        assert listening.open()
        sent = 0
        far.setblocking(False)  # noqa: FBT003 - the standard library's signature
        for message in [b"\x00\xff" * 100] * 200:
            try:
                sent += far.send(message) > 0
            except BlockingIOError:
                break
        assert sent > 5
        await asyncio.wait_for(enough.wait(), 5)
        for _ in range(10):
            await asyncio.sleep(0)
        listening.close()
        listening.close()
        assert near.fileno() == -1
        return rings

    assert asyncio.run(case()) <= 5
    far.close()


@LINUX
def test_a_queue_that_overflowed_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOBUFS says that there was too much to tell."""

    class Overflown(socket.socket):
        def recv(self, *_: object) -> bytes:
            raise OSError(105, "No buffer space available")

    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    monkeypatch.setattr(network, "_listening", lambda: Overflown(fileno=near.detach()))

    async def case() -> None:
        rung = asyncio.Event()
        listening = Network(rung.set)
        listening.open()
        far.send(b"x")
        await asyncio.wait_for(rung.wait(), 5)
        listening.close()

    asyncio.run(case())
    far.close()
