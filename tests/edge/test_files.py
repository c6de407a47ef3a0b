"""The state folder on a real disk: whole files or none, and only in a folder that nobody else can write."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ollama_locate.core.errors import ConfigError, StateFolderError
from ollama_locate.edge import files
from ollama_locate.edge.files import StateFolder

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")

Change = Callable[[Path], object]


def give_away(path: Path) -> bool:
    os.chown(path, 12345, 12345)
    return True


def fifo(path: Path) -> bool:
    os.mkfifo(path)
    return True


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "a" / "state")


def names(folder: StateFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir())


def test_a_missing_folder_is_made_for_its_owner_only(folder: StateFolder) -> None:
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.publish({"env": b"A=1\n"})
    assert (folder.path / "env").stat().st_mode & 0o777 == 0o600


def test_who_may_enter_the_folder_may_read_the_files(folder: StateFolder) -> None:
    """The system service's folder, as its unit makes it."""
    folder.path.chmod(0o750)
    folder.publish({"env": b"A=1\n"})
    assert (folder.path / "env").stat().st_mode & 0o777 == 0o640
    assert StateFolder(folder.path).publish({"env": b"A=1\n"}) == [], "another run finds it as it would write it"


def test_the_system_services_folder_is_its_own_users() -> None:
    info = os.stat_result((0o40750, 0, 0, 2, 999, 999, 0, 0, 0, 0))
    files.check_owner(Path("/var/lib/ollama-locate"), info)
    with pytest.raises(StateFolderError, match="belongs to uid 999"):
        files.check_owner(Path("/home/me/.local/state/ollama-locate"), info)


def test_only_what_changed_is_written(folder: StateFolder) -> None:
    assert folder.publish({"env": b"1", "endpoint": b"2"}) == ["env", "endpoint"]
    assert folder.publish({"env": b"1", "endpoint": b"3"}) == ["endpoint"]
    (folder.path / "env").unlink()
    assert folder.publish({"env": b"1", "endpoint": b"3"}) == ["env"], "what somebody removed comes back"
    assert names(folder) == ["endpoint", "env"]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(lambda path: path.write_text(""), "is not a folder", id="a file"),
        pytest.param(lambda path: path.symlink_to("/nowhere"), "is not a folder", id="a symlink to nowhere"),
        pytest.param(lambda path: (path.mkdir(), path.chmod(0o770)), "others can write", id="group-writable"),
        pytest.param(lambda path: (path.mkdir(), path.chmod(0o703)), "others can write", id="world-writable"),
        pytest.param(
            lambda path: [path.mkdir(), give_away(path)],
            "belongs to uid 12345",
            id="of another owner",
            marks=ROOT_ONLY,
        ),
    ],
)
def test_a_folder_that_cannot_be_trusted_is_refused(tmp_path: Path, make: Change, sentence: str) -> None:
    path = tmp_path / "state"
    make(path)
    with pytest.raises(StateFolderError, match=sentence) as error:
        StateFolder(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_symlink_to_a_good_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "state").symlink_to(tmp_path / "real")
    StateFolder(tmp_path / "state").publish({"env": b"1"})
    assert (tmp_path / "real" / "env").read_bytes() == b"1"


@pytest.mark.parametrize("kind", ["symlink", "folder", "fifo"])
def test_a_target_that_is_no_regular_file_is_refused_and_nothing_is_written(folder: StateFolder, kind: str) -> None:
    target = folder.path / "env"
    victim = folder.path.parent / "victim"
    victim.write_text("mine")
    if kind == "symlink":
        target.symlink_to(victim)
    elif kind == "folder":
        target.mkdir()
    else:
        fifo(target)
    with pytest.raises(StateFolderError, match="env is not a regular file; remove it"):
        folder.publish({"endpoint": b"new", "env": b"new"})
    assert names(folder) == ["env"]
    assert victim.read_text() == "mine"


def test_a_full_disk_leaves_the_old_set_whole(folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.publish({"env": b"old", "endpoint": b"old"})
    real = os.fsync

    def full(fd: int) -> None:
        if os.fstat(fd).st_size == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(fd)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateFolderError, match="No space left on device; the old files stay"):
        folder.publish({"env": b"new", "endpoint": b"long"}, durable=["env", "endpoint"])
    assert {name: (folder.path / name).read_bytes() for name in names(folder)} == {"env": b"old", "endpoint": b"old"}
    monkeypatch.undo()
    folder.publish({"env": b"new", "endpoint": b"long"}, durable=["env"])
    assert (folder.path / "endpoint").read_bytes() == b"long"


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="a small file system needs root on Linux")
def test_a_really_full_disk(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir(mode=0o700)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "none", small], check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        folder = StateFolder(small)
        folder.publish({"env": b"old"})
        with pytest.raises(StateFolderError, match="No space left"):
            folder.publish({"env": b"new", "state.json": b"x" * 200_000})
        assert (small / "env").read_bytes() == b"old"
        assert names(folder) == ["env"]
        folder.close()
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_a_sentence(folder: StateFolder) -> None:
    folder.path.chmod(0o500)
    with pytest.raises(StateFolderError, match="cannot write in"):
        folder.publish({"env": b"1"})


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / ".env.new").write_text("half")
    (state / ".hidden").write_text("not ours")
    folder = StateFolder(state)
    assert names(folder) == [".env.new", ".hidden"], "not before it holds the lock: it may be another daemon's"
    folder.clean()
    assert names(folder) == [".hidden"]


WRITER = """
import sys
from pathlib import Path
from ollama_locate.edge.files import StateFolder
folder = StateFolder(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    for letter in b"ab":
        folder.publish({"env": bytes([letter]) * 100_000, "endpoint": bytes([letter]) * 10}, durable=["endpoint"])
"""


def test_kill_9_at_any_moment_leaves_whole_files(tmp_path: Path) -> None:
    """A reader in a loop never sees a torn or an empty file."""
    state = tmp_path / "state"
    reads = 0
    for kill_after in (0.01, 0.03, 0.05, 0.07, 0.09, 0.11):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, state], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        ends = time.monotonic() + kill_after
        while time.monotonic() < ends or not (state / "endpoint").exists():
            for name, size in (("env", 100_000), ("endpoint", 10)):
                data = files.read(state, name, 200_000)
                assert data is None or (len(data) == size and len(set(data)) == 1)
                reads += data is not None
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        data = files.read(state, "env", 200_000)
        assert data is not None
        assert len(data) == 100_000
    assert reads > 20


def test_touch_is_a_heartbeat_and_a_missing_file_is_none(folder: StateFolder) -> None:
    folder.touch("verdict")
    folder.publish({"verdict": b"fresh\n"})
    os.utime(folder.path / "verdict", (1, 1))
    folder.touch("verdict")
    assert time.time() - (folder.path / "verdict").stat().st_mtime < 5


# --- the reader


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        pytest.param(lambda path: path.chmod(0o720), "others can write", id="group-writable"),
        pytest.param(give_away, "belongs to uid 12345", id="of a stranger", marks=ROOT_ONLY),
        pytest.param(
            lambda path: ((path / "env").unlink(), (path / "env").symlink_to("/etc/passwd")),
            "cannot read",
            id="symlink",
        ),
        pytest.param(lambda path: [(path / "env").unlink(), fifo(path / "env")], "not a regular", id="a fifo"),
        pytest.param(lambda path: (path / "env").write_bytes(b"x" * 101), "too large", id="too large"),
        pytest.param(lambda path: ((path / "env").unlink(), (path / "env").mkdir()), "cannot read", id="a folder"),
    ],
)
def test_a_reader_believes_only_what_its_owner_wrote(folder: StateFolder, spoil: Change, sentence: str) -> None:
    folder.publish({"env": b"A=1\n"})
    assert files.read(folder.path, "env", 100) == b"A=1\n"
    spoil(folder.path)
    with pytest.raises(StateFolderError, match=sentence):
        files.read(folder.path, "env", 100)


def test_a_missing_folder_or_file_is_nothing(tmp_path: Path, folder: StateFolder) -> None:
    assert files.read(tmp_path / "none", "env", 100) is None
    assert files.read(folder.path, "env", 100) is None


def test_the_config_is_read_within_bounds(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert files.read_config(path) == b""
    path.write_bytes(b"a" * (2**20 + 1))
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        files.read_config(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match="Is a directory"):
        files.read_config(path)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        pytest.param(give_away, "belongs to uid 12345", id="another user's", marks=ROOT_ONLY),
        pytest.param(lambda path: path.chmod(0o646), "everybody can write", id="everybody can write it"),
    ],
)
def test_a_config_that_others_can_write_is_not_believed(tmp_path: Path, spoil: Change, sentence: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text('allow = ["bob"]')
    assert files.read_config(path)
    spoil(path)
    with pytest.raises(ConfigError, match=sentence):
        files.read_config(path)
