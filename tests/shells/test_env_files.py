"""The files that shells source, in the real shells: the rule of the marker, point by point (docs/files.md)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ollama_locate.core import shell
from ollama_locate.edge.templates import templates

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT.parent / "shared" / "shells"
ONE = "http://100.64.0.2:11434"
TWO = "http://100.64.0.3:11434"
MARK = "OLLAMA_LOCATE_APPLIED"


def _shells() -> list[object]:
    """Every shell that can be had here; one that is missing is skipped by its name."""
    wanted = {
        "dash": ["dash"],
        "bash": ["bash", "--norc", "--noprofile"],
        "bash --posix": ["bash", "--posix"],
        "zsh": ["zsh", "-f"],
        "zsh, strict": ["zsh", "-f", "-o", "ksharrays", "-o", "shwordsplit", "-o", "nounset", "-o", "noclobber"],
        "fish": ["fish", "--no-config"],
    }
    wanted |= {name: [str(BUILT / name)] for name in ("bash-3.2", "bash-4.4", "bash-5.0", "bash-5.3")}
    return [
        pytest.param(
            command,
            id=name,
            marks=[] if shutil.which(command[0]) else pytest.mark.skip(reason=f"{command[0]} is not here"),
        )
        for name, command in wanted.items()
    ]


def source(command: list[str], folder: Path, environment: dict[str, str], *published: dict[str, str]) -> dict[str, str]:
    """The environment of a shell after it has sourced each of these, one after the other."""
    fish = "fish" in command[0]
    words = ["true" if fish else "set -eu"]
    for number, variables in enumerate(published):
        file = folder / f"env {number}"
        file.write_text(shell.sourced(templates()["env.fish" if fish else "env.sh"], variables))
        words.append(f"source '{file}'" if fish else f". '{file}'")
    words.append("env")
    base = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(
        [*command, "-c", "\n".join(words)], env=base | environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    lines = [line.partition("=") for line in done.stdout.splitlines()]
    assert not [name for name, _, _ in lines if name.startswith("__o")]
    return {name: value for name, _, value in lines if name in ("A", "B", "C", MARK)}


SCENARIOS = [
    pytest.param({}, [{"A": ONE}], {"A": ONE, MARK: f"A={ONE}"}, id="unset: it is set"),
    pytest.param({"A": ""}, [{"A": ONE}], {"A": ONE, MARK: f"A={ONE}"}, id="empty: it is set"),
    pytest.param({"A": "mine"}, [{"A": ONE}], {"A": "mine", MARK: ""}, id="set by hand: it wins"),
    pytest.param(
        {"A": ONE, MARK: f"A={ONE}"}, [{"A": TWO}], {"A": TWO, MARK: f"A={TWO}"}, id="ours, inherited: it follows"
    ),
    pytest.param(
        {"A": "mine", MARK: f"A={ONE}"},
        [{"A": TWO}],
        {"A": "mine", MARK: f"A={ONE}"},
        id="overridden: the marker keeps its last entry",
    ),
    pytest.param(
        {"A": ONE, MARK: f"A={ONE}"},
        [{"A": TWO}, {"A": ONE}],
        {"A": ONE, MARK: f"A={ONE}"},
        id="two changes, one after the other",
    ),
    pytest.param(
        {"A": ONE, "B": ONE, MARK: f"A={ONE},B={ONE}"},
        [{"B": TWO}],
        {"B": TWO, MARK: f"B={TWO}"},
        id="no longer in the file and still ours: it is unset",
    ),
    pytest.param(
        {"A": "mine", "B": ONE, MARK: f"A={ONE},B={ONE}"},
        [{"B": TWO}],
        {"A": "mine", "B": TWO, MARK: f"A={ONE},B={TWO}"},
        id="no longer in the file and set by hand: it stays",
    ),
    pytest.param(
        {"A": "mine", "B": ONE, MARK: f"A={ONE},B={ONE}", "OLLAMA_LOCATE_OFF": "1"},
        [{"A": TWO, "B": TWO}],
        {"A": "mine"},
        id="turned off: what is ours is unset, the rest is left",
    ),
    pytest.param(
        {"OLLAMA_LOCATE_OFF": "0"}, [{"A": ONE}], {"A": ONE, MARK: f"A={ONE}"}, id="OLLAMA_LOCATE_OFF=0 means on"
    ),
    pytest.param(
        {"OLLAMA_LOCATE_OFF": ""}, [{"A": ONE}], {"A": ONE, MARK: f"A={ONE}"}, id="an empty OLLAMA_LOCATE_OFF means on"
    ),
    pytest.param(
        {}, [{"A": ONE, "B": f"{ONE}/v1", "C": "[fd7a::1]"}], {"A": ONE, "B": f"{ONE}/v1", "C": "[fd7a::1]"}, id="three"
    ),
    pytest.param(
        {"A": "*", "B": "a b", MARK: "A=?,$(touch pwned)=x,B=`id`,,=,9=9,A-=1"},
        [{"A": ONE, "B": ONE}],
        {"A": "*", "B": "a b"},
        id="a hostile marker does nothing",
    ),
    pytest.param(
        {"A": "x,y", MARK: "A=x,y"}, [{"A": ONE}], {"A": "x,y"}, id="a value with a comma is never taken for ours"
    ),
]


@pytest.mark.parametrize("command", _shells())
@pytest.mark.parametrize(("environment", "published", "expected"), SCENARIOS)
def test_the_rule_of_the_marker(
    command: list[str],
    environment: dict[str, str],
    published: list[dict[str, str]],
    expected: dict[str, str],
    tmp_path: Path,
) -> None:
    found = source(command, tmp_path, environment, *published)
    assert {name: found.get(name) for name in expected} == expected
    assert {name for name in ("A", "B", "C") if name in found} == {name for name in expected if name != MARK}
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("command", _shells())
def test_sourced_twice_is_sourced_once(command: list[str], tmp_path: Path) -> None:
    assert source(command, tmp_path, {}, {"A": ONE}, {"A": ONE}) == source(command, tmp_path, {}, {"A": ONE})


def test_the_dotenv_file_is_read_by_sh_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "env").write_text(shell.dotenv({"A": ONE, "B": TWO}))
    done = subprocess.run(
        ["sh", "-c", f"set -a; . '{tmp_path}/env'; env"], env={}, capture_output=True, text=True, check=True
    )
    assert f"A={ONE}" in done.stdout.splitlines()
    assert f"{MARK}=A={ONE},B={TWO}" in done.stdout.splitlines()
