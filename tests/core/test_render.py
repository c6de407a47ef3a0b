"""Every published file's content, and the way back."""

from dataclasses import replace

import msgspec
import pytest

from ollama_locate.core import render
from ollama_locate.core.snapshot import Snapshot

from .test_snapshot import snap
from .world import Step, away, decide, look, no, ok, settings

URL = "http://100.64.0.2:11434"
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
