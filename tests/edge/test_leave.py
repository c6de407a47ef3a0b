"""What is taken away of a state folder, and what never."""

import os
from pathlib import Path

import pytest

from ollama_locate.core.errors import StateFolderError
from ollama_locate.edge.leave import remove_state
from tests.snapshots import publish, snapshot


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    publish(tmp_path / "state", snapshot({})).close()
    return tmp_path / "state"


def test_all_of_it_goes_with_the_folder(folder: Path) -> None:
    for name in ("lock", "history.db", "history.db-wal", "pin.json", ".env.new", "hook.bash"):
        (folder / name).touch()
    (folder / "requests").mkdir()
    (folder / "requests/refresh-12-345").touch()
    (folder / "requests/.failed-12-345").touch()
    assert remove_state(folder) == []
    assert not folder.exists()
    assert remove_state(folder) == [], "twice is once"


def test_what_is_not_ours_stays(folder: Path) -> None:
    mine = [folder / name for name in ("mine.txt", ".draft.new")]
    (folder / "requests").mkdir()
    mine.append(folder / "requests/essay.txt")
    for path in mine:
        path.write_text("mine")
    (folder / "models").unlink()
    (folder / "models").mkdir()
    assert remove_state(folder) == [".draft.new", "mine.txt", "models", "requests"]
    assert all(path.read_text() == "mine" for path in mine)
    assert not (folder / "env").exists()


@pytest.mark.parametrize("files", [("env", "lock", "models"), ("state.json",), ("history.db", "README.md")])
def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path, files: tuple[str, ...]) -> None:
    (project := tmp_path / "project").mkdir()
    for name in files:
        (project / name).write_text("mine")
    with pytest.raises(StateFolderError, match="it is left alone"):
        remove_state(project)
    assert sorted(path.name for path in project.iterdir()) == sorted(files)


def test_a_daemon_that_never_came_so_far_leaves_its_lock(tmp_path: Path) -> None:
    (folder := tmp_path / "state").mkdir()
    (folder / "lock").touch()
    assert remove_state(folder) == []
    assert not folder.exists()


def test_through_a_link_the_folder_itself_stays(folder: Path, tmp_path: Path) -> None:
    (link := tmp_path / "link").symlink_to(folder)
    assert remove_state(link) == []
    assert os.listdir(folder) == []  # noqa: PTH208 - names
    assert link.is_symlink()
