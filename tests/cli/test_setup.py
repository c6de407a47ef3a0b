"""Everything in one go, and back without a trace: real start-up files, a real bash, a stand-in for systemctl."""

import subprocess
from pathlib import Path

import pytest

from ollama_locate.cli.main import main
from ollama_locate.core.speed import Speed
from ollama_locate.edge import tailscale
from ollama_locate.edge.speeds import keep_speeds
from tests.cli.machine import Machine
from tests.standins.programs import Says

SIGN = "  # ollama-locate setup\n"


@pytest.fixture(autouse=True)
def _fresh(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh account: no config, no tailscale, and whatever Ollama runs on the machine of the tests is not seen."""
    machine.config.unlink()
    machine.config.parent.rmdir()
    monkeypatch.setattr("ollama_locate.core.config.OLLAMA_PORT", 1)
    monkeypatch.setattr(tailscale, "_PLACES", ())
    monkeypatch.setenv("PATH", f"{machine.programs.folder}:/usr/bin:/bin")


def tree(*folders: Path) -> dict[str, str]:
    """Every file below, and its content."""
    return {str(path): path.read_text() for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()}


def test_it_is_shown_done_and_taken_back_without_a_trace(
    machine: Machine, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / ".bashrc").write_text("alias ll='ls -l'")  # and no newline at its end
    config = machine.config.parents[1]
    before = tree(home, config)

    assert main(["setup", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert f"install {machine.unit}, and start it" in out
    assert f"add a line to {home}/.bashrc:  [ -r {machine.state}/hook.bash ] && . {machine.state}/hook.bash\n" in out
    assert "OLLAMA_HOST, OLLAMA_API_BASE, OLLAMA_BASE_URL" in out
    assert tree(home, config) == before

    assert main(["setup", "--yes"]) == 0
    assert "Done; `ollama-locate setup --undo` takes it back" in capsys.readouterr().out
    assert (home / ".bashrc").read_text().startswith("alias ll='ls -l'\n[ -r ")
    assert machine.config.read_text().startswith("[variables]")
    words = ["bash", "-ic", "echo $OLLAMA_ENDPOINT $OLLAMA_HOST"]
    shell = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=20)
    assert shell.stdout == "http://localhost:11434 http://localhost:11434\n"

    assert main(["setup", "--undo", "--yes"]) == 0
    assert "Taken back." in capsys.readouterr().out
    assert tree(home, config) == before
    assert not machine.state.exists()
    assert main(["setup", "--undo"]) == 0
    assert "setup has done nothing" in capsys.readouterr().err


def test_twice_is_once(machine: Machine, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["setup", "--yes"])
    machine.knows("ActiveState=active\n")
    before = tree(home, machine.config.parents[1])
    capsys.readouterr()

    assert main(["setup", "--yes"]) == 0

    out = capsys.readouterr().out
    assert "All of it is so already." in out
    assert "bash follows already" in out
    assert f"already chosen in {machine.config}" in out
    assert tree(home, machine.config.parents[1]) == before


def test_parts_can_be_left_out(machine: Machine, home: Path) -> None:
    assert main(["setup", "--yes", "--skip", "variables", "--skip", "service"]) == 0
    assert not machine.config.exists()
    assert not machine.unit.exists()
    assert (home / ".bashrc").read_text().endswith(SIGN)
    assert main(["setup", "--undo", "--yes"]) == 0
    assert not (home / ".bashrc").exists(), "it was not there before"


def test_a_link_into_a_repository_of_dotfiles_stays_one(
    machine: Machine, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (real := home / "dotfiles").mkdir()
    (real / "bashrc").write_text("export EDITOR=nvim\n")
    (real / "bashrc").chmod(0o640)
    (home / ".bashrc").symlink_to("dotfiles/bashrc")

    assert main(["setup", "--yes", "--skip", "service"]) == 0

    assert f"(a link to {real / 'bashrc'})" in capsys.readouterr().out
    assert (home / ".bashrc").is_symlink()
    assert (real / "bashrc").read_text().endswith(SIGN)
    assert (real / "bashrc").stat().st_mode & 0o777 == 0o640
    main(["setup", "--undo", "--yes"])
    assert (real / "bashrc").read_text() == "export EDITOR=nvim\n"
    assert machine.state.exists() is False or not list(machine.state.iterdir())


def test_what_was_changed_since_is_left_as_it_is(
    machine: Machine, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["setup", "--yes"])
    added = (home / ".bashrc").read_text()
    (home / ".bashrc").write_text(added + "alias more=less\n")
    machine.config.write_text(machine.config.read_text().replace("{url}", "{url}/v1"))

    assert main(["setup", "--undo", "--yes"]) == 0

    assert (home / ".bashrc").read_text() == "alias more=less\n"
    assert "{url}/v1" in machine.config.read_text()
    assert "is not there as it was; it is left as it is" in capsys.readouterr().out


def test_a_config_that_would_not_be_valid_without_what_was_added_is_left(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines of the person's own came below our heading."""
    main(["setup", "--yes", "--skip", "shell"])
    mine = machine.config.read_text() + 'MY_URL = "{url}"\n'
    machine.config.write_text(mine)
    assert main(["setup", "--undo", "--yes"]) == 0
    assert machine.config.read_text() == mine
    assert "is left as it is" in capsys.readouterr().out


def test_a_link_to_nowhere_stays_one(machine: Machine, home: Path) -> None:
    (home / ".bashrc").symlink_to("dotfiles/bashrc")
    main(["setup", "--yes", "--skip", "service"])
    assert (home / "dotfiles/bashrc").read_text().endswith(SIGN)
    main(["setup", "--undo", "--yes"])
    assert (home / ".bashrc").is_symlink()
    assert not (home / "dotfiles/bashrc").exists()
    assert machine.state.exists() is False or not list(machine.state.iterdir())


def test_a_file_that_may_not_be_written_is_left(
    machine: Machine, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / ".bashrc").write_text("mine\n")
    (home / ".bashrc").chmod(0o444)
    assert main(["setup", "--yes", "--skip", "service"]) == 1
    out, err = capsys.readouterr()
    assert "may be written: it is left alone" in err
    assert "not done: shell" in err
    assert (home / ".bashrc").read_text() == "mine\n"
    assert machine.config.exists(), "the other part was done"
    assert "Done;" not in out


def test_a_failure_on_the_way_leaves_a_record_of_what_was_done(
    machine: Machine, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.knows("", Says("", "Job failed.", 1))
    assert main(["setup", "--yes"]) == 1
    err = capsys.readouterr().err
    assert "Job failed." in err
    assert "not done: service" in err
    assert machine.config.exists()
    assert (home / ".bashrc").exists()
    assert machine.unit.exists(), "it may start later"
    assert main(["setup", "--undo", "--yes"]) == 0
    assert not machine.config.exists()
    assert not machine.unit.exists()


def test_lingering_is_taken_back_where_it_was_begun(machine: Machine) -> None:
    main(["setup", "--yes", "--linger"])
    main(["setup", "--undo", "--yes"])
    words = [one.split()[1] for one in machine.programs.asked if one.startswith("loginctl")]
    assert words.count("enable-linger") == words.count("disable-linger") == 1


def test_a_variable_set_by_hand_is_named_with_its_line(
    machine: Machine, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / ".bashrc").write_text("# mine\nexport OLLAMA_ENDPOINT=http://100.64.0.9:11434\n")
    main(["setup", "--dry-run"])
    assert f"take this out of {home}/.bashrc:2" in capsys.readouterr().out
    assert not machine.unit.exists()


@pytest.mark.parametrize(
    ("shell", "text"),
    [
        pytest.param("/bin/zsh", "add a line to {home}/.zshrc:  [ -r ", id="zsh"),
        pytest.param("/usr/bin/fish", "/fish/config.fish:  test -r ", id="fish"),
        pytest.param("/usr/bin/nu", "write {data}/nushell/vendor/autoload/ollama-locate.nu", id="nu"),
        pytest.param("/bin/ksh", "ksh is not known here; docs/shells.md", id="another"),
    ],
)
def test_the_line_of_each_shell(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shell: str, text: str
) -> None:
    monkeypatch.setenv("SHELL", shell)
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    main(["setup", "--dry-run", "--skip", "service"])
    assert text.format(home=home, data=home / "data") in capsys.readouterr().out
    assert not list(home.iterdir())


def test_nus_file_is_written_and_removed(machine: Machine, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/nu")
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    path = home / "data/nushell/vendor/autoload/ollama-locate.nu"
    main(["setup", "--yes", "--skip", "service"])
    assert str(machine.state / "env") in path.read_text()
    main(["setup", "--undo", "--yes"])
    assert not path.exists()


def test_without_a_service_manager_the_rest_is_done(
    machine: Machine, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ollama_locate.edge.systemd._BOOTED", Path("/nowhere"))
    assert main(["setup", "--yes"]) == 1
    out, err = capsys.readouterr()
    assert "cannot be installed: neither systemd nor launchd" in out
    assert "not done: service" in err
    assert (home / ".bashrc").exists()
    assert not machine.unit.exists()


def test_undo_asks_as_well(machine: Machine, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["setup", "--yes"])
    assert main(["setup", "--undo"]) == 1
    assert "--yes" in capsys.readouterr().err
    assert main(["setup", "--undo", "--dry-run"]) == 0
    assert "Nothing was done." in capsys.readouterr().out
    assert (home / ".bashrc").exists()
    assert machine.unit.exists()


def test_a_record_that_cannot_be_read_is_named(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.state.mkdir(mode=0o700)
    (machine.state / "setup.json").write_text('{"steps": [{"type": "other"}]}')
    assert main(["setup", "--undo", "--yes"]) == 1
    assert "setup.json: it cannot be read" in capsys.readouterr().err


def test_by_speed_is_offered_once_there_is_something_to_compare(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    def says() -> bool:
        assert main(["setup", "--dry-run"]) == 0
        return f'begin {machine.config} with:\n               rank = "speed"' in capsys.readouterr().out

    assert not says()
    keep_speeds(machine.state, [Speed("n2:1", "a:1", "", 1e9, 0.1, 40.0)])
    assert not says(), "one server is none to compare"
    keep_speeds(machine.state, [Speed("n3:1", "a:1", "", 1e9, 0.1, 40.0)])
    assert says()
    machine.config.parent.mkdir()
    machine.config.write_text('rank = "speed"\n')
    assert not says()
    machine.config.unlink()
    (machine.state / "speeds.json").write_text("[")
    assert not says(), "figures that cannot be read"
