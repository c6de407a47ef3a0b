"""The three man pages, from what the programs say of themselves and from docs/: one source each."""

import argparse
import datetime as dt
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import roff
from ollama_locate.cli.help import folded
from ollama_locate.cli.main import parser as command_line
from ollama_locate.core.constants import VERSION
from ollama_locate.located.main import parser as daemon_line

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
FILES: Final = DOCS / "files.md"
COMMAND, DAEMON, CONFIG = "ollama-locate", "ollama-located", "ollama-locate.toml"
_ABOUT: Final = {
    COMMAND: "find the best live Ollama of a tailnet",
    DAEMON: "keep the address of the best live Ollama true",
    CONFIG: "the config of ollama-locate and ollama-located",
}
_COPIED: Final = 69
"""Columns that are left for lines that stand as they are: a terminal of 80 shows 78, set in by 7 and 2."""


def pages() -> dict[str, str]:
    """File name -> page."""
    return {
        "ollama-locate.1": _page(COMMAND, 1, "User Commands", _command()),
        "ollama-locate.toml.5": _page(CONFIG, 5, "File Formats", _config()),
        "ollama-located.8": _page(DAEMON, 8, "System Administration", _daemon()),
    }


def _page(name: str, section: int, volume: str, body: list[str]) -> str:
    head = [
        '.\\" Made by packaging/generate.py from what the program says of itself and from docs/.',
        f'.TH {roff.typed(name.upper())} {section} {_date()} "ollama\\-locate {VERSION}" "{volume}"',
        ".ad l",  # words that are typed are neither spread nor divided
        ".nh",
        ".SH NAME",
        f"{roff.typed(name)} \\- {_ABOUT[name]}",
    ]
    others = [f"{roff.code(one)}({number})" for one, number in _NUMBERS if one != name]
    tail = [".SH SEE ALSO", f"{others[0]},", others[1], ".PP", "The files docs/*.md come with the source."]
    lines = [*head, *body, *tail]
    after_title = {number + 1 for number, line in enumerate(lines) if line.startswith((".SH", ".SS"))}
    return "".join(f"{line}\n" for number, line in enumerate(lines) if line != ".PP" or number not in after_title)


_NUMBERS: Final = ((COMMAND, 1), (CONFIG, 5), (DAEMON, 8))


def _date() -> str:
    """The day it was made; SOURCE_DATE_EPOCH says it where the same bytes are to come out again."""
    now = dt.datetime.now(dt.UTC).timestamp()
    return dt.datetime.fromtimestamp(float(os.environ.get("SOURCE_DATE_EPOCH", now)), dt.UTC).date().isoformat()


def _command() -> list[str]:
    top = command_line()
    codes, environment, _ = _exit_codes()
    lines = [
        *(".SH SYNOPSIS", *_synopsis(top), *_call(COMMAND, "\\fICOMMAND\\fR [\\fIARGUMENT\\fR ...]")),
        *(".SH DESCRIPTION", *_description(top)),
        *(".SH OPTIONS", *_options(top)),
        ".SH COMMANDS",
    ]
    said: dict[str | None, str] = {}
    for words, below in _commands(top):
        lines += [f".SS {' '.join(words)}", *_synopsis(below), ".PP", *_description(below)]
        lines += _options(below)
        first = said.setdefault(below.epilog, words[0])
        if below.epilog and first != words[0]:
            lines += [".PP", *roff.paragraph(f"The words are those that `{first}` explains above.")]
        else:
            lines += _epilog(below.epilog or "")
    examples = (top.epilog or "").partition("exit codes:")[0].partition("examples:\n")[2]
    lines += [".SH EXAMPLES", *_epilog(examples)]
    where = FILES.read_text().partition("\n\n|")[0]
    files = [
        *roff.markdown(where),
        ".PP",
        f"{roff.code(DAEMON)}(8) has each of them, and {roff.code(CONFIG)}(5) the config.",
    ]
    return [*lines, ".SH EXIT STATUS", *codes, ".SH ENVIRONMENT", *environment, ".SH FILES", *files]


def _daemon() -> list[str]:
    one = daemon_line()
    codes, environment, signals = _exit_codes()
    return [
        *(".SH SYNOPSIS", *_synopsis(one), ".SH DESCRIPTION", *_description(one), *_epilog(one.epilog or "")),
        *(".SH OPTIONS", *_options(one), ".SH SIGNALS", *signals, ".SH EXIT STATUS", *codes),
        *(".SH ENVIRONMENT", *environment, ".SH FILES", *roff.markdown(FILES.read_text())),
    ]


def _config() -> list[str]:
    text = (DOCS / "config.md").read_text()
    return [".SH DESCRIPTION", *roff.markdown(text)]


def _exit_codes() -> tuple[list[str], list[str], list[str]]:
    """docs/exit-codes.md in three: the codes, the variables, the signals."""
    text = (DOCS / "exit-codes.md").read_text()
    codes, _, rest = text.partition("\n| variable |")
    variables, _, signals = rest.partition("\n\nSignals")
    return (
        roff.markdown(codes),
        roff.markdown(f"| variable |{variables}"),
        roff.markdown(f"Signals{signals}"),
    )


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[list[str], argparse.ArgumentParser]]:
    """Every command, with the words by which it is called, in the help's order."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for line in action._choices_actions:  # noqa: SLF001 - as above
                below = action.choices[line.dest]
                below.description = below.description or f"{(line.help or '')[:1].upper()}{(line.help or '')[1:]}."
                yield below.prog.split()[1:], below
                yield from _commands(below)


def _synopsis(parser: argparse.ArgumentParser) -> list[str]:
    words = []
    for action in _own(parser):
        shown = _tag(action, short=True)
        optional = bool(action.option_strings) and not action.required
        words.append(f"[{shown}]" if optional or action.nargs == "?" else shown)
    verbs = next((one for one in parser._actions if isinstance(one, argparse._SubParsersAction)), None)  # noqa: SLF001 - as above
    if verbs is not None and verbs.required:
        words.append("\\fIVERB\\fR")
    return _call(parser.prog, " ".join(words))


def _call(program: str, words: str) -> list[str]:
    return [".PP", f"{roff.code(program)} {words}".rstrip()]


def _description(parser: argparse.ArgumentParser) -> list[str]:
    return roff.paragraph(parser.description or "")


def _options(parser: argparse.ArgumentParser) -> list[str]:
    formatter = parser._get_formatter()  # noqa: SLF001 - as above
    lines: list[str] = []
    for action in _own(parser):
        text = formatter._expand_help(action) if action.help else ""  # noqa: SLF001 - as above
        lines += roff.entry(_tag(action), roff.paragraph(f"{text[:1].upper()}{text[1:]}."))
    return lines


def _own(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Its arguments and options but `--help`, which all have, and the list of commands."""
    return [
        action
        for action in parser._actions  # noqa: SLF001 - as above
        if not isinstance(action, argparse._SubParsersAction | argparse._HelpAction)  # noqa: SLF001 - as above
    ]


def _tag(action: argparse.Action, *, short: bool = False) -> str:
    value = _value(action)
    if not action.option_strings:
        return value
    names = action.option_strings[-1:] if short else action.option_strings
    return ", ".join(f"{roff.code(one)}{f' {value}' if value else ''}" for one in names)


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.choices is not None and action.metavar is None:
        return "|".join(roff.code(str(one)) for one in action.choices)
    return roff.name(str(action.metavar or action.dest.upper()))


def _epilog(text: str) -> list[str]:
    """What stands below the options: lines that are set in stand as they are, the others are paragraphs."""
    lines: list[str] = []
    for block in re.findall(r"(?:^[ ].*\n?)+|(?:^[^ \n].*\n?)+", text, re.MULTILINE):
        written = block.rstrip("\n").splitlines()
        if block.startswith(" "):
            shown = [part for one in written for part in folded(one[2:], _COPIED).splitlines()]
            lines += roff.literal(shown)
        else:
            lines += [".PP", *roff.paragraph(f"{written[0][:1].upper()}{' '.join(written)[1:]}")]
    return lines
