"""A file for another program on a real disk: whole, readable by others, never in the place of what is not ours."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ollama_locate.core.errors import OperatorError
from ollama_locate.core.metrics import FIRST
from ollama_locate.edge import textfile
from ollama_locate.edge.textfile import Target

DATA = f"{FIRST} …\n".encode()


def target(path: Path) -> Target:
    return Target("metrics.textfile", path, 0o644, FIRST.encode(), durable=True)


def write(path: Path, data: bytes, *, held: bool = False) -> bool:
    return textfile.write(target(path), data, held)


def remove(path: Path) -> None:
    textfile.remove(target(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "collector").mkdir()
    return tmp_path / "collector/ollama_locate.prom"


def test_it_is_readable_by_others_whatever_the_umask(path: Path) -> None:
    before = os.umask(0o077)
    try:
        write(path, DATA)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.read_bytes() == DATA
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_it_is_replaced_and_what_a_killed_writer_left_is_no_hindrance(path: Path) -> None:
    write(path, DATA)
    left = path.with_name(f".{path.name}.new")
    assert left.suffix != ".prom", "the collector does not read it"
    left.write_text("half")
    inode = path.stat().st_ino
    write(path, DATA + b"more")
    assert path.read_bytes() == DATA + b"more"
    assert path.stat().st_ino != inode
    assert not left.exists()


def test_the_same_bytes_are_not_written_again(path: Path) -> None:
    assert write(path, DATA)
    inode = path.stat().st_ino
    assert not write(path, DATA)
    assert path.stat().st_ino == inode
    assert write(path, DATA + b"more")


def test_what_is_held_back_comes_only_where_there_is_nothing(path: Path) -> None:
    assert write(path, DATA, held=True)
    assert not write(path, DATA + b"more", held=True)
    assert path.read_bytes() == DATA


def test_a_reader_never_sees_half_of_it(path: Path) -> None:
    write(path, DATA)
    with path.open("rb") as reader:
        write(path, DATA * 1000)
        assert reader.read() == DATA


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        pytest.param(
            lambda path: path.parent.rmdir(), "cannot use the folder .*collector: No such file", id="no folder"
        ),
        pytest.param(lambda path: (path.parent.rmdir(), path.parent.touch()), "Not a directory", id="a file instead"),
        pytest.param(lambda path: path.mkdir(), ".* is a folder; move it away", id="a folder in its place"),
        pytest.param(lambda path: path.write_text("apt_upgrades 3\n"), "is another program's", id="another's metrics"),
        pytest.param(os.mkfifo, "is no regular file", id="a pipe"),
        pytest.param(lambda path: path.symlink_to("/etc/passwd"), "is a symbolic link; move it", id="a symlink"),
        pytest.param(lambda path: path.with_name(f".{path.name}.new").mkdir(), "cannot write", id="a folder beside it"),
    ],
)
def test_what_is_wrong_is_a_sentence(path: Path, spoil: Callable[[Path], object], sentence: str) -> None:
    spoil(path)
    with pytest.raises(OperatorError, match=f"metrics.textfile: .*{sentence}") as error:
        write(path, DATA)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_folder_that_may_not_be_written_is_a_sentence() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        os.seteuid(12345)
        try:
            with pytest.raises(OperatorError, match=r"cannot write .*: Permission denied"):
                write(Path(folder) / "ollama_locate.prom", DATA)
        finally:
            os.seteuid(0)


def test_a_failure_leaves_what_was_there(path: Path) -> None:
    write(path, DATA)
    with pytest.raises(OperatorError, match="File name too long"):
        write(path.with_name("x" * 252 + ".prom"), DATA)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_it_is_taken_away_only_if_it_is_ours(path: Path) -> None:
    remove(path)
    write(path, DATA)
    remove(path)
    assert not path.exists()
    path.write_text("apt_upgrades 3\n")
    remove(path)
    assert path.exists()
    remove(path / "nowhere/a.prom")
