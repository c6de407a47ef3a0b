"""The start-up files of real shells, on disk; whether the shells do read what `find` says is asked of them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ollama_locate.checks import shell
from ollama_locate.checks.shell import Facts, judge
from ollama_locate.core.startup import Home, find
from ollama_locate.edge import startup
from tests.checks.machine import Machine, program

LINE = 'f=~/.local/state/ollama-locate/hook.{0}; [ -r "$f" ] && . "$f"'


def write(home: Path, name: str, text: str) -> None:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")


def bash(tmp_path: Path, version: str = "5.3.0(1)") -> str:
    """A bash of a version that is not the one here."""
    return str(program(tmp_path / "bin/bash", f"echo 'GNU bash, version {version}-release (x86_64-pc-linux-gnu)'"))


@pytest.mark.parametrize(
    ("name", "files", "want"),
    [
        pytest.param("bash", {}, ("shell_not_sourced", "~/.bashrc"), id="bash without a file"),
        pytest.param("bash", {".bashrc": LINE.format("bash")}, ("", ""), id="bash"),
        pytest.param("bash", {".bashrc": 'eval "$(ollama-locate hook bash)"'}, ("", ""), id="bash by eval"),
        pytest.param("bash", {".bashrc": ". ~/.local/state/ollama-locate/env.sh"}, ("", ""), id="bash by env.sh"),
        pytest.param("bash", {".bashrc": "#" + LINE.format("bash")}, ("shell_not_sourced", ""), id="a comment"),
        pytest.param(
            "bash",
            {".bash_profile": LINE.format("bash"), ".bashrc": "alias a=b"},
            ("shell_wrong_file", "~/.bash_profile, line 1"),
            id="in the login file only",
        ),
        pytest.param(
            "zsh",
            {".bashrc": LINE.format("bash")},
            ("shell_wrong_file", "~/.bashrc"),
            id="bash's, and the shell is zsh",
        ),
        pytest.param("zsh", {".zshrc": LINE.format("zsh")}, ("", ""), id="zsh"),
        pytest.param(
            "zsh", {".zshrc": LINE.format("bash")}, ("shell_wrong_file", "hook of bash"), id="another shell's hook"
        ),
        pytest.param(
            "zsh", {".zprofile": LINE.format("zsh")}, ("shell_wrong_file", "~/.zprofile"), id="in zsh's login file"
        ),
        pytest.param(
            "fish", {".config/fish/conf.d/ol.fish": "ollama-locate hook fish | source"}, ("", ""), id="fish, conf.d"
        ),
        pytest.param(
            "fish",
            {".config/fish/config.fish": "\n\nset -gx A b"},
            ("shell_not_sourced", "config.fish"),
            id="fish without",
        ),
        pytest.param(
            "nu",
            {".local/share/nushell/vendor/autoload/ollama-locate.nu": "# ollama-locate in nu: the variables follow"},
            ("", ""),
            id="nu",
        ),
        pytest.param("nu", {}, ("shell_not_sourced", "autoload"), id="nu without"),
        pytest.param("tcsh", {}, ("", ""), id="a shell that cannot follow"),
    ],
)
def test_which_file(
    here: Machine, home: Path, tmp_path: Path, name: str, files: dict[str, str], want: tuple[str, str]
) -> None:
    code, says = want
    for path, text in files.items():
        write(home, path, text)
    here.environment["SHELL"] = bash(tmp_path) if name == "bash" else f"/usr/bin/{name}"
    found = shell.run(here.case())
    assert [one.code for one in found] == ([code] if code else [])
    assert not code or says in f"{found[0].text} {found[0].why}"


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_mend_mends_it(here: Machine, home: Path, tmp_path: Path, name: str) -> None:
    here.environment["SHELL"] = bash(tmp_path) if name == "bash" else f"/bin/{name}"
    (finding,) = shell.run(here.case())
    (home / ".config/fish").mkdir(parents=True)
    subprocess.run(["sh", "-c", finding.mend], check=True, env={**os.environ, "HOME": str(home)})
    assert shell.run(here.case()) == []


def test_a_shell_that_follows_already_has_it_from_somewhere(here: Machine, tmp_path: Path) -> None:
    here.environment |= {"SHELL": bash(tmp_path), "OLLAMA_LOCATE_APPLIED": "OLLAMA_ENDPOINT=http://x"}
    assert shell.run(here.case()) == []


@pytest.mark.parametrize(
    ("version", "more", "codes"),
    [
        pytest.param("5.2.37(1)", "", ["shell_prompt_only"], id="5.2"),
        pytest.param("3.2.57(1)", "", ["shell_prompt_only"], id="of macOS"),
        pytest.param("5.3.3(1)", "", [], id="5.3"),
        pytest.param("5.2.37(1)", "source ~/.bash-preexec.sh", [], id="with bash-preexec"),
        pytest.param("of the devil", "", [], id="no version"),
    ],
)
def test_bash_at_the_prompt_only(
    here: Machine, home: Path, tmp_path: Path, version: str, more: str, codes: list[str]
) -> None:
    write(home, ".bashrc", f"{LINE.format('bash')}\n{more}")
    here.environment["SHELL"] = bash(tmp_path, version)
    assert here.codes(shell.run) == codes


def test_the_bash_of_this_machine_says_its_version() -> None:
    path = shutil.which("bash")
    assert path
    assert shell._version(path).count(".") == 2
    assert shell._version("/nowhere/bash") == ""


def test_macos_reads_bashrc_where_the_login_file_says_so() -> None:
    from ollama_locate.core.startup import File, Kind, Line  # noqa: PLC0415 - of this test alone
    from ollama_locate.edge.startup import Scanned  # noqa: PLC0415 - as above

    home = Home("/Users/me", {}, macos=True)
    profile, *_, rc = find("bash", home)
    hook = Scanned(rc, [Line(1, Kind.HOOK, "bash", "")])
    reads = Scanned(profile, [Line(1, Kind.BASHRC, "", "")])
    facts = Facts("bash", home, "/Users/me/s", {"bash": [hook]}, "5.3.0")
    assert [one.code for one in judge(facts)] == ["shell_wrong_file"]
    assert judge(facts._replace(files={"bash": [reads, hook]})) == []
    assert isinstance(rc, File)


def test_the_user_database_names_the_shell_where_the_environment_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert startup.login_shell({"SHELL": "/bin/x"}) == "/bin/x"
    assert startup.login_shell({}).startswith("/")
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert startup.login_shell({}) == ""


def test_files_are_read_and_never_run_and_a_pipe_is_not_waited_for(here: Machine, home: Path, tmp_path: Path) -> None:
    write(home, ".bashrc", f"touch {tmp_path}/pwned")
    os.mkfifo(home / ".bash_profile")
    (home / ".profile").mkdir()
    here.environment["SHELL"] = bash(tmp_path)
    assert here.codes(shell.run) == ["shell_not_sourced"]
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_shells_do_read_what_is_said_of_them(home: Path, name: str) -> None:
    """An interactive shell, as a terminal starts it, reads the `terminal` files and no other."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not here")
    for count, file in enumerate(find(name, Home(str(home), {}))):
        target = file.path.replace("*", "one")
        write(
            home,
            str(Path(target).relative_to(home)),
            "set -gx" * (name == "fish")
            + f"{' ' if name == 'fish' else 'export '}READ_{count}{' ' if name == 'fish' else '='}yes",
        )
    said = subprocess.run(
        [path, "-i", "-c", "env"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb"},
    )
    read = [f"READ_{count}=yes" in said.stdout.splitlines() for count in range(len(find(name, Home(str(home), {}))))]
    assert read == [file.terminal for file in find(name, Home(str(home), {}))]
