"""A server's address as it is published, and whether its answers prove anything of the network."""

import pytest

from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.server import Kind, Server, http_url


@pytest.mark.parametrize(
    ("host", "port", "scheme", "url"),
    [
        pytest.param("100.64.0.2", 11434, "http", "http://100.64.0.2:11434", id="IPv4"),
        pytest.param("fd7a:115c:a1e0::2", 11434, "http", "http://[fd7a:115c:a1e0::2]:11434", id="IPv6 in brackets"),
        pytest.param("ollama.example", 443, "https", "https://ollama.example:443", id="a static server with TLS"),
    ],
)
def test_a_url_has_an_explicit_port_and_no_slash(host: str, port: int, scheme: str, url: str) -> None:
    assert http_url(host, port, scheme) == url


@pytest.mark.parametrize(
    ("kind", "host", "loopback"),
    [
        pytest.param(Kind.LOCAL, "127.0.0.1", True, id="this machine"),
        pytest.param(Kind.SELF_CHECK, "100.64.0.1", True, id="this machine at its tailnet address"),
        pytest.param(Kind.STATIC, "localhost", True, id="a static name for this machine"),
        pytest.param(Kind.STATIC, "::1", True, id="a static address of this machine"),
        pytest.param(Kind.STATIC, "192.168.7.7", False, id="a machine of the LAN"),
        pytest.param(Kind.PEER, "100.64.0.2", False, id="a peer"),
        pytest.param(Kind.STATIC, "127.0.1.1", True, id="any address of 127.0.0.0/8"),
        pytest.param(
            Kind.STATIC,
            "127.example.com",
            False,
            id="a name that begins like one",
        ),
    ],
)
def test_loopback_proves_nothing_of_any_network(kind: Kind, host: str, *, loopback: bool) -> None:
    assert Server("k", "n", kind, host, 11434, http_url(host, 11434)).loopback is loopback


@pytest.mark.parametrize("outcome", list(Outcome))
def test_packets_went_there_and_back_unless_it_is_silent_or_cannot_be_probed(outcome: Outcome) -> None:
    assert Probe(outcome, 0.0).reached is (outcome not in (Outcome.SILENT, Outcome.ERROR))
    assert outcome.word == outcome.name.lower()
    assert outcome.text


def test_a_connection_that_stood_proves_the_network_whatever_was_said_on_it() -> None:
    assert Probe(Outcome.ERROR, 0.0, "HTTP 502", connected=True).reached
