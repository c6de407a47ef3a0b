"""A request and its answer, followed: where each ends, whatever its form and however it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollama_locate.edge.cycle import Cycle, NotHttpError

GET = b"GET /api/tags HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b'POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\n{"a":"bcd"}'
CHUNKED_POST = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
TO_THE_END = b"HTTP/1.0 200 OK\r\n\r\nhello"
HINTED = b"HTTP/1.1 100 Continue\r\n\r\n" + SIZED
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"

WHOLE = [
    pytest.param(GET, SIZED, id="a plain one"),
    pytest.param(POST, CHUNKED, id="a stream of tokens"),
    pytest.param(CHUNKED_POST, SIZED, id="a request in chunks"),
    pytest.param(HEAD, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", id="HEAD: a length, and no body"),
    pytest.param(POST, EMPTY, id="no content"),
    pytest.param(POST, HINTED, id="an informational answer first"),
    pytest.param(POST, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", id="an empty body"),
]


def fed(request: bytes, answer: bytes, cut: int = 1 << 20) -> Cycle:
    cycle = Cycle()
    for at in range(0, len(request), cut):
        cycle.from_client(request[at : at + cut])
    for at in range(0, len(answer), cut):
        cycle.from_server(answer[at : at + cut])
    return cycle


@pytest.mark.parametrize("cut", [1, 3, 17, 1 << 20])
@pytest.mark.parametrize(("request_", "answer"), WHOLE)
def test_it_ends_with_its_last_byte(request_: bytes, answer: bytes, cut: int) -> None:
    assert not fed(request_[:-1], b"", cut).request_done
    assert not fed(request_, answer[:-1], cut).over
    cycle = fed(request_, answer, cut)
    assert (cycle.over, cycle.last, cycle.opaque) == (True, False, False)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        pytest.param(GET, CLOSING, id="the server closes"),
        pytest.param(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), SIZED, id="the client closes"),
        pytest.param(GET.replace(b"1.1", b"1.0"), SIZED.replace(b"1.1", b"1.0"), id="HTTP/1.0"),
    ],
)
def test_the_connection_ends_with_it(request_: bytes, answer: bytes) -> None:
    cycle = fed(request_, answer)
    assert (cycle.over, cycle.last) == (True, True)


def test_an_answer_may_go_on_to_the_end_of_the_connection() -> None:
    cycle = fed(GET, TO_THE_END)
    assert not cycle.answer_done
    cycle.from_server(b"")
    assert (cycle.answer_done, cycle.last) == (True, True)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        pytest.param(GET + GET, b"", id="two requests at once"),
        pytest.param(POST + GET, b"", id="the second after a counted body"),
        pytest.param(UPGRADE, SWITCHED, id="an upgrade"),
        pytest.param(GET, SIZED + b"more", id="more than was announced"),
    ],
)
def test_what_becomes_a_tunnel(request_: bytes, answer: bytes) -> None:
    cycle = fed(request_, answer)
    assert (cycle.opaque, cycle.over) == (True, False)
    cycle.from_client(b"\xff\x00")
    cycle.from_server(b"\xff\x00")


def test_a_large_body_is_counted_and_not_read() -> None:
    cycle = Cycle()
    cycle.from_client(b"POST /api/blobs/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\nabc")
    assert cycle.request_left == 999_999_999_997
    cycle.skip_request(999_999_999_997)
    assert cycle.request_done


@pytest.mark.parametrize(
    "data",
    [b"\x16\x03\x01\x02\x00\x01", b"SSH-2.0-x\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000],
)
def test_what_is_no_http_is_said(data: bytes) -> None:
    with pytest.raises(NotHttpError):
        Cycle().from_client(data)
    cycle = Cycle()
    cycle.from_client(GET)
    with pytest.raises(NotHttpError):
        cycle.from_server(data)


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=200)), max_size=12))
def test_nothing_but_that_is_ever_raised(pieces: list[tuple[bool, bytes]]) -> None:
    cycle = Cycle()
    try:
        cycle.from_client(POST)
        for from_client, piece in pieces:
            (cycle.from_client if from_client else cycle.from_server)(piece)
    except NotHttpError:
        pass
