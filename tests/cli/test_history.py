"""`ollama-locate history`, on a history that the real writer wrote."""

import json
import re
import time
from pathlib import Path

import msgspec
import pytest

from ollama_locate.cli.main import main
from ollama_locate.core.history import Sample, Switch
from ollama_locate.edge.history import NAME, History
from tests.snapshots import GPU, NAS

NOW = time.time()
HOUR = 3600.0
SWITCHES = [
    Switch(NOW - 50 * HOUR, "", "", "gpu", GPU, "fresh", "fastest", "it has the lowest round trip"),
    Switch(NOW - 2 * HOUR, "gpu", GPU, "nas", NAS, "fresh", "only", "gpu refuses: no Ollama there", 0.204),
    Switch(NOW - HOUR, "nas", NAS, "nas", NAS, "stale", "all_lost", "no server answers any more", 41.0),
]
SAMPLES = [
    Sample(NOW - 5 * HOUR, "n2:11434", "gpu", 2.0, 3.0, 20, 20),
    Sample(NOW - HOUR, "n2:11434", "gpu", None, None, 20, 0),
    Sample(NOW - HOUR, "n3:11434", "nas", 40.0, 80.0, 20, 19),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
def written(folder: Path) -> Path:
    assert History(folder).write(SWITCHES, SAMPLES) is None
    return folder


@pytest.mark.usefixtures("written")
def test_each_switch_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history"]) == 0
    lines = [line.split("\t")[1:] for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["(start)", "gpu", "fresh", "-", "it has the lowest round trip"],
        ["gpu", "nas", "fresh", "0.2 s before", "gpu refuses: no Ollama there"],
        ["nas", "nas", "stale", "41 s before", "no server answers any more"],
    ]


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(
    ("words", "count", "note"),
    [
        pytest.param(["--since", "1d"], 2, "", id="of the last day"),
        pytest.param(["-n", "1"], 1, "2 older ones: -n 3 shows them all\n", id="the last one"),
        pytest.param(["--since", "1s"], 1, "", id="none: one line that says so"),
    ],
)
def test_how_many(words: list[str], count: int, note: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", *words]) == 0
    out, err = capsys.readouterr()
    assert (len(out.splitlines()), err) == (count, note)


@pytest.mark.usefixtures("written")
def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "--json", "--since", "3h"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == 1
    first = found["switches"][0]
    assert (first["from"], first["to"]) == ({"name": "gpu", "url": GPU}, {"name": "nas", "url": NAS})
    assert (first["verdict"], first["reason"], first["alive_ago_s"]) == ("fresh", "only", 0.204)
    assert [(one["name"], one["low_ms"], one["asked"], one["answered"]) for one in found["round_trips"]] == [
        ("gpu", None, 20, 0),
        ("nas", 40.0, 20, 19),
    ]


@pytest.mark.usefixtures("folder")
def test_nothing_is_noted_yet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history"]) == 0
    assert "no switch is noted" in capsys.readouterr().out
    assert main(["history", "--plot"]) == 1
    assert "no round trips are noted yet" in capsys.readouterr().err


@pytest.mark.usefixtures("written")
def test_the_plot_lines_up_and_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "--plot"]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("ollama-locate: the last 5 h of the 30d asked for: no round trip is noted before ")
    head, gpu, nas, switches, axis, legend = out.splitlines()
    assert {len(line) for line in (head, gpu, nas)} == {100}
    assert ("▁" in gpu, "x" in gpu, "█" not in gpu, "▇" in nas or "▆" in nas) == (True, True, True, True)
    assert switches.startswith("switches")
    assert switches.count("▲") == 2
    assert axis.strip()
    assert "▁ is 2.0 ms, █ is 80.0 ms" in legend


def test_a_plot_of_all_that_was_asked_for_says_nothing_more(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Noted now, not when this file was read: that may be minutes ago.
    assert History(folder).write([], [msgspec.structs.replace(SAMPLES[0], at=time.time() - 5 * HOUR)]) is None
    assert main(["history", "--plot", "--since", "301m"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("written")
def test_in_a_narrow_window_the_axis_keeps_its_ends_apart(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert main(["history", "--plot"]) == 0
    assert re.search(r" \d\d:\d\d [A-Z]", capsys.readouterr().out.splitlines()[-2])


def test_the_picture_is_a_file(written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "week.svg"
    assert main(["history", "--svg", str(target)]) == 0
    assert main(["history", "--svg", "-"]) == 0
    assert target.read_text().startswith("<svg ")
    assert capsys.readouterr().out.startswith("<svg ")
    assert main(["history", "--svg", str(written / "none" / "week.svg")]) == 1
    assert "week.svg: No such file or directory" in capsys.readouterr().err


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--since", "3x"], "--since must be a duration with a unit"),
        (["--since", "99d"], "--since 99d is out of range: 1s to 30d"),
        (["-n", "0"], "-n must be 1 or more"),
    ],
)
def test_a_mistake_is_one_line(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", *words]) == 1
    err = capsys.readouterr().err
    assert (sentence in err, err.count("\n")) == (True, 1)


def test_a_damaged_one_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / NAME).write_bytes(b"garbage" * 1000)
    assert main(["history"]) == 1
    assert "cannot read" in capsys.readouterr().err
