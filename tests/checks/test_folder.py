"""The state folder, in the conditions themselves: another owner, modes, a read-only and a full disk."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ollama_locate.checks import folder
from ollama_locate.checks.folder import Facts, judge
from ollama_locate.edge import folders
from tests.checks.machine import Machine
from tests.snapshots import publish, snapshot

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make this condition")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    publish(path, snapshot({})).close()
    return path


@contextlib.contextmanager
def mounted(where: Path, *options: str) -> Iterator[None]:
    if subprocess.run(["mount", *options, str(where)], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        yield
    finally:
        subprocess.run(["umount", str(where)], check=True)


@pytest.mark.usefixtures("state")
def test_all_is_well(here: Machine) -> None:
    assert folder.run(here.case()) == []


def test_one_that_is_not_there_yet_is_well(here: Machine) -> None:
    assert folder.run(here.case()) == []


@ROOT
def test_another_owner(here: Machine, state: Path) -> None:
    os.chown(state, 12345, 12345)
    finding = here.the(folder.run, "folder_owner")
    assert "uid 12345" in finding.text
    assert finding.mend.endswith(str(state))


def test_others_can_write(here: Machine, state: Path) -> None:
    state.chmod(0o777)
    assert here.codes(folder.run) == ["folder_open"], "that its content is not believed is explained by that"


def test_the_mend_of_an_open_folder_mends_it(here: Machine, state: Path) -> None:
    state.chmod(0o777)
    subprocess.run(["sh", "-c", here.the(folder.run, "folder_open").mend], check=True)
    assert here.codes(folder.run) == []


def test_no_folder(here: Machine, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    assert here.codes(folder.run) == ["folder_no_folder"]


@ROOT
def test_a_disk_mounted_for_reading(here: Machine, state: Path) -> None:
    with mounted(state, "-t", "tmpfs", "-o", "ro,mode=0700", "none"):
        finding = here.the(folder.run, "folder_read_only")
    assert "mounted for reading only" in finding.why


@ROOT
def test_an_attribute_that_forbids_it(here: Machine, state: Path) -> None:
    if subprocess.run(["chattr", "+i", state], check=False, capture_output=True).returncode:
        pytest.skip("this file system has no such attribute")
    try:
        finding = here.the(folder.run, "folder_read_only")
    finally:
        subprocess.run(["chattr", "-i", state], check=True)
    assert "attribute" in finding.why


@ROOT
@pytest.mark.parametrize(
    "options",
    [pytest.param("size=64k,mode=0700", id="no bytes"), pytest.param("nr_inodes=1,mode=0700", id="no files")],
)
def test_a_full_disk(here: Machine, state: Path, options: str) -> None:
    with mounted(state, "-t", "tmpfs", "-o", options, "none"):
        assert here.codes(folder.run) == ["folder_full"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_a_folder_that_cannot_be_looked_at(here: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(closed / "state"))
    assert here.codes(folder.run) == ["folder_read_only"]


def test_a_path_that_is_no_path(here: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", "relative")
    assert "absolute path" in here.the(folder.run, "folder_unusable").why
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(tmp_path / "loop"))
    assert here.codes(folder.run) == ["folder_unusable"]


@pytest.mark.parametrize("text", ['{"schema":2}', "{"], ids=["a newer one", "half a file"])
def test_a_state_that_cannot_be_read(here: Machine, state: Path, text: str) -> None:
    (state / "state.json").write_text(text)
    assert str(state / "state.json") in here.the(folder.run, "state_unreadable").why


def test_a_path_is_quoted_in_its_mend() -> None:
    (finding,) = judge(Facts("/a b; rm -rf ~", "me", 0, 0, 0o40777))
    assert finding.mend == "chmod go-w '/a b; rm -rf ~'"


def test_the_system_s_folder_is_read_where_there_is_no_own(
    here: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It belongs to the service's user: what is judged is the user's own, which is not there."""
    system = tmp_path / "system"
    publish(system, snapshot({})).close()
    monkeypatch.setattr(folders, "SYSTEM_STATE", system)
    monkeypatch.delenv("OLLAMA_LOCATE_STATE_DIR")
    assert here.codes(folder.run) == []
    (system / "state.json").write_text("{")
    assert here.codes(folder.run) == ["state_unreadable"]
