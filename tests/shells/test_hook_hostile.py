"""Whatever lies where the env file should be: nothing of it runs, and only what the rule allows is changed.

Each example is a pile of files, read by one process of a real shell, each in a scope of its own; what is to come out
says core/marker.py, which is the same rule in Python.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ollama_locate.core.bounds import HOOK_MAX_BYTES, VARIABLES_MAX
from ollama_locate.core.hook import hook
from ollama_locate.core.marker import MARKER, applied
from ollama_locate.core.names import FORBIDDEN, may_be_set
from ollama_locate.core.shell import dotenv
from ollama_locate.edge.templates import templates

from .shells import SHELLS, Shell, shells
from .terminal import surroundings

URL = "http://100.64.0.2:11434"
LINE = re.compile(rb"([A-Za-z_][A-Za-z0-9_]*)=([A-Za-z0-9:/._\-\[\]]+)")
MARKER_LINE = re.compile(rb"OLLAMA_LOCATE_APPLIED=[A-Za-z0-9:/._\-\[\]=,]*")
NAMES = ("A", "B", "OLLAMA_ENDPOINT", "OLLAMA_LOCATE_NAME", MARKER)

words = st.sampled_from(
    [
        *("A", "B", "OLLAMA_ENDPOINT", "OLLAMA_LOCATE_NAME", MARKER, "OLLAMA_LOCATE_OFF", "__ol_text", "__ol_key"),
        *(name.replace("*", "X") for name in FORBIDDEN),
        *("BASH_ENV", "LD_PRELOAD", "PROMPT_COMMAND", "a-b", "9a", "", " A", "export A", "A+", "A[0]", "é"),
    ]
)
payloads = st.sampled_from(
    [
        *(
            URL,
            "gpu-box",
            "[fd7a::1]",
            "x,y",
            "",
            " ",
            "a b",
            "~",
            "*",
            "?",
            "$A",
            "$$",
            "\\",
            "'",
            '"',
            "'\"",
            "#",
            "!!",
        ),
        *("$(touch pwned)", "`touch pwned`", "(touch pwned)", "${A:=touch pwned}", ";touch pwned", "\rtouch pwned"),
        *("$(^touch pwned)", "<(touch pwned)", "a[$(touch pwned)]", "{touch,pwned}", "\x1b[2J", "\u202e", "é", "A=1"),
    ]
)
lines = st.builds("{}={}{}".format, words, payloads, st.sampled_from(["\n", "\n", "\n", "\n", "\r\n", "", "\n\n"]))
good = st.builds(
    "{}={}\n".format, st.sampled_from(["A", "B", "OLLAMA_LOCATE_NAME"]), st.sampled_from([URL, "[::1]", "x"])
)
texts = st.one_of(
    st.lists(good | lines, max_size=4).map("".join).map(str.encode),
    st.lists(good, max_size=4).map("".join).map(str.encode),
    st.binary(max_size=60),
    st.tuples(st.lists(good, min_size=1).map("".join).map(str.encode), st.binary(max_size=3)).map(b"".join),
)
befores = st.fixed_dictionaries(
    {},
    optional={
        "A": st.sampled_from([URL, "", "mine", "$(touch pwned)", "x,y"]),
        "B": st.sampled_from([URL, "x"]),
        MARKER: st.sampled_from(
            ["", f"A={URL}", f"A={URL},B=x", "A=$(touch pwned),PATH=x", "A=mine,A=x", "A=x,y,=,9=9"]
        ),
    },
)


class Case(NamedTuple):
    """What lies there, and the variables before."""

    text: bytes
    before: dict[str, str]


def wanted(text: bytes) -> dict[str, str] | None:
    """The variables in a file that the daemon could have written; None for any other."""
    rows = text.split(b"\n", VARIABLES_MAX + 2)
    if not text or rows.pop() != b"" or len(rows) > VARIABLES_MAX + 1 or len(text) > HOOK_MAX_BYTES:
        return None
    found: dict[str, str] = {}
    for row in rows:
        line = LINE.fullmatch(row)
        if MARKER_LINE.fullmatch(row):
            continue
        if line is None or not may_be_set(line[1].decode()):
            return None
        found[line[1].decode()] = line[2].decode()
    return found


def after(case: Case) -> dict[str, str]:
    """By the rule, as Python has it."""
    new = wanted(case.text)
    return case.before if new is None else applied(case.before, new)


def normal(environment: Mapping[str, str]) -> dict[str, str]:
    """Empty is unset; of the marker only entries that could be ours count, in any order."""
    found = {name: value for name, value in environment.items() if value and name in NAMES}
    entries = [entry for entry in found.pop(MARKER, "").split(",") if "=" in entry]
    return found | {MARKER: ",".join(sorted(entry for entry in entries if may_be_set(entry.partition("=")[0])))}


def script(shell: Shell, folder: Path, cases: list[Case]) -> str:
    """For each case: its variables, the hook, and what came out, in a scope of its own."""
    parts = [hook(shell.kind, str(folder / "env"), templates()), f"{shell.dump} base"]
    for number, case in enumerate(cases):
        (folder / f"env{number}").write_bytes(case.text)
        body = [*(shell.set(name, value) for name, value in case.before.items()), "__ollama_locate_hook"]
        begin, end = {"nu": ("do {", "}"), "fish": ("begin", "end")}.get(shell.kind, ("(", ")"))
        if shell.kind == "fish":
            # It has no scope for exported variables.
            body = [*(f"set -e {name}" for name in NAMES), "set -g __ollama_locate_left", *body]
        parts += [f"mv env{number} env", begin, *body, f"{shell.dump} out{number}", end]
    return "\n".join(parts) + "\n"


def environment(file: Path) -> dict[str, str]:
    items = file.read_bytes().decode(errors="surrogateescape").split("\0")
    found = dict(item.split("=", 1) for item in items if "=" in item)
    return {name: value for name, value in found.items() if name not in ("_", "SHLVL")}


def run(shell: Shell, folder: Path, cases: list[Case]) -> None:
    """Run them all, and compare."""
    code = folder / "script"
    code.write_text(script(shell, folder, cases))
    flags = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"], "nu": ["-n", "--no-std-lib"]}
    command = [shell.program, *flags[shell.kind], str(code)]
    done = subprocess.run(command, env=surroundings(folder), cwd=folder, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert not list(folder.glob("**/pwned")), "something was executed"
    base = environment(folder / "base")
    for number, case in enumerate(cases):
        found = environment(folder / f"out{number}")
        assert normal(found) == normal(after(case)), case
        rest = found.keys() | base.keys()
        assert not [name for name in rest if name not in NAMES and found.get(name) != base.get(name)], case


@settings(max_examples=3, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(cases=st.lists(st.builds(Case, texts, befores), min_size=50, max_size=50))
def test_nothing_runs_and_only_what_the_rule_allows_is_changed(cases: list[Case]) -> None:
    """In every shell that is here: to think of the files takes ten times as long as to have one shell read them."""
    for shell in SHELLS.values():
        if shutil.which(shell.program):
            with tempfile.TemporaryDirectory(prefix=shell.name) as folder:
                run(shell, Path(folder), cases)


NO_ENV_FILE = {
    "empty": b"",
    "half a line": b"A=http://1.2",
    "a whole line and half a one": b"A=x\nB=y",
    "CRLF": b"A=x\r\nB=y\r\n",
    "a blank line": b"A=x\n\n",
    "a NUL at the end": b"A=x\n\0",
    "a NUL in a value": b"A=x\0y\n",
    "a NUL and more": b"A=x\n\0B=y\n",
    "binary": bytes(range(256)) * 40,
    "no UTF-8": b"A=\xff\xfe\n",
    "10 MB": b"A=x\n" * 2_500_000,
    "10 MB in one line": b"A=" + b"x" * 10_000_000 + b"\n",
    "64 KiB": b"A=" + b"x" * (2**16 - 2) + b"\n",
    "more lines than there can be variables": b"A=x\n" * (VARIABLES_MAX + 2),
    "PATH": b"A=x\nPATH=/tmp\n",
    "LD_PRELOAD": b"A=x\nLD_PRELOAD=/tmp/x.so\n",
    "IFS": b"A=x\nIFS=x\n",
    "BASH_ENV": b"A=x\nBASH_ENV=/tmp/x\n",
    "PROMPT_COMMAND": b"A=x\nPROMPT_COMMAND=reboot\n",
    "a switch of ours": b"A=x\nOLLAMA_LOCATE_OFF=1\n",
    "a name that is local in the hook": b"A=x\n__ol_text=x\n",
    "a command in a value": b"A=$(touch${IFS}pwned)\n",
    "a command in the marker": b"A=x\nOLLAMA_LOCATE_APPLIED=A=`touch pwned`\n",
    "no value": b"A=\n",
    "no name": b"=x\n",
    "export": b"export A=x\n",
    "quotes": b"A='x'\n",
}


@pytest.mark.parametrize("shell", shells())
def test_what_is_no_env_file_changes_nothing(shell: Shell, tmp_path: Path) -> None:
    before = {"B": URL, MARKER: f"B={URL}"}
    cases = {name: Case(text, before) for name, text in NO_ENV_FILE.items()}
    assert not [name for name, case in cases.items() if wanted(case.text) is not None]
    if shell.number and shell.number < (4, 1):
        del cases["10 MB in one line"]  # this bash has no quick way to stop within a line: it takes 5 s
    run(shell, tmp_path, list(cases.values()))


@pytest.mark.parametrize("shell", shells())
def test_as_many_variables_as_there_can_be_and_as_long(shell: Shell, tmp_path: Path) -> None:
    name, value = "N" * 125, "v" * 512
    variables = {f"{name}{number:03}": value for number in range(VARIABLES_MAX)}
    text = dotenv(variables).encode()
    assert len(text) <= HOOK_MAX_BYTES
    code = tmp_path / "script"
    (tmp_path / "env").write_bytes(text)
    code.write_text(hook(shell.kind, str(tmp_path / "env"), templates()) + f"{shell.dump} out\n")
    subprocess.run([shell.program, str(code)], env=surroundings(tmp_path), cwd=tmp_path, check=True)
    assert environment(tmp_path / "out").items() >= variables.items()


@pytest.mark.parametrize("shell", shells())
@pytest.mark.parametrize("kind", ["a folder", "a pipe that nobody writes to"])
def test_what_is_no_file_is_left_alone(shell: Shell, kind: str, tmp_path: Path) -> None:
    if kind == "a folder":
        (tmp_path / "env").mkdir()
    else:
        os.mkfifo(tmp_path / "env")
    code = tmp_path / "script"
    code.write_text(hook(shell.kind, str(tmp_path / "env"), templates()) + f"{shell.dump} out\n")
    command = [shell.program, str(code)]
    done = subprocess.run(
        command, env=surroundings(tmp_path), cwd=tmp_path, check=True, capture_output=True, timeout=20
    )
    assert (done.stdout, done.stderr) == (b"", b"")
    assert "A" not in environment(tmp_path / "out")
