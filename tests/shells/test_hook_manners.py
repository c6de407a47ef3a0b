"""What the hooks leave alone, what they say, and how they go again."""

import shutil
from pathlib import Path

import pytest

from .followed import MARK, OFF, ONE, TWO, Followed
from .shells import Shell, shells
from .terminal import terminal

STRICT = {
    "bash": "set -eu; set -o pipefail -o noclobber",
    "zsh": "setopt errexit nounset ksharrays shwordsplit noclobber warncreateglobal rcquotes nullglob globsubst",
}
FALSE = {"bash": "! true", "zsh": "! true", "fish": "not true"}


@pytest.mark.parametrize("shell", shells())
def test_a_command_typed_at_an_old_prompt(shell: Shell, tmp_path: Path) -> None:
    """bash up to 5.2 looks at the prompt only; the others look before each command as well."""
    followed = Followed(shell, tmp_path)
    followed.publish(A=ONE)
    with terminal(shell, tmp_path, {}, followed.line) as typed:
        assert typed.environment()["A"] == ONE
        followed.publish(A=TWO)
        assert typed.environment()["A"] == (TWO if shell.refreshes_before_commands else ONE)
        assert typed.environment()["A"] == TWO


@pytest.mark.parametrize("shell", shells("bash", "zsh", "fish"))
def test_printed_and_evaluated_it_is_as_good_as_sourced(shell: Shell, tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    followed.publish(A=ONE)
    form = "cat {} | source" if shell.kind == "fish" else 'eval "$(cat {})"'
    code, removal = tmp_path / "code", tmp_path / "removal"
    shutil.copy(followed.code, code)
    shutil.copy(followed.code.with_name(f"off.{shell.kind}"), removal)
    with terminal(shell, tmp_path, {}, form.format(code)) as typed:
        assert typed.environment()["A"] == ONE
        followed.publish(A=TWO)
        typed.do("")
        assert typed.environment()["A"] == TWO
        typed.do(form.format(removal))
        assert "A" not in typed.environment()
        assert b"rror" not in typed.shown


@pytest.mark.parametrize("shell", shells("bash", "zsh"))
def test_a_strict_shell_lives_and_follows(shell: Shell, tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    with terminal(shell, tmp_path, {}, STRICT[shell.kind], followed.line) as typed:
        typed.do(FALSE[shell.kind])
        followed.publish(A=ONE, B=ONE)
        typed.do(FALSE[shell.kind])
        assert typed.environment()["A"] == ONE
        followed.publish(A=TWO)
        typed.do(FALSE[shell.kind])
        found = typed.environment()
        assert (found["A"], found.get("B"), found[MARK]) == (TWO, None, f"A={TWO}")
        assert b"rror" not in typed.shown
        assert b"__ol" not in typed.shown


@pytest.mark.parametrize("shell", shells("bash", "zsh", "fish"))
def test_the_last_command_s_status_is_kept(shell: Shell, tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    followed.publish(A=ONE)
    last = "$status" if shell.kind == "fish" else "$?"
    with terminal(shell, tmp_path, {}, followed.line) as typed:
        for change in (ONE, TWO):
            followed.publish(A=change)
            typed.leave(7)
            assert "was7\r\n" in typed.type(f"echo was{last}")


@pytest.mark.parametrize("shell", shells())
def test_one_that_is_set_by_hand_from_the_start_is_said_once(shell: Shell, tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    followed.publish(OLLAMA_ENDPOINT=ONE)
    with terminal(shell, tmp_path, {"OLLAMA_ENDPOINT": "http://mine:1"}, followed.line) as typed:
        typed.do("")
        followed.publish(OLLAMA_ENDPOINT=TWO)
        typed.do("")
        typed.nest()
        typed.do("")
        said = typed.shown.decode().count("ollama-locate: OLLAMA_ENDPOINT is set by hand and hides ")
        assert (said, ONE in typed.shown.decode()) == (1, True)
        assert typed.environment()["OLLAMA_ENDPOINT"] == "http://mine:1"


@pytest.mark.parametrize("shell", shells())
@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"OLLAMA_ENDPOINT": ONE}, id="the same value"),
        pytest.param({"OLLAMA_ENDPOINT": TWO, MARK: f"OLLAMA_ENDPOINT={TWO}"}, id="ours, of yesterday"),
        pytest.param({"OLLAMA_ENDPOINT": "mine", "OLLAMA_LOCATE_NOTED": "1"}, id="said in the shell around this one"),
        pytest.param({"OLLAMA_ENDPOINT": "mine", OFF: "1"}, id="turned off"),
        pytest.param({}, id="none"),
    ],
)
def test_nothing_is_said_of(shell: Shell, environment: dict[str, str], tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    followed.publish(OLLAMA_ENDPOINT=ONE)
    with terminal(shell, tmp_path, environment, followed.line) as typed:
        typed.do("")
        assert b"ollama-locate:" not in typed.shown


@pytest.mark.parametrize("shell", shells("bash", "zsh", "fish"))
def test_off_leaves_nothing_behind(shell: Shell, tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    followed.publish(A=ONE, B=ONE)
    names = {"bash": "set; declare -F; echo $PROMPT_COMMAND", "zsh": "typeset; typeset -f", "fish": "set; functions -a"}
    with terminal(shell, tmp_path, {"B": "mine"}, followed.line) as typed:
        assert typed.environment()["A"] == ONE
        typed.do(followed.off)
        followed.publish(A=TWO)
        found = typed.environment()
        assert {name: value for name, value in found.items() if "OLLAMA" in name or name in "AB"} == {"B": "mine"}
        assert "__ol" not in typed.type(names[shell.kind]).replace(followed.off, "")
        assert b"rror" not in typed.shown
        typed.do(followed.line)
        assert typed.environment()["A"] == TWO


@pytest.mark.parametrize("shell", shells("bash", "zsh", "fish"))
def test_off_where_it_never_was_unsets_what_env_sh_had_set(shell: Shell, tmp_path: Path) -> None:
    followed = Followed(shell, tmp_path)
    with terminal(shell, tmp_path, {"A": ONE, "B": "mine", MARK: f"A={ONE},B={ONE}"}) as typed:
        assert "ollama" not in typed.type(followed.off).replace(followed.off, "").lower()
        found = typed.environment()
        assert {name: value for name, value in found.items() if "OLLAMA" in name or name in "AB"} == {"B": "mine"}
