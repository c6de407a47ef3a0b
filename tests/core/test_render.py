"""Every published file's content, and the way back."""

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from ollama_locate.core import render
from ollama_locate.core.snapshot import Snapshot

from .test_snapshot import snap
from .world import Step, away, decide, look, no, ok, settings

URL = "http://100.64.0.2:11434"
PIN = {"name": "gpu", "url": URL, "until": None, "followed": True}
TEMPLATES = {"env.sh": "sh@PAIRS@\n", "env.fish": "fish@PAIRS@\n"}


@pytest.fixture
def found() -> Snapshot:
    return snap(look("gpu", "nas"), ok("gpu", 5, ("a:1",)), ok("nas", 40, ("a:1", "b:1")))


def test_the_files_and_their_order(found: Snapshot) -> None:
    """`verdict` after `endpoint`, so that it never promises more."""
    names = ["env.sh", "env.fish", "env", "models", "endpoint", "verdict", "state.json"]
    assert list(render.files(found, TEMPLATES)) == names
    assert set(render.SOURCED) <= set(names)


def test_the_small_files(found: Snapshot) -> None:
    files = render.files(found, TEMPLATES)
    assert files["endpoint"] == f"{URL}\n".encode()
    assert files["verdict"] == b"fresh\n"
    assert files["models"] == f"a:1\t{URL}\nb:1\thttp://100.64.0.3:11434\n".encode()
    assert files["env"].splitlines()[0] == f"OLLAMA_ENDPOINT={URL}".encode()
    assert f"'OLLAMA_ENDPOINT={URL}'".encode() in files["env.sh"]
    assert f"'OLLAMA_ENDPOINT={URL}'".encode() in files["env.fish"]


def test_an_alias_has_a_line_of_its_own_without_a_tag() -> None:
    chosen = replace(settings(), aliases={"small": ("nope:1", "b:1"), "none": ("nope:1",)})
    what = snap(look("gpu", "nas"), ok("gpu", 5, ("a:1",)), ok("nas", 40, ("b:1",)), chosen=chosen)
    lines = render.files(what, TEMPLATES)["models"].decode().splitlines()
    assert lines == [f"a:1\t{URL}", "b:1\thttp://100.64.0.3:11434", "small\thttp://100.64.0.3:11434"]


@pytest.mark.parametrize(
    ("steps", "endpoint", "verdict"),
    [
        pytest.param([away()], b"http://localhost:11434\n", b"none\n", id="never found one"),
        pytest.param([look("gpu"), ok("gpu"), decide, away()], f"{URL}\n".encode(), b"stale\n", id="lost all"),
        pytest.param([look("gpu"), no("gpu")], b"http://localhost:11434\n", b"none\n", id="nobody answers"),
    ],
)
def test_there_is_always_an_endpoint_and_a_verdict(steps: list[Step], endpoint: bytes, verdict: bytes) -> None:
    files = render.files(snap(*steps), TEMPLATES)
    assert (files["endpoint"], files["verdict"]) == (endpoint, verdict)


def test_state_json_is_one_line_and_reads_back_as_it_was(found: Snapshot) -> None:
    data = render.files(found, TEMPLATES)["state.json"]
    assert data.endswith(b"}\n")
    assert data.count(b"\n") == 1
    assert render.read_snapshot(data) == found


def test_a_reader_of_this_schema_ignores_what_later_programs_add(found: Snapshot) -> None:
    document = msgspec.json.decode(render.files(found, TEMPLATES)["state.json"])
    assert render.read_snapshot(msgspec.json.encode(document | {"new": 1})) == found


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"", "it cannot be read: Input data was truncated", id="empty"),
        pytest.param(b'{"schema":1}', "it cannot be read: Object missing required field", id="no snapshot"),
        pytest.param(b'{"schema":2}', "it has schema 2, this program knows 1: upgrade ollama-locate", id="a later one"),
        pytest.param(b'{"schema":"1"}', "it cannot be read: Expected `int`", id="a schema of another kind"),
        pytest.param(b'{"schema":1,"x":"\xff"}', "it cannot be read", id="no UTF-8"),
        pytest.param(b'{"schema":1,"x":' * 99_999, "it cannot be read", id="nested too deep"),
    ],
)
def test_a_state_that_cannot_be_read_says_why(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match="it ") as caught:
        render.read_snapshot(data)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        pytest.param(("servers", 0, "name"), "a\x1b[2J", "a text without control characters", id="moves the cursor"),
        pytest.param(("servers", 0, "detail"), "\u202etxt", "`$.servers[0].detail`", id="turns text round"),
        pytest.param(("decision", "text"), "fine\n", "`$.decision.text`", id="a line's end at the end"),
        pytest.param(("decision", "endpoint"), "http://$(reboot):1", "is no decision", id="no URL to be sourced"),
        pytest.param(("decision", "verdict"), "sure", "is no decision", id="no verdict"),
        pytest.param(("decision", "since"), "2026-02-30T00:00:00Z", "`2026-02-30T00:00:00Z` is no time", id="no time"),
        pytest.param(("written_at",), "", "`` is no time", id="an empty time"),
        pytest.param(("pin",), PIN | {"until": "soon"}, "`soon` is no time", id="a pin that ends at no time"),
        pytest.param(("variables", "PATH"), "/tmp", "`PATH` is no variable", id="a name that is never set"),
        pytest.param(("variables", "OLLAMA_ENDPOINT"), "a b", "no variable", id="a value that needs quotes"),
        pytest.param(("round",), 2**64, "`$.round`", id="more digits than JSON's writer takes"),
    ],
)
def test_what_no_daemon_publishes_is_not_believed(
    found: Snapshot, place: tuple[str | int, ...], value: object, says: str
) -> None:
    document: Any = json.loads(render.files(found, TEMPLATES)["state.json"])
    part = document
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    with pytest.raises(ValueError, match="it cannot be read: ") as caught:
        render.read_snapshot(json.dumps(document).encode())
    assert says in str(caught.value)
    assert str(caught.value).isprintable()
