"""The hooks beside what other programs hook into the same shell: nobody displaces anybody."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .followed import MARK, ONE, TWO, Followed
from .shells import SHELLS, Shell, marks, shells
from .terminal import surroundings, terminal

COUNT = "count=0; other() { count=$((count + 1)); }"


FORMS = {
    "a string": ("PROMPT_COMMAND=other", ""),
    "a string that ends with a semicolon": ("PROMPT_COMMAND='other;'", ""),
    "a string that ends with a comment": ("PROMPT_COMMAND='other # why'", ""),
    "an exported string": ("export PROMPT_COMMAND=other", ""),
    "an array of one": ("PROMPT_COMMAND=(other)", ""),
    "unset, under nounset": ("set -u", "PROMPT_COMMAND+=$'\\nother'"),
    "one that comes later and prepends": ("", 'PROMPT_COMMAND="other;$PROMPT_COMMAND"'),
    "one that comes later and appends": ("", 'PROMPT_COMMAND="$PROMPT_COMMAND;other"'),
}
OF_ARRAYS = {
    "an array": ("PROMPT_COMMAND=(true other)", ""),
    "an array with a hole": ("PROMPT_COMMAND=([3]=other)", ""),
    "one that comes later and adds an element": ("", 'PROMPT_COMMAND+=("other")'),
}
"""bash before 5.1 runs the first element only."""


def prompt_commands() -> list[object]:
    found: list[object] = []
    for shell in SHELLS.values():
        old = () < shell.number < (5, 1)
        for name, lines in (FORMS if old else FORMS | OF_ARRAYS).items():
            if shell.kind == "bash":
                found.append(pytest.param(shell, *lines, id=f"{name}-{shell.name}", marks=marks(shell)))
    return found


@pytest.mark.parametrize(("shell", "before", "after"), prompt_commands())
def test_another_prompt_command_goes_on(shell: Shell, before: str, after: str, tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    followed.publish(A=ONE)
    with terminal(shell, tmp_path, {}, COUNT, before, followed.line, followed.line, after) as typed:
        assert typed.environment()["A"] == ONE
        followed.publish(A=TWO)
        typed.do("")
        assert typed.environment()["A"] == TWO
        first = typed.type("echo counted=$count.")
        second = typed.type("echo counted=$count.")
        assert counted(second) == counted(first) + 1
        assert "\n1\r" in typed.type("declare -p PROMPT_COMMAND | grep -o __ollama_locate_hook | wc -l"), "once"
        typed.do(followed.off)
        assert counted(typed.type("echo counted=$count.")) == counted(second) + 3
        assert b"not found" not in typed.shown


def counted(shown: str) -> int:
    return int(shown.rpartition("counted=")[2].partition(".")[0])


@pytest.mark.parametrize("shell", shells("bash"))
def test_a_shell_that_inherits_the_prompt_command_and_not_the_hook_is_silent(shell: Shell, tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    followed.publish(A=ONE)
    with terminal(shell, tmp_path, {}, "export PROMPT_COMMAND PS0 PS1", followed.line) as typed:
        typed.send(f"{shell.quote(str(typed.command()[0]))} --norc --noprofile")
        assert typed.environment()["A"] == ONE
        assert b"not found" not in typed.shown
        assert b"bad substitution" not in typed.shown


@pytest.mark.parametrize("shell", shells("bash"))
def test_a_prompt_command_that_is_read_only_stays(shell: Shell, tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    followed.publish(A=ONE)
    with terminal(shell, tmp_path, {}, "readonly PROMPT_COMMAND=:", followed.line, "after=yes") as typed:
        assert typed.environment()["A"] == ONE
        assert "yes." in typed.type("echo $after.")
        assert b"readonly" not in typed.shown.replace(b"readonly PROMPT_COMMAND", b"")


@pytest.mark.parametrize("shell", shells("bash"))
def test_ps0_stays(shell: Shell, tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    with terminal(shell, tmp_path, {}, "PS0='<ran>'", followed.line) as typed:
        assert ("<ran>" in typed.type("true")) == (shell.number == () or shell.number >= (4, 4))
        typed.do(followed.off)
        assert "<ran>." in typed.type("echo $PS0.")


@pytest.mark.parametrize("shell", shells("bash"))
@pytest.mark.parametrize("loaded", ["before", "after"])
def test_bash_preexec_is_used(shell: Shell, loaded: str, tmp_path: Path) -> None:
    """A stand-in for its interface: it runs what is in its two arrays, and sets a variable when it is loaded."""
    followed = Followed(shell, tmp_path)
    stand_in = (
        "bash_preexec_imported=defined; "
        'run() { local each; for each in "$@"; do "$each" "a command" || echo refused; done; }'
    )
    lines = (stand_in, followed.line) if loaded == "before" else (followed.line, stand_in)
    with terminal(shell, tmp_path, {}, *lines) as typed:
        followed.publish(A=ONE)
        typed.do("false; run ${preexec_functions[@]}; declare -p preexec_functions PROMPT_COMMAND")
        assert typed.type("false; run ${preexec_functions[@]}; echo got=$A").rpartition("got=")[2].startswith(ONE) or (
            shell.number >= (5, 3)
        )
        assert b"refused\r" not in typed.shown
        followed.publish(A=TWO)
        if loaded == "before":
            assert f"got={TWO}" in typed.type("run ${precmd_functions[@]}; echo got=$A")


@pytest.mark.parametrize("shell", shells("zsh"))
def test_precmd_and_preexec_functions_of_others_go_on(shell: Shell, tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    before = "before() { print bef''ore=$?; }; precmd_functions=(before); preexec() { print com''mand; }"
    with terminal(shell, tmp_path, {}, before, followed.line, followed.line) as typed:
        assert "before=0" in typed.type("true")
        assert "command" in typed.type("true")
        typed.leave(3)
        assert "before=3" in typed.shown.decode()[-300:]
        assert "1 1." in typed.type("echo ${#precmd_functions:#before} ${#preexec_functions}.")


@pytest.mark.parametrize("shell", shells("fish"))
def test_fish_events_of_others_go_on(shell: Shell, tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    before = "function before --on-event fish_prompt; echo bef''ore=$status; end"
    with terminal(shell, tmp_path, {}, before, followed.line, followed.line) as typed:
        assert "before=" in typed.type("true")
        typed.leave(3)
        assert "before=3" in typed.shown.decode()[-300:]
        assert "1." in typed.type("echo (functions --handlers | grep -c 'fish_prompt __ollama_locate_hook').")


@pytest.mark.skipif(not shutil.which("direnv"), reason="direnv is not here")
@pytest.mark.parametrize("shell", shells("bash", "zsh", "fish"))
def test_direnv_gives_an_old_value_back_and_it_is_ours_still(shell: Shell, tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    followed.publish(A=ONE)
    (tmp_path / "project").mkdir()
    (tmp_path / "project/.envrc").write_text("export A=mine\n")
    allow = ["direnv", "allow", str(tmp_path / "project")]
    subprocess.run(allow, env=surroundings(tmp_path), check=True, capture_output=True)
    hook = "direnv hook fish | source" if shell.kind == "fish" else f'eval "$(direnv hook {shell.kind})"'
    with terminal(shell, tmp_path, {}, hook, followed.line) as typed:
        assert typed.environment()["A"] == ONE
        typed.do("cd project")
        typed.do("")
        assert typed.environment()["A"] == "mine"
        followed.publish(A=TWO)
        typed.do("")
        found = typed.environment()
        assert (found["A"], found[MARK]) == ("mine", f"A={ONE}")
        typed.do("cd ..")
        typed.do("")
        found = typed.environment()
        assert (found["A"], found[MARK]) == (TWO, f"A={TWO}")
