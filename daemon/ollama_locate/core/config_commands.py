"""Readers of the config's tables that name commands: `[[on_change]]` and `[[feed]]`."""

from .bounds import COMMAND_DEADLINE, COMMAND_DEADLINE_MAX, COMMAND_DEADLINE_MIN, COMMANDS_MAX, FEEDS_MAX
from .command import Command
from .config_values import AtError, at, bounded, choice, path
from .feed import Feed, Format
from .text import shown

Table = dict[str, object]


def on_change(value: object) -> tuple[Command, ...]:
    """The commands to run, in their order."""
    tables = _tables(value, '[[on_change]] and then run = ["command", "word"]')
    if len(tables) > COMMANDS_MAX:
        raise ValueError(f"at most {COMMANDS_MAX} commands; let one of them run the others")
    for number, table in enumerate(tables, 1):
        _only(number, table, "run", "timeout")
    return tuple(_command(number, table) for number, table in enumerate(tables, 1))


def feeds(value: object) -> tuple[Feed, ...]:
    """The configurations to write, in their order."""
    tables = _tables(value, '[[feed]] and then format = "haproxy", file = "/path"')
    if len(tables) > FEEDS_MAX:
        raise ValueError(f"at most {FEEDS_MAX} feeds")
    found: list[Feed] = []
    for number, table in enumerate(tables, 1):
        _only(number, table, "format", "file", "run", "timeout")
        feed = _feed(number, table)
        if feed.file in (one.file for one in found):
            raise AtError(f"{number}.file", f"{shown(feed.file)} is another feed's as well")
        found.append(feed)
    return tuple(found)


def _feed(number: int, table: Table) -> Feed:
    kind = at(f"{number}.format", choice(*(one.value for one in Format)), table.get("format"))
    file = at(f"{number}.file", path, table.get("file"))
    if file.endswith("/"):
        raise AtError(f"{number}.file", f"must be the path of a file, not of a folder: {shown(repr(file))}")
    if "run" not in table and "timeout" in table:
        raise AtError(f"{number}.timeout", "is for a command, and there is no `run`")
    return Feed(Format(kind), file, _command(number, table) if "run" in table else None)


def _tables(value: object, form: str) -> list[Table]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError(f"must be tables: {form}")
    return value


def _only(number: int, table: Table, *keys: str) -> None:
    for key in table:
        if key not in keys:
            raise AtError(f"{number}.{key}", f"unknown key; there are {', '.join(keys[:-1])} and {keys[-1]}")


def _command(number: int, table: Table) -> Command:
    words = at(f"{number}.run", _words, table.get("run"))
    deadline = bounded(COMMAND_DEADLINE_MIN, COMMAND_DEADLINE_MAX)
    return Command(words, at(f"{number}.timeout", deadline, table.get("timeout", f"{COMMAND_DEADLINE:g}s")))


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        raise ValueError(f'must be a list of words, as no shell reads it: run = ["{shown(value)}"]')
    if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
        raise ValueError('must be a list of words: run = ["notify-send", "another server"]')
    first = value[0]
    if any("\0" in word for word in value) or not first:
        raise ValueError("a word holds a NUL, or the first is empty: that cannot be run")
    if "/" in first and not first.startswith(("/", "~/")):
        raise ValueError(f"must begin with an absolute path or a bare name, not {shown(repr(first))}")
    return tuple(value)
