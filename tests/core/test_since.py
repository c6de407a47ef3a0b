"""A moment that holds for all, or for the servers of one tailnet."""

from ollama_locate.core.server import Kind, Server
from ollama_locate.core.since import Since


def of(net: str) -> Server:
    return Server("k", "gpu", Kind.PEER, "100.64.0.2", 11434, "http://100.64.0.2:11434", net=net)


def test_the_later_one_holds() -> None:
    since = Since(10.0)
    since.set(20.0, "work")
    assert (since.of(of("home")), since.of(of("work"))) == (10.0, 20.0)
    since.set(30.0)
    assert (since.of(of("home")), since.of(of("work"))) == (30.0, 30.0)
