"""TAB in real shells: what is offered, and what a hostile tailnet can do with it, which is nothing."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ollama_locate.cli.completion import KINDS, script, valued
from ollama_locate.cli.main import main, parser
from ollama_locate.core.inventory import Model
from tests.cli.command import PEERS, PROBES
from tests.environment import unmeasured
from tests.snapshots import GPU, alive, publish, snapshot
from tests.standins.tailscale import node

from .shells import Shell, shells
from .terminal import Terminal, terminal

PROGRAM = Path(sys.executable).with_name("ollama-locate")
STUB = """#!/bin/sh
[ "$1" = __names ] && exec {names}
for word; do printf '%s\\n' "$word"; done > {said}
"""
LOADED = {
    ("bash", "file"): ". {code}",
    ("bash", "eval"): 'eval "$(cat {code})"',
    ("zsh", "file"): "fpath+=({folder}); autoload -Uz compinit; compinit -u",
    ("zsh", "eval"): 'autoload -Uz compinit; compinit -u; eval "$(cat {code})"',
    ("fish", "file"): "source {code}",
    ("fish", "eval"): "cat {code} | source",
}
CASES = [
    ("wh", ["why"]),
    ("service inst", ["service", "install"]),
    ("service logs --fol", ["service", "logs", "--follow"]),
    ("env --format dot", ["env", "--format", "dotenv"]),
    ("completion z", ["completion", "zsh"]),
    ("pin gp", ["pin", "gpu"]),
    ("pin --fo", ["pin", "--for"]),
    ("why pho", ["why", "phone"]),
    ("doctor gp", ["doctor", "gpu"]),
    ("ensure qwe", ["ensure", "qwen3:8b"]),
    ("ensure qwen3:", ["ensure", "qwen3:8b"]),
    ("ensure qwen3:8b --on na", ["ensure", "qwen3:8b", "--on", "nas"]),
    ("--model only-", ["--model", "only-nas:1b"]),
    ("url --model=only-", ["url", "--model=only-nas:1b"]),
    (f"refresh --failed {GPU[:-3]}", ["refresh", "--failed", GPU]),
    ("--can tool", ["--can", "tools"]),
    ("exec only-once-h", ["exec", "only-once-here"]),
    ("exec -- only-once-h", ["exec", "--", "only-once-here"]),
    ("exec --model qwe", ["exec", "--model", "qwen3:8b"]),
    ("exec --wait 2m -- only-once-h", ["exec", "--wait", "2m", "--", "only-once-here"]),
    ("history --svg only-f", ["history", "--svg", "only-file.svg"]),
]
HOSTILE = (
    *("$(touch pwned)", "`touch pwned`", "h;touch pwned", "h'; touch pwned; '", 'h"$(touch pwned)"', "h\ntouch pwned"),
    *(
        "h|touch pwned",
        "h&touch pwned",
        "h>pwned",
        "*",
        "~root",
        "-rf",
        "--help",
        "h h",
        "h\x1b[2Jh",
        "{a,h}",
        "h\\",
        "(h)",
    ),
    *("$h", "!h", "h#", "=h", "h?", "ħ"),
)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    stocks = {"n2:11434": (Model("mistral:latest", can=("tools",)), Model("qwen3:8b"))}
    publish(folder, snapshot(PROBES, *PEERS, stocks=stocks)).close()
    monkeypatch.setenv("OLLAMA_LOCATE_STATE_DIR", str(folder))
    return folder


class Typist:
    """Types a line, a TAB and return, and says with which words the program was then started."""

    def __init__(self, shell: Terminal, said: Path) -> None:
        self._shell, self._said = shell, said

    def __call__(self, typed: str) -> list[str]:
        self._said.unlink(missing_ok=True)
        self._shell.do(f"ollama-locate {typed}\t")
        return self._said.read_text().splitlines()


@pytest.fixture(params=shells("bash", "zsh", "fish"))
def shell(request: pytest.FixtureRequest) -> Shell:
    found: Shell = request.param
    return found


@pytest.fixture
def names() -> str:
    """What answers for names: the real program."""
    return f'{Path(sys.executable).with_name("ollama-locate")} "$@"'


@pytest.fixture
def how() -> str:
    """How the code comes into the shell."""
    return "file"


@pytest.fixture
def type_(shell: Shell, names: str, how: str, state: Path, tmp_path: Path) -> Iterator[Typist]:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in (
        ("ollama-locate", STUB.format(names=names, said=tmp_path / "said")),
        ("only-once-here", "#!/bin/sh\n"),
    ):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (tmp_path / "only-file.svg").touch()
    code = tmp_path / "functions" / "_ollama-locate"
    code.parent.mkdir()
    code.write_text(script(parser(), shell.kind))
    load = LOADED[shell.kind, how].format(code=code, folder=code.parent)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "OLLAMA_LOCATE_STATE_DIR": str(state)}
    with terminal(shell, tmp_path, environment, load) as one:
        yield Typist(one, tmp_path / "said")


def test_a_word_is_completed(type_: Typist) -> None:
    """One shell types all: to start one takes longer than all of this."""
    assert {typed: type_(typed) for typed, _ in CASES} == dict(CASES)


@pytest.mark.parametrize(("names", "how"), [("cat hostile", "eval")], ids=[""])
def test_what_a_program_prints_is_not_evaluated_by_the_shell(type_: Typist, tmp_path: Path) -> None:
    """Even if the program let such names through."""
    (tmp_path / "hostile").write_text("\n".join(name.replace("\n", ";") for name in (*HOSTILE, "harmless")) + "\n")
    for words in (["pin"], ["why"], ["ensure"], ["--model"], ["refresh", "--failed"]):
        assert type_(" ".join([*words, ""])) == [*words, "harmless"]
    assert not (tmp_path / "pwned").exists()


def named(kind: str, state: Path) -> tuple[int, list[str]]:
    done = subprocess.run(
        [PROGRAM, "__names", kind],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OLLAMA_LOCATE_STATE_DIR": str(state)},
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_the_program_offers_only_names_that_every_shell_takes_as_they_are(state: Path) -> None:
    whole = json.loads((state / "state.json").read_text())
    for number, name in enumerate(HOSTILE):
        whole["servers"].append(whole["servers"][0] | {"name": name, "url": name, "key": str(number)})
        whole["rejected"].append(whole["rejected"][0] | {"name": name})
    (state / "state.json").write_text(json.dumps(whole))
    lines = [name for name in HOSTILE if name.isascii() and "\n" not in name]
    (state / "models").write_text("".join(f"{name}\t{GPU}\n" for name in ("qwen3:8b", *lines)))
    assert named("servers", state) == (0, ["gpu", "local", "nas", "old", "pi"])
    assert named("peers", state) == (0, ["bob", "gpu", "local", "nas", "old", "phone", "pi"])
    assert named("models", state) == (0, ["qwen3:8b"])
    urls = named("urls", state)[1]
    assert len(urls) == 6
    assert all(url.startswith("http://") for url in urls)


def test_an_alias_is_offered_where_one_is_taken_and_abilities_that_are_known(state: Path) -> None:
    stocks = {"n2:11434": (Model("qwen3:8b", can=("tools", "completion", "$(reboot)")),)}
    probes = {"n2:11434": alive(0.01, "qwen3:8b")}
    alias = '[models.alias]\ncoder = ["qwen3:8b"]'
    publish(state, snapshot(probes, node("gpu", 2), config=alias, stocks=stocks)).close()
    assert named("models", state) == (0, ["coder", "qwen3:8b"])
    assert named("installed", state) == (0, ["qwen3:8b"])
    assert named("abilities", state) == (0, ["completion", "tools"])


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda state: (state / "state.json").unlink(), id="no state"),
        pytest.param(lambda state: (state / "state.json").write_text('{"servers": 1}'), id="another shape"),
        pytest.param(lambda state: (state / "state.json").write_text("[" * 100_000), id="no JSON"),
    ],
)
def test_nothing_is_offered_and_nothing_said_where_nothing_can_be_read(
    spoil: Callable[[Path], object], state: Path
) -> None:
    spoil(state)
    assert named("servers", state) == (1, [])
    assert named("models", state)[0] == 0
    assert named("nonsense", state) == (1, [])


def test_a_folder_that_anybody_can_write_is_not_believed(state: Path) -> None:
    state.chmod(0o777)
    assert named("servers", state) == (0, [])


@pytest.mark.parametrize("kind", ["servers", "models"])
def test_names_come_before_a_person_notices(kind: str, state: Path) -> None:
    """In seconds of the processor, as the clock also counts what else runs here; the best of five."""
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [PROGRAM, "__names", kind],
            check=True,
            stdout=subprocess.DEVNULL,
            env=unmeasured() | {"OLLAMA_LOCATE_STATE_DIR": str(state)},
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 0.06


def test_every_value_of_the_command_line_has_a_kind() -> None:
    """A new option names what it takes, and completion knows what that is."""
    assert {str(action.metavar) for action in valued(parser())} <= set(KINDS)


@pytest.mark.parametrize("kind", ["bash", "zsh", "fish"])
def test_the_command_prints_the_code(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", kind]) == 0
    assert capsys.readouterr() == (script(parser(), kind), "")
