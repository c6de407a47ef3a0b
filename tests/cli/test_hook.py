"""`ollama-locate hook`, and the copies that the daemon leaves in the state folder."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ollama_locate.cli.main import main
from ollama_locate.core import hook
from ollama_locate.edge import folders
from ollama_locate.edge.templates import hooks, templates
from tests.cli.command import Command
from tests.standins import tailscale


@pytest.mark.parametrize("word", ["hook", "init"])
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_it_prints_code_with_the_path_of_the_file(run: Command, tmp_path: Path, word: str, shell: str) -> None:
    code, out, err = run(word, shell)
    assert (code, err) == (0, "")
    assert f"'{tmp_path}/state/env'\n" in out
    assert "@" not in out.replace("[@]", "").replace("[*]@a", "").replace("(@f)", ""), "nothing is left to fill in"


@pytest.mark.parametrize(
    ("path", "code", "sentence"),
    [
        pytest.param("/usr/bin/zsh", 0, "for zsh, as $SHELL is /usr/bin/zsh", id="as $SHELL says"),
        pytest.param("fish", 0, "for fish, as $SHELL is fish", id="without a folder"),
        pytest.param(
            "/bin/tcsh",
            1,
            "say for which shell: `ollama-locate hook bash|zsh|fish|nu` ($SHELL is /bin/tcsh)",
            id="one that has none",
        ),
        pytest.param("", 1, "($SHELL is not set)", id="no $SHELL"),
    ],
)
def test_a_shell_that_is_not_named_is_guessed_and_said(
    run: Command, monkeypatch: pytest.MonkeyPatch, path: str, code: int, sentence: str
) -> None:
    monkeypatch.setenv("SHELL", path)
    found, out, err = run("hook")
    assert (found, sentence in err, err.count("\n")) == (code, True, 1)
    assert out == (run("hook", path.rpartition("/")[2])[1] if code == 0 else "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_off_prints_what_removes_it(run: Command, shell: str) -> None:
    code, out, err = run("hook", shell, "--off")
    assert (code, err, "@ENV@" in out) == (0, "", False)
    assert "OLLAMA_LOCATE_OFF" in out


def test_it_needs_neither_daemon_nor_network_nor_state(home: Path) -> None:
    """The whole program, in an environment with nothing in it."""
    words = ["-c", "import sys; from ollama_locate.main import main; sys.exit(main())", "hook", "bash"]
    done = subprocess.run(
        ["unshare", "-n", sys.executable, *words] if os.geteuid() == 0 else [sys.executable, *words],
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"__ollama_locate_file='{home}/.local/state/ollama-locate/env'" in done.stdout
    assert list(home.iterdir()) == []


def test_for_nu_a_file_is_written_and_removed(run: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / ".local/share/nushell/vendor/autoload/ollama-locate.nu"
    monkeypatch.setattr(sys, "platform", "linux")
    assert run("hook", "nu", "--off") == (0, f"{file} is not there: nothing to remove\n", "")
    code, out, _ = run("hook", "nu")
    assert (code, out.splitlines()[0]) == (0, f"written: {file}")
    assert "def --env __ollama_locate_hook" in file.read_text()
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    code, out, _ = run("hook", "nu", "--off")
    assert (code, out.splitlines()[0], file.exists()) == (0, f"removed: {file}", False)


@pytest.mark.parametrize(
    ("platform", "data", "folder"),
    [
        ("linux", "", "home/.local/share"),
        ("darwin", "", "home/Library/Application Support"),
        ("darwin", "/data", "/data"),
        ("linux", "relative", "home/.local/share"),
    ],
)
def test_where_nu_looks(platform: str, data: str, folder: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("XDG_DATA_HOME", data)
    assert folders.nu_autoload() == home.parent / folder / "nushell/vendor/autoload/ollama-locate.nu"


def test_what_cannot_be_written_for_nu_is_said(run: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "file"))
    (home / "file").touch()
    code, out, err = run("hook", "nu")
    assert (code, out) == (1, "")
    assert err.startswith(f"ollama-locate: cannot write {home}/file/nushell/vendor/autoload/ollama-locate.nu: ")
    assert run("hook", "nu", "--off")[0] == 1
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", "/tmp/\udcff")
    assert "nu reads UTF-8 only" in run("hook", "nu")[2]


@pytest.mark.parametrize(
    ("shell", "path", "quoted"),
    [
        ("bash", "/a b/$x", "'/a b/$x'"),
        ("zsh", "/it's", "'/it'\\''s'"),
        ("fish", "/it's\\", "'/it\\'s\\\\'"),
        ("nu", '/a"\\\n\x7f$b', '"/a\\"\\\\\\u{a}\\u{7f}$b"'),
    ],
)
def test_a_path_is_quoted_as_its_shell_reads_it(shell: str, path: str, quoted: str) -> None:
    assert quoted in hook.hook(shell, path, templates())


def test_the_daemon_leaves_copies_and_writes_them_again_only_if_they_differ(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = home / ".config/ollama-locate/config.toml"
    config.parent.mkdir(parents=True)
    stopped = tailscale.executable(tmp_path / "tailscale", 'echo \'{"BackendState":"Stopped"}\'')
    config.write_text(f'tailscale = "{stopped}"\nports = [1]\n')
    state = home / ".local/state/ollama-locate"

    def once() -> dict[str, tuple[int, bytes]]:
        program = "import sys; from ollama_locate.located.main import main; sys.exit(main(['--once']))"
        done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
        assert done.returncode == 4
        return {path.name: (path.stat().st_ino, path.read_bytes()) for path in state.glob("hook.*")}

    first = once()
    assert {name: data for name, (_, data) in first.items()} == hooks(state)
    assert {stat.S_IMODE((state / name).stat().st_mode) for name in first} == {0o600}
    assert once() == first
    (state / "hook.zsh").write_text("of an older version")
    again = once()
    assert {name for name in first if again[name] != first[name]} == {"hook.zsh"}
    assert again["hook.zsh"][1] == first["hook.zsh"][1]
    assert main(["hook", "bash"]) == 0
    assert capsys.readouterr().out.endswith(first["hook.bash"][1].decode())
