"""The words of a SOCKS5 client (RFC 1928)."""

import errno

import pytest

from ollama_locate.core import socks5


@pytest.mark.parametrize(
    ("host", "said"),
    [
        pytest.param("100.64.0.2", b"\x05\x01\x00\x01\x64\x40\x00\x02\x2c\xaa", id="IPv4"),
        pytest.param(
            "fd7a:115c:a1e0::2", b"\x05\x01\x00\x04\xfd\x7a\x11\x5c\xa1\xe0" + bytes(9) + b"\x02\x2c\xaa", id="IPv6"
        ),
    ],
)
def test_a_connect_is_asked_for_by_address_and_port(host: str, said: bytes) -> None:
    assert socks5.request(host, 11434) == said


@pytest.mark.parametrize(
    ("method", "accepts"),
    [
        pytest.param(b"\x05\x00", True, id="no login"),
        pytest.param(b"\x05\x02", False, id="a login, which was not offered"),
        pytest.param(b"\x05\xff", False, id="no method will do"),
        pytest.param(b"\x04\x00", False, id="SOCKS4"),
        pytest.param(b"HT", False, id="an HTTP server"),
    ],
)
def test_the_proxy_goes_on_without_a_login(method: bytes, *, accepts: bool) -> None:
    assert socks5.accepts(method) is accepts


@pytest.mark.parametrize(
    ("head", "code", "says"),
    [
        pytest.param(b"\x05\x00\x00\x01\x7f", 0, None, id="the connection stands"),
        pytest.param(b"\x05\x05\x00\x01\x00", errno.ECONNREFUSED, None, id="the machine refuses"),
        pytest.param(b"\x05\x01\x00\x01\x00", -11, "the SOCKS5 proxy: it could not connect", id="as tailscaled says"),
        pytest.param(b"\x05\x04\x00\x01\x00", -14, "the SOCKS5 proxy: it cannot reach that machine", id="no machine"),
        pytest.param(b"\x05\x63\x00\x01\x00", -109, "the SOCKS5 proxy: it says 99", id="a code that there is not"),
        pytest.param(
            b"HTTP/",
            socks5.STRANGER,
            "the SOCKS5 proxy: what listens there does not speak SOCKS5 without a login",
            id="another protocol",
        ),
    ],
)
def test_what_became_of_it(head: bytes, code: int, says: str | None) -> None:
    assert socks5.judge(head) == code
    assert socks5.says(code) == says


@pytest.mark.parametrize(
    ("head", "left"),
    [
        pytest.param(b"\x05\x00\x00\x01\x7f", 5, id="IPv4: 10 bytes in all"),
        pytest.param(b"\x05\x00\x00\x04\xfd", 17, id="IPv6: 22"),
        pytest.param(b"\x05\x00\x00\x03\x09", 11, id="a name of 9 bytes: 16"),
        pytest.param(b"\x05\x00\x00\x03\x00", 2, id="a name of none"),
        pytest.param(b"\x05\x00\x00\x02\x00", None, id="a kind that there is not"),
    ],
)
def test_a_reply_has_an_address_whose_length_it_says(head: bytes, left: int | None) -> None:
    assert socks5.left_over(head) == left
