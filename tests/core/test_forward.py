"""What the forward may do: where it listens, who may talk to it, what may be asked twice."""

import pytest

from ollama_locate.core.forward import Forward, is_own_host, may_replay, parse_listen

LOOPBACK = Forward("127.0.0.1", 11435)
LAN = Forward("0.0.0.0", 11435)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1:11435", ("127.0.0.1", 11435)),
        ("[::1]:11435", ("::1", 11435)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
        ("192.168.1.2:65535", ("192.168.1.2", 65535)),
    ],
)
def test_an_address_to_listen_on(text: str, found: tuple[str, int]) -> None:
    assert parse_listen(text) == found


@pytest.mark.parametrize(
    "text",
    [
        *("", "11435", "localhost:11435", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "::x", "1:٣"),
        *("[fe80::1%eth0]:11435", "[::1%\x1b[2J]:11435"),
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="such as"):
        parse_listen(text)


@pytest.mark.parametrize(
    ("forward", "url", "is_open"),
    [
        (LOOPBACK, "http://127.0.0.1:11435", False),
        (Forward("::1", 1), "http://[::1]:1", False),
        (LAN, "http://127.0.0.1:11435", True),
        (Forward("::", 1), "http://[::1]:1", True),
        (Forward("192.168.1.2", 1), "http://192.168.1.2:1", True),
    ],
)
def test_the_address_that_programs_use(forward: Forward, url: str, *, is_open: bool) -> None:
    assert (forward.url, forward.open) == (url, is_open)


@pytest.mark.parametrize(
    ("method", "target", "twice"),
    [
        (b"GET", b"/api/tags", True),
        (b"HEAD", b"/", True),
        (b"POST", b"/api/generate", True),
        (b"POST", b"/api/chat?x=1", True),
        (b"POST", b"/v1/chat/completions/", True),
        (b"POST", b"/api/pull", False),
        (b"POST", b"/api/create", False),
        (b"POST", b"/api/blobs/sha256:0", False),
        (b"DELETE", b"/api/delete", False),
        (b"POST", b"/api/generate/../delete", False),
        (b"get", b"/", False),
    ],
)
def test_what_may_be_asked_twice(method: bytes, target: bytes, *, twice: bool) -> None:
    assert may_replay(method, target) is twice


@pytest.mark.parametrize(
    ("host", "forward", "own"),
    [
        pytest.param("127.0.0.1:11435", LOOPBACK, True, id="the address"),
        pytest.param("localhost:11435", LOOPBACK, True, id="localhost"),
        pytest.param("LOCALHOST", LOOPBACK, True, id="without a port, in capitals"),
        pytest.param("[::1]:11435", LOOPBACK, True, id="IPv6"),
        pytest.param("evil.example:11435", LOOPBACK, False, id="a website's name: DNS rebinding"),
        pytest.param("127.0.0.1.evil.example", LOOPBACK, False, id="a name that begins like an address"),
        pytest.param("192.168.1.2:11435", LOOPBACK, False, id="another address"),
        pytest.param("192.168.1.2:11435", LAN, True, id="another address, where other machines are let in"),
        pytest.param("evil.example", LAN, False, id="a website's name, even there"),
        pytest.param("", LOOPBACK, False, id="none"),
        pytest.param("[::1", LOOPBACK, False, id="half an address"),
    ],
)
def test_whom_a_host_header_names(host: str, forward: Forward, *, own: bool) -> None:
    assert is_own_host(host, forward) is own


@pytest.mark.parametrize(
    ("host", "port", "own"),
    [
        ("127.0.0.1", 11435, True),
        ("127.0.0.2", 11435, True),
        ("::1", 11435, True),
        ("localhost", 11435, True),
        ("localhost", 11434, False),
        ("100.64.0.2", 11435, False),
        ("box", 11435, False),
    ],
)
def test_a_server_that_is_this_very_address(host: str, port: int, *, own: bool) -> None:
    assert LOOPBACK.is_at(host, port) is own


def test_the_same_place() -> None:
    assert LOOPBACK.same_place(Forward("127.0.0.1", 11435, desktop=True))
    assert not LOOPBACK.same_place(LAN)
