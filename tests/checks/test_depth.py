"""One server in depth: the steps, and what follows from them."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from ollama_locate.checks import depth
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.rule import Severity
from ollama_locate.core.snapshot import ServerState
from ollama_locate.edge.examine import Examined
from tests.checks.machine import Machine
from tests.standins.ollama import Behaviour, answers, by_path, closes_at_once, http, like_ollama, tags
from tests.standins.tailscale import node

GPU = "100.64.0.2"
DIRECT = f"pong from gpu ({GPU}) via 198.18.0.11:41641 in 12ms\n"
GOOD = like_ollama("mistral:latest", "qwen3:8b")


def look(here: Machine, key: str = "n2:11434") -> tuple[dict[str, str], list[str], set[Severity]]:
    case = here.case()
    server = next(one for one in case.round().snapshot.servers if one.key == key)
    found = depth.look(case, server)
    return dict(found.steps), [one.code for one in found.findings], {one.severity for one in found.findings}


@pytest.fixture
def gpu(here: Machine) -> Machine:
    here.tailnet(node("gpu", 2), node("nas", 3))
    here.far("100.64.0.3", GOOD, rtt=0.03)
    here.pong(GPU, DIRECT)
    return here


def test_a_good_one(gpu: Machine) -> None:
    gpu.far(GPU, GOOD)
    steps, codes, _ = look(gpu)
    assert codes == []
    assert steps["endpoint"] == f"http://{GPU}:11434"
    assert (steps["tailnet"], steps["ping"]) == ("calls it online", "pong in 12 ms, directly")
    assert steps["TCP"].startswith("connected in ")
    assert steps["HTTP"].startswith("answers as Ollama in ")
    assert steps["Host"] == "accepts its own address"
    assert (steps["version"], steps["models"]) == ("0.17.4", "mistral:latest, qwen3:8b")


@pytest.mark.parametrize(
    ("behaviour", "code", "step", "says"),
    [
        pytest.param(None, "peer_refused", "TCP", "no connection", id="refused"),
        pytest.param(closes_at_once, "peer_empty", "HTTP", "accepts and closes", id="empty"),
        pytest.param(
            answers(http("403 No", b"")),
            "peer_forbidden",
            "Host",
            "refuses its own address (403), and localhost as well",
            id="403",
        ),
        pytest.param(answers(b"SSH-2.0\r\n"), "peer_not_ollama", "HTTP", "its answer is not HTTP/1.x", id="not Ollama"),
    ],
)
def test_what_keeps_it_from_being_one_is_a_problem(
    gpu: Machine, behaviour: Behaviour | None, code: str, step: str, says: str
) -> None:
    """Though another server is up: whoever asks for this one wants to use it."""
    gpu.far(GPU, behaviour)
    steps, codes, severities = look(gpu)
    assert (codes, severities) == ([code], {Severity.PROBLEM})
    assert says in steps[step]


async def below_gpu(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A proxy: Ollama has a path, and a token where the request names one."""
    with contextlib.suppress(asyncio.IncompleteReadError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            known = head.startswith(b"GET /gpu/api/version")
            login = head.startswith(b"GET /team/") and b"\r\nAuthorization: Bearer t0p\r\n" not in head
            body = b'{"version":"0.17.4"}'
            writer.write(http("401 Who", b"") if login else http("200 OK" if known else "404 No", body))
            await writer.drain()


def test_a_static_one_below_a_path_is_asked_there(gpu: Machine) -> None:
    gpu.far("10.0.0.7", below_gpu)
    gpu.config["static"] = '{ den = "http://10.0.0.7:8080/gpu" }'
    steps, codes, _ = look(gpu, "static:den")
    assert codes == []
    assert (steps["endpoint"], steps["version"]) == ("http://10.0.0.7:8080/gpu", "0.17.4")


@pytest.mark.parametrize(
    ("mode", "code", "says"),
    [
        pytest.param(0o644, "peer_error", "holds a secret, and others may read or write it; chmod 600", id="its mode"),
        pytest.param(0o600, "peer_login", "HTTP 401: it refuses the token in ", id="an old token"),
    ],
)
def test_one_with_headers_is_asked_in_the_round_only(
    gpu: Machine, mode: int, code: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "h"
    path.write_text("Authorization: Bearer old\n")
    path.chmod(mode)
    gpu.far(GPU, below_gpu)
    gpu.config["static"] = f'{{ den = {{ url = "http://{GPU}:80/team", headers = "{path}" }} }}'
    steps, codes, _ = look(gpu, "static:den")
    assert codes == [code]
    assert says in steps["answer"]
    assert "TCP" not in steps


def test_one_that_knows_localhost_only(gpu: Machine) -> None:
    """As an Ollama on loopback behind userspace networking: the Host header decides."""

    async def by_host(reader, writer):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - a behaviour
        head = await reader.readuntil(b"\r\n\r\n")
        fine = b"Host: localhost\r\n" in head
        writer.write(http("200 OK", b'{"version":"0.17.4"}') if fine else http("403 Forbidden", b""))

    gpu.far(GPU, by_host)
    steps, codes, _ = look(gpu)
    assert codes == ["peer_forbidden"]
    assert steps["Host"] == "refuses its own address (403), accepts localhost"


@pytest.mark.parametrize(
    ("pong", "code", "says"),
    [
        pytest.param(DIRECT, "peer_blocked", "pong in 12 ms, directly", id="kept away"),
        pytest.param("", "peer_silent", "no pong", id="silent altogether"),
    ],
)
def test_a_silent_one(gpu: Machine, monkeypatch: pytest.MonkeyPatch, pong: str, code: str, says: str) -> None:
    monkeypatch.setattr(depth, "TIMEOUT", 0.4)
    gpu.pong(GPU, pong)
    steps, codes, severities = look(gpu)
    assert (codes, severities) == ([code], {Severity.PROBLEM})
    assert (steps["ping"], steps["TCP"]) == (says, "no connection")


def test_a_relay_and_many_models_and_a_list_that_does_not_come(gpu: Machine) -> None:
    gpu.tailnet(node("gpu", 2, CurAddr="", Active=True), node("nas", 3))
    gpu.pong(GPU, f"pong from gpu ({GPU}) via DERP(fra) in 41ms\n")
    gpu.far(GPU, like_ollama(*(f"m:{count}" for count in range(10))))
    steps, codes, severities = look(gpu)
    assert (codes, severities) == (["peer_relayed"], {Severity.WARNING})
    assert steps["ping"] == "pong in 41 ms, by a relay (DERP fra)"
    assert steps["models"].endswith("m:7 and 2 more")
    gpu.far(GPU, by_path(version=http("200 OK", b'{"version":"0.17.4"}'), tags=http("500 Oh", b"")))
    assert look(gpu)[0]["models"] == "its list did not come"
    gpu.far(GPU, by_path(version=http("200 OK", b'{"version":"0.17.4"}'), tags=http("200 OK", tags())))
    steps, codes, _ = look(gpu)
    assert (steps["models"], codes) == ("none", ["peer_relayed", "peer_no_models"])


def test_this_machine_s_own_is_not_pinged(gpu: Machine) -> None:
    gpu.far("127.0.0.1", GOOD)
    steps, codes, _ = look(gpu, "local:11434")
    assert ("ping" in steps, codes) == (False, [])


def test_nothing_on_this_machine_is_a_problem_for_who_asks(gpu: Machine) -> None:
    assert look(gpu, "local:11434")[1:] == (["no_local_ollama"], {Severity.PROBLEM})


def test_a_clock_that_is_off_is_a_step(gpu: Machine) -> None:
    date = "Date: Thu, 01 Jan 2015 00:00:00 GMT\r\n"
    gpu.far(GPU, answers(http("200 OK", b'{"version":"0.17.4"}', more=date), then_close=False))
    assert look(gpu)[0]["clock"].endswith("s behind")


def test_one_that_the_tailnet_does_not_speak_of(gpu: Machine) -> None:
    """It went between the two looks."""
    gpu.far(GPU, GOOD)
    server = next(one for one in gpu.case().round().snapshot.servers if one.key == "n2:11434")
    steps = depth.steps(depth.Seen(server, None, None, Examined(Outcome.SILENT)))
    assert steps[1] == ("tailnet", "says nothing")


@pytest.mark.parametrize(
    ("url", "outcome", "want"),
    [
        pytest.param(
            "https://box.lan:443", "alive", {"HTTP": "answers as Ollama", "version": "0.17.4"}, id="behind https, alive"
        ),
        pytest.param(
            "https://box.lan:443",
            "forbidden_host",
            {"TCP": None, "answer": Outcome.FORBIDDEN_HOST.text},
            id="behind https, not",
        ),
        pytest.param(
            "http://a..b:11434",
            "error",
            {"answer": "cannot be probed (its name is not known)"},
            id="no such name",
        ),
        pytest.param("http://localhost:11434", "alive", {"Host": "accepts its own address"}, id="a name that is known"),
    ],
)
def test_a_server_of_the_config(gpu: Machine, url: str, outcome: str, want: dict[str, str | None]) -> None:
    for address in ("127.0.0.1", "::1"):
        gpu.far(address, GOOD)
    server = ServerState(
        "static:x", "x", url, "static", "chosen", "t", "up", outcome, version="0.17.4", models=("m:1",)
    )
    steps = dict(depth.look(gpu.case(), server).steps)
    assert {name: steps.get(name) for name in want} == want
    assert "ping" not in steps
