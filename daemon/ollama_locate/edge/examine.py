"""One server at leisure, step by step: the connect, the answer, and what its head says of the time."""

import asyncio
import email.utils
import socket
from typing import NamedTuple

import h11

from ollama_locate.core.answer import judge_no_http, judge_version
from ollama_locate.core.constants import VERSION_MAX_BYTES
from ollama_locate.core.outcome import Outcome

from .dial import SAYS_NO, Wire
from .talk import Talk, TooLargeError


class Examined(NamedTuple):
    """What came of it. Seconds; `connect` and `answer` are None where it did not come so far.

    `skew` is the seconds by which the server's clock is ahead of this machine's, None where it does not say: exact to
    a second and half a round trip.
    """

    outcome: Outcome
    detail: str = ""
    connect: float | None = None
    answer: float | None = None
    version: str = ""
    skew: float | None = None


async def examine(
    wire: Wire, address: tuple[str, int], host: str, patience: float, wall: float, *, prefix: str = ""
) -> Examined:
    """Ask for the version with this Host header. `patience` (seconds) holds for all of it; `wall` is the epoch now."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    opened: asyncio.Future[tuple[socket.socket | None, int]] = loop.create_future()

    def done(sock: socket.socket | None, code: int, _rtt: float) -> None:
        opened.set_result((sock, code))

    attempt = wire.attempt(*address, done)
    try:
        async with asyncio.timeout(patience):
            sock, code = await opened
    except TimeoutError:
        attempt.cancel()
        return Examined(Outcome.SILENT)
    if sock is None:
        return Examined(*SAYS_NO.get(code, (Outcome.ERROR, wire.says(code))))
    connect = loop.time() - began
    with sock:
        talk = Talk(sock, host, prefix)
        try:
            async with asyncio.timeout(patience - connect):
                answer = await talk.get("/api/version", VERSION_MAX_BYTES)
        except TimeoutError:
            return Examined(Outcome.BUSY, f"nothing within {patience:.1f} s", connect)
        except TooLargeError:
            return Examined(Outcome.NOT_OLLAMA, "its answer to /api/version is too large", connect)
        except (OSError, h11.RemoteProtocolError):
            outcome, detail = judge_no_http(talk.first) if talk.first else (Outcome.EMPTY, "it closed the connection")
            return Examined(outcome, detail, connect)
    took = loop.time() - began
    outcome, detail, version = judge_version(*answer)
    return Examined(outcome, detail, connect, took - connect, version, _skew(talk.date, wall + took))


def _skew(date: str, wall: float) -> float | None:
    """Seconds from this clock to the one that wrote the `Date` (RFC 9110, 6.6.1), which leaves out its fraction."""
    try:
        return email.utils.parsedate_to_datetime(date).timestamp() + 0.5 - wall
    except (ValueError, TypeError, OverflowError):
        return None
