"""The fast path: what it prints, what it leaves to the slow one, what it does not believe."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ollama_locate import query
from ollama_locate.core.bounds import HEARTBEAT_DEAD
from ollama_locate.core.outcome import Outcome
from ollama_locate.main import main
from tests.snapshots import GPU, alive, gone, publish, snapshot
from tests.standins.tailscale import node

Change = Callable[[Path], object]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    config = '[models.alias]\nsmall = ["nope", "mistral"]'
    publish(folder, snapshot({"n2:11434": alive(0.01, "mistral:latest")}, node("gpu", 2), config=config)).close()
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(folder))
    return folder


def test_it_prints_the_endpoint_and_nothing_else(state: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    assert query.answer() == 0
    assert capsys.readouterr() == (GPU + "\n", "")


@pytest.mark.parametrize("words", [[], ["url"]])
@pytest.mark.usefixtures("state")
def test_both_spellings_take_it(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["ollama-locate", *words])
    monkeypatch.setattr("ollama_locate.cli.main.main", lambda _: pytest.fail("the slow path was taken"))
    assert main() == 0
    assert capsys.readouterr().out == GPU + "\n"


def test_stale_is_said_in_one_line(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "verdict").write_text("stale\n")
    assert query.answer() == 0
    out, err = capsys.readouterr()
    assert out == f"{GPU}\n"
    assert err.splitlines()[0] == "ollama-locate: stale: it does not answer now; `ollama-locate why` says more"


def set_age(seconds: float) -> Change:
    return lambda state: os.utime(state / "verdict", (time.time() - seconds,) * 2)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda state: (state / "verdict").write_text("none\n"), id="none found: the slow path has advice"),
        pytest.param(lambda state: (state / "verdict").unlink(), id="no verdict"),
        pytest.param(lambda state: (state / "endpoint").unlink(), id="no endpoint"),
        pytest.param(set_age(HEARTBEAT_DEAD + 1), id="a dead heart"),
        pytest.param(set_age(-HEARTBEAT_DEAD - 1), id="a heart in the future"),
        pytest.param(lambda state: state.chmod(0o770), id="a folder that others can write"),
        pytest.param(lambda state: (state / "endpoint").write_text("http://$(reboot)\n"), id="a URL with a command"),
        pytest.param(lambda state: (state / "endpoint").write_text("http://a\nhttp://b\n"), id="two lines"),
        pytest.param(lambda state: (state / "endpoint").write_text("ftp://a\n"), id="no http"),
        pytest.param(lambda state: (state / "endpoint").write_bytes(b"\xff\xfe"), id="binary"),
        pytest.param(lambda state: (state / "endpoint").write_text(""), id="empty"),
        pytest.param(lambda state: (state / "verdict").write_text("great\n"), id="a verdict of another program"),
        pytest.param(
            lambda state: [(state / "endpoint").unlink(), (state / "endpoint").symlink_to("/etc/hostname")],
            id="a symlink",
        ),
    ],
)
def test_what_cannot_be_relied_on_is_left_to_the_slow_path(
    state: Path, spoil: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(state)
    assert query.answer() is None
    assert capsys.readouterr() == ("", "")


def test_without_a_home_there_is_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "relative")
    assert query.folder() == ""
    assert query.answer() is None


def test_both_know_the_same_dead_heart() -> None:
    assert query.HEARTBEAT_DEAD == HEARTBEAT_DEAD


def test_the_slow_path_takes_the_rest(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(state, snapshot({"n2:11434": gone(Outcome.REFUSED)}, node("gpu", 2))).close()
    monkeypatch.setattr("sys.argv", ["ollama-locate"])
    assert main() == 4
    out, err = capsys.readouterr()
    assert out == "http://localhost:11434\n"
    assert "gpu: nothing listens on port 11434" in err


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        pytest.param("mistral", 0, id="a name without a tag"),
        pytest.param("mistral:latest", 0, id="with one"),
        pytest.param("tral:latest", None, id="the end of one"),
        pytest.param("nope,mistral", 0, id="the first that exists"),
        pytest.param("small", 0, id="an alias"),
        pytest.param("small:latest", None, id="which has no tag"),
        pytest.param("nope", None, id="none: the slow path says which there are"),
        pytest.param("mis*", None, id="a pattern: the slow path"),
        pytest.param("x:[1]b,mistral", None, id="another one"),
        pytest.param("", None, id="nothing"),
        pytest.param("$(touch x)", None, id="no name"),
    ],
)
@pytest.mark.usefixtures("state")
def test_the_server_of_a_model(wanted: str, code: int | None, capsys: pytest.CaptureFixture[str]) -> None:
    assert query.answer_model(wanted) == code
    assert capsys.readouterr() == (GPU + "\n" if code == 0 else "", "")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda state: (state / "models").unlink(), id="no list"),
        pytest.param(lambda state: (state / "models").write_text("mistral:latest\thttp://$(id):1\n"), id="no URL"),
        pytest.param(lambda state: (state / "models").write_text(f"mistral:latest\t{GPU}"), id="half a line"),
        pytest.param(lambda state: (state / "models").write_bytes(b"\xff\0" * 99), id="garbage"),
        pytest.param(lambda state: state.chmod(0o777), id="a folder that others can write"),
        pytest.param(set_age(HEARTBEAT_DEAD + 1), id="a dead heartbeat"),
    ],
)
def test_a_list_that_is_not_believed(state: Path, spoil: Change, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(state)
    assert query.answer_model("mistral") is None
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("words", [["--model", "mistral"], ["url", "--model", "mistral"]])
@pytest.mark.usefixtures("state")
def test_a_model_takes_the_fast_path_too(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["ollama-locate", *words])
    monkeypatch.setattr("ollama_locate.cli.main.main", lambda _: pytest.fail("the slow path was taken"))
    assert main() == 0
    assert capsys.readouterr().out == GPU + "\n"


def test_of_a_stale_server_it_says_so_for_a_model_too(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "verdict").write_text("stale\n")
    assert query.answer_model("mistral") == 0
    assert "stale: it does not answer now" in capsys.readouterr().err
