"""The man pages: whole, without a fault that mandoc or groff knows of, and fit to be read at 80 columns."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import roff
from generate import COMPLETIONS, ROOT
from man_pages import _commands, _own, pages
from ollama_locate.cli.help import _TO_COPY
from ollama_locate.cli.main import COMMANDS
from ollama_locate.cli.main import parser as command_line
from ollama_locate.core.config import KEYS
from ollama_locate.located.main import parser as daemon_line

NAMES = ["ollama-locate.1", "ollama-locate.toml.5", "ollama-located.8"]
GROFF = ["groff", "-ww", "-man", "-Tutf8", "-P-cbou"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("man")
    for name, page in pages().items():
        (found / name).write_text(page, "ascii")
    return found


def ran(*words: str | Path) -> str:
    """What the program says, all of it."""
    if shutil.which(str(words[0])) is None:
        pytest.skip(f"{words[0]} is not here")
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env=os.environ | {"MANWIDTH": "80", "LC_ALL": "C.UTF-8"}
    )
    assert done.stderr == ""
    return done.stdout


def test_there_are_three() -> None:
    assert sorted(pages()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_mandoc_finds_no_fault(name: str, folder: Path) -> None:
    assert ran("mandoc", "-T", "lint", "-W", "all", folder / name) == ""


@pytest.mark.parametrize("name", NAMES)
def test_groff_warns_of_nothing(name: str, folder: Path) -> None:
    assert "SEE ALSO" in ran(*GROFF, folder / name)


@pytest.mark.parametrize("name", NAMES)
def test_man_shows_it_in_a_window_of_80_columns(name: str, folder: Path) -> None:
    """What is for copying stays in one piece."""
    shown = ran("man", "-l", folder / name)
    too_long = [line for line in shown.splitlines() if len(line) > 80]
    assert [line for line in too_long if not any(sign in line for sign in _TO_COPY)] == []


def test_every_command_and_option_has_its_place(folder: Path) -> None:
    """Asked of the programs, and looked up in what is between this command's heading and the next one."""
    for name, parser, least in (
        ("ollama-locate.1", command_line(), len(COMMANDS)),
        ("ollama-located.8", daemon_line(), 0),
    ):
        _, *sections = re.split(r"^\.S[SH] ", (folder / name).read_text(), flags=re.MULTILINE)
        texts = dict(section.split("\n", 1) for section in sections)
        every = [(["OPTIONS"], parser), *_commands(parser)]
        assert len(every) > least
        for words, one in every:
            shown = texts[" ".join(words)].replace("\\", "")
            for action in _own(one):
                tag = action.option_strings[0] if action.option_strings else str(action.metavar or "")
                assert re.search(rf"^\.TP\n(f[BI])?{re.escape(tag)}", shown, re.MULTILINE), (words, tag)


def test_every_key_of_the_config_has_an_entry_and_no_other(folder: Path) -> None:
    page = (folder / "ollama-locate.toml.5").read_text().partition(".SH COMMANDS ON A CHANGE")[0]
    entries = [re.sub(r"\\f[BR]|[\[\]]", "", line).split()[0] for line in re.findall(r"\.TP\n(.*)", page)]
    assert sorted(entries) == sorted(KEYS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a `b-c` d-e", "a \\fBb\\-c\\fR d-e", id="what is typed"),
        pytest.param(".so /etc/passwd", "\\&.so /etc/passwd", id="a request"),
        pytest.param("'br", "\\(aqbr", id="the other sign of a request"),
        pytest.param("\\fBx \\n(.z", "\\efBx \\en(.z", id="an escape"),
        pytest.param("± 10 %", "\\[u00B1] 10 %", id="no ASCII"),
        pytest.param("([x](config.md), [y](y.md#z))", "(\\fBollama\\-locate.toml\\fR(5), docs/y.md)", id="links"),
        pytest.param("[`systemd/`](../systemd)", "\\fBsystemd/\\fR", id="a link to a folder"),
        pytest.param("**a** *b* 2 * 3 * 4", "\\fBa\\fR \\fIb\\fR 2 * 3 * 4", id="what is said louder"),
    ],
)
def test_markdown_is_said_in_roff(text: str, shown: str) -> None:
    assert roff.paragraph(text) == [shown]


def test_blocks_of_markdown() -> None:
    text = "# t\n\n## A b\n\none\ntwo\n\n```sh\n.x\n\ny\n```\n\n- p\n  q\n- r\n"
    text += "\n| a | b | |\n|---|---|---|\n| `k` | 1 | v |"
    assert roff.markdown(text) == [
        *(".SH A B", ".PP", "one two", ".PP", ".RS 2", ".nf", "\\&.x", "\\&", "y", ".fi", ".RE"),
        *(".IP \\(bu 2", "p q", ".IP \\(bu 2", "r", ".TP", "\\fBk\\fR    (b: 1)", "v"),
    ]


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the window, the language, the time zone and the seed of Python's hashes are."""
    surroundings = [
        {"COLUMNS": "40", "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1", "FORCE_COLOR": "1"},
        {"COLUMNS": "200", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "2"},
    ]
    found = []
    for number, environment in enumerate(surroundings):
        folder = tmp_path / str(number)
        subprocess.run(
            [sys.executable, ROOT / "packaging" / "generate.py", folder],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | environment | {"SOURCE_DATE_EPOCH": "1700000000"},
        )
        found.append({str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()})
    assert found[0] == found[1]
    assert set(COMPLETIONS.values()) < set(found[0])
    assert "2023-11-14" in found[0]["share/man/man1/ollama-locate.1"]
