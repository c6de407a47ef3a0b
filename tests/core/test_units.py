"""The service definitions, filled in."""

import plistlib

import pytest

from ollama_locate.core.errors import OperatorError
from ollama_locate.core.units import is_ours, plist, unit

UNIT = "# Written by `ollama-locate service install`\n[Service]\nExecStart={program}\n{environment}\nRestart=always\n"
PLIST = (
    "<plist><dict><key>Program</key><string>{program}</string><key>Log</key><string>{log}</string>"
    "<key>E</key><dict>\n\t\t{environment}\n\t\t<key>A</key><string>b</string></dict></dict></plist>"
)


@pytest.mark.parametrize(
    ("program", "line"),
    [
        pytest.param("/usr/bin/x", 'ExecStart="/usr/bin/x"', id="plain"),
        pytest.param("/a b/x", 'ExecStart="/a b/x"', id="a blank"),
        pytest.param("/100%/x", 'ExecStart="/100%%/x"', id="a specifier"),
        pytest.param('/a"b\\c/x', 'ExecStart="/a\\"b\\\\c/x"', id="quotes"),
    ],
)
def test_a_units_program_is_quoted(program: str, line: str) -> None:
    assert line in unit(UNIT, program, {}).splitlines()


def test_a_units_environment() -> None:
    text = unit(UNIT, "/x", {"XDG_STATE_HOME": "/a b", "XDG_CONFIG_HOME": "/c%"})
    assert 'Environment="XDG_STATE_HOME=/a b"\nEnvironment="XDG_CONFIG_HOME=/c%%"\nRestart=always\n' in text
    assert "environment" not in unit(UNIT, "/x", {})


@pytest.mark.parametrize("path", ["relative", "", "/a\nExecStartPre=/bin/evil", "/a\x00", "/a\x1b[2J"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(OperatorError, match="is no path"):
        unit(UNIT, path, {})
    with pytest.raises(OperatorError, match="is no path"):
        unit(UNIT, "/x", {"XDG_STATE_HOME": path})
    for program, log, state in ((path, "/log", "/s"), ("/x", path, "/s"), ("/x", "/log", path)):
        with pytest.raises(OperatorError, match="is no path"):
            plist(PLIST, program, log, {"XDG_STATE_HOME": state})


def test_a_variable_in_a_programs_path_is_refused() -> None:
    with pytest.raises(OperatorError, match=r"a `\$` in its path"):
        unit(UNIT, "/a$HOME/x", {})


def test_a_job_is_xml_whatever_the_path() -> None:
    job = plistlib.loads(plist(PLIST, "/a & <b>/x", "/l", {"XDG_STATE_HOME": "/c > d"}).encode())
    assert job == {"Program": "/a & <b>/x", "Log": "/l", "E": {"XDG_STATE_HOME": "/c > d", "A": "b"}}


@pytest.mark.parametrize(
    ("text", "ours"),
    [(UNIT, True), ("[Service]\n", False), ("", False), ("#" * 500 + UNIT, False)],
    ids=["ours", "another", "empty", "said somewhere"],
)
def test_whose_it_is(text: str, ours: bool) -> None:  # noqa: FBT001 - a table
    assert is_ours(text) is ours
