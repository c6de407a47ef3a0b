"""The shells' code as text: what the shells' own checkers say of it, and what must be the same in all of it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ollama_locate.core.hook import SHELLS, hook, off
from ollama_locate.core.names import FORBIDDEN
from ollama_locate.edge.templates import templates

# SC2016: text in single quotes is for a later evaluation. SC2128: the first element of PROMPT_COMMAND is meant.
# SC2163: the variable holds name and value. The others: in `off` env.sh stands without variables.
EXCEPTIONS = "SC2016,SC2128,SC2163,SC2119,SC2120,SC2195"
TEXTS = {
    "hook.bash": hook("bash", "/state/env", templates()),
    "off.bash": off("bash", templates()),
    "hook.zsh": hook("zsh", "/state/env", templates()),
    "off.zsh": off("zsh", templates()),
    "hook.fish": hook("fish", "/state/env", templates()),
    "off.fish": off("fish", templates()),
}


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not here")


@needs("shellcheck")
@pytest.mark.parametrize("name", ["hook.bash", "off.bash"])
def test_shellcheck_has_nothing_to_say(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(TEXTS[name])
    words = ["shellcheck", "--shell", "bash", "--exclude", EXCEPTIONS, name]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("shell", "name"),
    [
        *(pytest.param("zsh", name, marks=needs("zsh")) for name in ("hook.zsh", "off.zsh")),
        *(pytest.param("fish", name, marks=needs("fish")) for name in ("hook.fish", "off.fish")),
    ],
)
def test_the_shell_can_parse_it(shell: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(TEXTS[name])
    done = subprocess.run([shell, "-n", name], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", SHELLS)
def test_every_forbidden_name_is_in_every_hook_and_nothing_is_left_to_fill_in(shell: str) -> None:
    text = hook(shell, "/state/env", templates())
    for name in FORBIDDEN:
        assert f"|{name.replace('*', '.*' if shell in ('fish', 'nu') else '*')}|" in f"|{between(text)}|"
    assert not [mark for mark in ("@FILE@", "@FORBIDDEN@", "@LIMIT@", "@BYTES@", "@LINES@") if mark in text]


def between(text: str) -> str:
    """The list, which begins with PATH."""
    line = next(line for line in text.splitlines() if "PATH|CDPATH|" in line)
    return line[line.index("PATH|") :].partition(")")[0]
