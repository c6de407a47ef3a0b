"""A load and a pull from servers that answer badly, in this very loop."""

import asyncio
import zlib

import pytest

from ollama_locate.core.pulling import Failure, Meter, Trouble
from ollama_locate.edge import pull
from tests.standins.ollama import Behaviour, answers, closes_at_once, http, serving

STREAM = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
CHUNKED = STREAM + b"Transfer-Encoding: chunked\r\n\r\n"
STEP = b'{"status":"pulling a","digest":"sha256:a","total":9,"completed":4}\n'


async def pulled(behaviour: Behaviour) -> tuple[Failure | None, Meter]:
    meter = Meter(asyncio.get_running_loop().time())
    told: list[Meter] = []
    async with serving(behaviour) as port, pull.client() as client:
        failure = await pull.pull(client, f"http://127.0.0.1:{port}", {"model": "m:1"}, meter, told.append)
    return failure, meter


@pytest.mark.parametrize(
    ("raw", "trouble", "detail"),
    [
        pytest.param(STREAM + b"\r\n" + STEP, Trouble.ENDED, "success was not said", id="an early end"),
        pytest.param(CHUNKED + b"%x\r\n" % len(STEP) + STEP, Trouble.ENDED, "peer closed", id="an end within a chunk"),
        pytest.param(STREAM + b"\r\n" + STEP[:-9], Trouble.NOT_OLLAMA, "no line of a pull", id="an end within a line"),
        pytest.param(
            STREAM + b"\r\n" + STEP * 3 + b'{"error":"no space left"}', Trouble.NO_SPACE, "no space left", id="an error"
        ),
        pytest.param(STREAM + b"\r\n" + b"\xff" * 200_000, Trouble.NOT_OLLAMA, "no line of a pull", id="a long line"),
        pytest.param(
            STREAM + b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(b" " * 10**7),
            Trouble.NOT_OLLAMA,
            "no line of a pull",
            id="a bomb stays packed",
        ),
        pytest.param(http("404 Not Found", b"404 page not found"), Trouble.NOT_OLLAMA, "status 404", id="no such path"),
        pytest.param(
            http("302 Found", b"", more="Location: http://127.0.0.1:1/\r\n"),
            Trouble.NOT_OLLAMA,
            "status 302",
            id="a redirect is not followed",
        ),
        pytest.param(http("500 No", b'{"error":"' + b"x" * 10**6), Trouble.NOT_OLLAMA, "status 500", id="a long body"),
        pytest.param(b"SSH-2.0-x\r\n", Trouble.ENDED, "", id="another protocol"),
    ],
)
def test_what_a_pull_makes_of_it(raw: bytes, trouble: Trouble, detail: str) -> None:
    failure, _ = asyncio.run(pulled(answers(raw)))
    assert failure is not None
    assert failure.trouble is trouble
    assert detail in failure.detail


def test_who_hangs_up_at_once_is_told_so() -> None:
    failure, _ = asyncio.run(pulled(closes_at_once))
    assert failure is not None
    assert failure.trouble in (Trouble.ENDED, Trouble.LOST)


def test_lines_in_whatever_pieces_they_come() -> None:
    async def piecemeal(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(STREAM + b"\r\n")
        for byte in STEP + b'{"status":"success"}':
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(b"\n")

    failure, meter = asyncio.run(pulled(piecemeal))
    assert failure is None
    assert (meter.done, meter.completed, meter.total) == (True, 4, 9)


@pytest.mark.parametrize(
    ("raw", "trouble"),
    [
        pytest.param(http("404 Not Found", b"404 page not found", "text/plain"), Trouble.NOT_OLLAMA, id="no such path"),
        pytest.param(http("404 Not Found", b'{"error":"model \'m\' not found"}'), Trouble.NOT_FOUND, id="not there"),
        pytest.param(http("400 Bad", b'{"error":"m does not support generate"}'), Trouble.OTHER, id="neither way"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", Trouble.ENDED, id="half an answer"),
    ],
)
def test_what_a_load_makes_of_it(raw: bytes, trouble: Trouble) -> None:
    async def loaded() -> Failure | None:
        async with serving(answers(raw)) as port, pull.client() as client:
            return await pull.load(client, f"http://127.0.0.1:{port}", "m:1")

    failure = asyncio.run(loaded())
    assert failure is not None
    assert failure.trouble is trouble
