"""Every kind of server, on real sockets: whatever it does has a name, and the probe ends in time."""

import asyncio
import contextlib
import json
import socket
import time

import pytest

from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.edge.probe import Prober
from tests.edge.listener import Notes, at, probe, terms
from tests.standins import ollama
from tests.standins.ollama import Behaviour, answers, http, like_ollama, serving
from tests.standins.wire import EmbeddedWire, Far

TIMEOUT = 0.5
VERSION = http("200 OK", b'{"version":"0.17.4"}')
MANY = [f"m{number}" for number in range(9_000)] + ["evil\x1b[2J", "a\nb", "../x", "x" * 300, ""] * 200


async def hints_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
        await writer.drain()


async def crumbs_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"1\r\nx\r\n" * 1000)
        await writer.drain()


async def verdict(behaviour: Behaviour, patience: float = TIMEOUT) -> Probe:
    async with serving(behaviour) as port:
        return await probe(at("127.0.0.1", port), patience)


@pytest.mark.parametrize(
    ("behaviour", "outcome", "detail"),
    [
        pytest.param(like_ollama("mistral:latest"), Outcome.ALIVE, "", id="Ollama"),
        pytest.param(ollama.says_nothing, Outcome.BUSY, "nothing within 0.5 s", id="accepts and says nothing"),
        pytest.param(ollama.closes_at_once, Outcome.EMPTY, "closed", id="closes at once, as a dead `tailscale serve`"),
        pytest.param(ollama.drips, Outcome.ERROR, "did not end within 0.5 s", id="drips a byte at a time"),
        pytest.param(ollama.floods, Outcome.NOT_OLLAMA, "too large", id="a body of 100 MB"),
        pytest.param(
            answers(http("302 Found", b"", more="Location: http://127.0.0.1:1/\r\n")),
            Outcome.NOT_OLLAMA,
            "redirects are not followed",
            id="redirects elsewhere",
        ),
        pytest.param(answers(http("200 OK", b'{"version":')), Outcome.NOT_OLLAMA, "not Ollama's", id="invalid JSON"),
        pytest.param(answers(http("200 OK", b'{"version":3}')), Outcome.NOT_OLLAMA, "not Ollama's", id="a wrong type"),
        pytest.param(answers(http("200 OK", b"[" * 50_000)), Outcome.NOT_OLLAMA, "not Ollama's", id="nested deeply"),
        pytest.param(answers(http("200 OK", b"<html>")), Outcome.NOT_OLLAMA, "a page for people", id="a web page"),
        pytest.param(answers(b"<html>hello</html>"), Outcome.NOT_OLLAMA, "not HTTP", id="HTTP/0.9"),
        pytest.param(answers(b"SSH-2.0-OpenSSH_9\r\n"), Outcome.NOT_OLLAMA, "not HTTP", id="another protocol"),
        pytest.param(answers(b"\x15\x03\x01\x00\x02\x02\x46"), Outcome.NOT_OLLAMA, "it speaks TLS", id="TLS"),
        pytest.param(answers(b"\x00\xff" * 20_000), Outcome.NOT_OLLAMA, "not HTTP", id="garbage"),
        pytest.param(answers(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 99_000), Outcome.NOT_OLLAMA, "", id="an endless head"),
        pytest.param(answers(VERSION[:-5]), Outcome.NOT_OLLAMA, "", id="ends within the body"),
        pytest.param(hints_for_ever, Outcome.NOT_OLLAMA, "too large", id="an endless flood of early hints"),
        pytest.param(crumbs_for_ever, Outcome.NOT_OLLAMA, "too large", id="a body in chunks of a byte, without end"),
        pytest.param(answers(http("403 Forbidden", b"")), Outcome.FORBIDDEN_HOST, "", id="403"),
        pytest.param(answers(http("404 Not Found", b"")), Outcome.NOT_OLLAMA, "HTTP 404", id="404"),
        pytest.param(answers(http("500 Oh", b"")), Outcome.ERROR, "HTTP 500", id="500"),
        pytest.param(
            answers(b"HTTP/1.1 103 Early Hints\r\n\r\n" + VERSION),
            Outcome.ALIVE,
            "",
            id="an informational answer first",
        ),
    ],
)
def test_every_server_gets_a_name(behaviour: Behaviour, outcome: Outcome, detail: str) -> None:
    started = time.monotonic()
    # Whoever is recognised by what it says is given time to say it, on a machine that has other work as well.
    patience = TIMEOUT if f"within {TIMEOUT:g} s" in detail else TIMEOUT * 10
    found = asyncio.run(verdict(behaviour, patience))
    assert (found.outcome, detail in found.detail) == (outcome, True), found
    assert time.monotonic() - started < patience + TIMEOUT * 3


def test_a_live_server_tells_version_models_and_distance() -> None:
    found = asyncio.run(verdict(like_ollama("mistral:latest", "qwen3:8b", version="0.17.4")))
    assert (found.version, found.models) == ("0.17.4", ("mistral:latest", "qwen3:8b"))
    assert found.rtt is not None
    assert 0 < found.rtt < 0.05


@pytest.mark.parametrize(
    ("behaviour", "models"),
    [
        pytest.param(like_ollama(), (), id="none"),
        pytest.param(like_ollama(tags_body=b'{"models":null}'), (), id="null, as an old Ollama says"),
        pytest.param(like_ollama(tags_body=b"[]"), None, id="another shape is an unknown list"),
        pytest.param(like_ollama(tags_body=b" " * 9_000_000), None, id="too large a list is unknown"),
        pytest.param(like_ollama(tags_body=ollama.tags("big", remote_host="ollama.com")), (), id="a cloud model"),
        pytest.param(ollama.by_path(version=VERSION), None, id="closes before the list"),
        pytest.param(ollama.by_path(version=VERSION, tags=http("500 Oh", b"")), None, id="fails at the list"),
    ],
)
def test_the_list_of_models(behaviour: Behaviour, models: tuple[str, ...] | None) -> None:
    found = asyncio.run(verdict(behaviour))
    assert (found.outcome, found.models) == (Outcome.ALIVE, models)


def test_a_list_of_ten_thousand_models_with_control_characters_is_cleaned() -> None:
    async def case() -> tuple[str, ...] | None:
        async with serving(like_ollama(*MANY)) as port:
            notes = Notes()
            prober = Prober(notes, 3.0)
            prober.probe(at("127.0.0.1", port), terms(answer_wait=TIMEOUT))
            await notes.until(1)
            if (models := notes.probes["peer"].models) is None:
                await notes.until_listed()
                models = notes.late
            await prober.stop()
            return models

    models = asyncio.run(case())
    assert models is not None
    assert len(models) == 9_000
    assert all(name.removesuffix(":latest").isalnum() for name in models)


def test_a_late_list_is_told_after_the_server_counts() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(VERSION)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.2)  # a busy server: the slowness is what is tested
        writer.write(http("200 OK", ollama.tags("mistral:latest")))
        await reader.read()

    async def case() -> Notes:
        async with serving(slow) as port:
            notes = Notes()
            prober = Prober(notes, TIMEOUT)
            prober.probe(at("127.0.0.1", port), terms(answer_wait=TIMEOUT))
            await notes.until_listed()
            await prober.stop()
            return notes

    notes = asyncio.run(case())
    assert notes.events == ["connected peer", "finish peer", "listed peer"]
    assert (notes.probes["peer"].models, notes.late) == (None, ("mistral:latest",))


def test_a_connection_reset_before_anybody_looked_was_closed_by_the_server() -> None:
    """A server killed in that moment: the kernel has accepted for it, and then resets what it never took."""

    async def scenario() -> Probe:
        notes = Notes()
        prober = Prober(notes, TIMEOUT)
        with socket.create_server(("127.0.0.1", 0)) as server:
            prober.probe(at(*server.getsockname()), terms())
        await notes.until(1)
        await prober.stop()
        return notes.probes["peer"]

    found = asyncio.run(scenario())

    assert (found.outcome, found.detail) == (Outcome.EMPTY, "it closed the connection")
    assert found.reached
    assert found.closed


def test_a_closed_port_refuses_and_ipv6_works_as_well() -> None:
    async def case(host: str) -> tuple[Outcome, Outcome]:
        async with serving(like_ollama("m"), host=host) as port:
            alive = await probe(at(host, port))
        return alive.outcome, (await probe(at(host, port))).outcome

    for host in ("127.0.0.1", "::1"):
        assert asyncio.run(case(host)) == (Outcome.ALIVE, Outcome.REFUSED)


@pytest.mark.parametrize(
    ("host", "outcome", "detail"),
    [
        pytest.param("localhost", Outcome.ALIVE, "", id="a name that is known"),
        pytest.param("no-such-host.invalid", Outcome.ERROR, "its name is not known", id="a name that is not"),
    ],
)
def test_a_static_server_may_have_a_name(host: str, outcome: Outcome, detail: str) -> None:
    async def case() -> Probe:
        async with serving(like_ollama("m")) as port:
            return await probe(at(host, port))

    found = asyncio.run(case())
    assert (found.outcome, detail in found.detail) == (outcome, True), found


def test_a_silent_server_is_called_silent_for_now_and_then_for_good() -> None:
    async def case() -> tuple[Notes, float]:
        notes = Notes()
        prober = Prober(notes, 1.0, EmbeddedWire({}))
        started = time.monotonic()
        prober.probe(at("100.64.0.2", 11434), terms())
        await notes.until(1)
        return notes, time.monotonic() - started

    notes, took = asyncio.run(case())
    assert notes.events == ["quiet peer", "finish peer"]
    assert notes.probes["peer"].outcome is Outcome.SILENT
    assert 1.0 <= took < 1.5


def test_the_distance_is_that_of_the_burst() -> None:
    async def case() -> Probe:
        async with serving(like_ollama("m")) as port:
            return await probe(at("100.64.0.2", port), 2.0, EmbeddedWire({"100.64.0.2": Far(port, 0.03)}))

    found = asyncio.run(case())
    assert found.rtt is not None
    assert 0.03 <= found.rtt < 0.05


def test_a_thousand_silent_peers_do_not_delay_a_live_one() -> None:
    async def case() -> float:
        async with serving(like_ollama("m")) as port:
            notes = Notes()
            prober = Prober(notes, 2.0, EmbeddedWire({"100.64.9.9": Far(port, 0.02)}))
            for number in range(1000):
                prober.probe(at(f"100.64.1.{number % 250}", port, f"silent {number}"), terms())
            started = time.monotonic()
            prober.probe(at("100.64.9.9", port, "alive"), terms())
            await notes.until(1)
            assert list(notes.probes) == ["alive"]
            await prober.stop()
            return time.monotonic() - started

    assert asyncio.run(case()) < 0.5


def test_nothing_is_sent_but_three_questions_with_the_tailnet_address_as_host() -> None:
    seen: list[bytes] = []

    async def noting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                seen.append(head)
                writer.write(VERSION if b"version" in head else http("200 OK", b'{"models":[]}'))

    async def case() -> int:
        notes = Notes()
        async with serving(noting) as port:
            prober = Prober(notes, 0.5)
            prober.probe(at("127.0.0.1", port), terms())
            await notes.until_stocked()
            await prober.stop()
            return port

    port = asyncio.run(case())
    asked = [head.split(b" ")[1].decode() for head in seen]
    assert asked == ["/api/version", "/api/tags", "/api/ps"]
    assert all(f"\r\nHost: 127.0.0.1:{port}\r\n".encode() in head for head in seen)


def test_out_of_descriptors_is_an_error_of_that_probe_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    async def case() -> Probe:
        monkeypatch.setattr("ollama_locate.edge.dial.socket.socket", refuse)
        return await probe(at("127.0.0.1", 1))

    found = asyncio.run(case())
    assert (found.outcome, found.detail) == (Outcome.ERROR, "Too many open files")


def test_stopping_forgets_everything_under_way() -> None:
    async def case() -> list[str]:
        async with serving(ollama.says_nothing) as port:
            notes = Notes()
            prober = Prober(notes, 5.0, EmbeddedWire({"hangs": Far(port), "127.0.0.2": Far(port)}))
            prober.probe(at("127.0.0.2", port, "connected"), terms())
            prober.probe(at("100.64.0.9", port, "silent"), terms())
            await notes.until_told()
            await prober.stop()
            return notes.events

    assert asyncio.run(case()) == ["connected connected"]


def test_the_recorded_answers_of_a_real_ollama_are_read() -> None:
    body = json.dumps({"models": [{"name": "mistral:latest", "size": 337193, "details": {"families": ["llama"]}}]})
    found = asyncio.run(verdict(like_ollama(tags_body=body.encode())))
    assert found.models == ("mistral:latest",)
