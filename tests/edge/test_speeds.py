"""speeds.json: whole or not at all, the owner's only; what is broken is said in one line, and stays."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ollama_locate.core.bounds_models import SPEEDS_MAX_BYTES
from ollama_locate.core.errors import StateFolderError
from ollama_locate.core.speed import Speed
from ollama_locate.edge.speeds import NAME, keep_speeds, read_speeds

ONE = Speed("n2:11434", "mistral:latest", "6577803aa9a0", 1_000.0, 0.3, 40.0, 4.0)
OTHER = Speed("n3:11434", "mistral:latest", "6577803aa9a0", 1_000.0, 0.3, 20.0)
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a/state"


def test_what_is_kept_is_read_and_put_together(folder: Path) -> None:
    assert read_speeds(folder) == ()
    assert keep_speeds(folder, (ONE,)) == (ONE,)
    assert keep_speeds(folder, (OTHER,)) == read_speeds(folder) == (ONE, OTHER)
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_a_folder_that_can_be_written_is_found_before_anything_is_measured(folder: Path) -> None:
    assert keep_speeds(folder, ()) == ()
    assert read_speeds(folder) == ()


Break = Callable[[Path], object]


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        pytest.param(lambda file: file.write_text("{"), "it cannot be read", id="half a file"),
        pytest.param(lambda file: file.write_text('{"schema":9,"speeds":[]}'), "upgrade", id="a later program's"),
        pytest.param(lambda file: file.write_bytes(b" " * (SPEEDS_MAX_BYTES + 1)), "too large", id="too large"),
        pytest.param(lambda file: file.symlink_to("/etc/hosts"), "cannot read", id="a symlink"),
        pytest.param(os.mkfifo, "not a regular file", id="a fifo"),
        pytest.param(lambda file: file.parent.chmod(0o777), "others can write", id="a folder of everybody's"),
        pytest.param(
            lambda file: os.chown(file.parent, 12345, 12345),
            "belongs to uid 12345",
            id="another's folder",
            marks=ROOT_ONLY,
        ),
    ],
)
def test_what_is_broken_is_said_and_stays_as_it_is(folder: Path, broken: Break, sentence: str) -> None:
    folder.mkdir(parents=True, mode=0o700)
    broken(folder / NAME)
    before = [(path.name, path.lstat().st_size) for path in folder.iterdir()]
    with pytest.raises(StateFolderError, match=sentence) as said:
        read_speeds(folder)
    with pytest.raises(StateFolderError, match=sentence):
        keep_speeds(folder, (ONE,))
    assert len(str(said.value).splitlines()) == 1
    assert [(path.name, path.lstat().st_size) for path in folder.iterdir()] == before
