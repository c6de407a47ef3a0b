"""What must hold of everything that is shown or written, whatever came in."""

import re

from ollama_locate.core import feeds, metrics, on_change, render
from ollama_locate.core.advice import advice
from ollama_locate.core.changes import changes, headline
from ollama_locate.core.feed import Format
from ollama_locate.core.marker import MARKER, OFF, applied, is_ours
from ollama_locate.core.names import may_be_set
from ollama_locate.core.snapshot import Snapshot
from ollama_locate.edge.templates import templates
from tests.properties.test_readers import is_harmless

VALUE = re.compile(r"[A-Za-z0-9:/._\-\[\]]+", re.ASCII)
PAIRS = re.compile(r"[A-Za-z0-9:/._\-\[\]=,]+", re.ASCII)
SERVER = re.compile(r"    server [A-Za-z0-9._\-]+ [A-Za-z0-9:.@_\[\]\-]+( backup)?$", re.ASCII)
PLACES = re.compile("@KEYS@|@PAIRS@")
WORDS = re.compile(r"( '[A-Za-z_][A-Za-z0-9_]*=[A-Za-z0-9:/._\-\[\]]+')*|[A-Za-z0-9_ ]*", re.ASCII)


def harmless(*texts: str) -> None:
    for text in texts:
        assert is_harmless(text), ascii(text)


def each_line_harmless(text: str, *, tabs: bool = False) -> None:
    """Of what a command prints: its own newlines, and the tabs between its columns, are no harm."""
    for line in text.split("\n"):
        harmless(line.replace("\t", " ") if tabs else line)


def published(snapshot: Snapshot) -> None:
    """Every file of it can be sourced and parsed, is read back as it was, and says nothing that harms."""
    raw = render.files(snapshot, templates())
    files = {name: data.decode() for name, data in raw.items()}
    assert re.fullmatch(VALUE.pattern + r"\n", files["endpoint"])
    assert files["verdict"] in ("fresh\n", "stale\n", "none\n")
    _parsed(files["env"])
    for name in ("env.sh", "env.fish"):
        _filled(templates()[name], files[name])
    for line in files["models"].splitlines(keepends=True):
        assert re.fullmatch(VALUE.pattern + r"\t" + VALUE.pattern + r"\n", line)
    assert render.read_snapshot(raw["state.json"]) == snapshot
    harmless(*advice(snapshot), headline(snapshot), *(sentence for _, sentence in changes(None, snapshot)))
    each_line_harmless(metrics.text(snapshot, metrics.Counters(), 1.0).decode())
    for kind in Format:
        fed = feeds.make(kind, snapshot)
        each_line_harmless(fed.data.decode())
        harmless(*fed.left_out)
        if kind is Format.HAPROXY:
            lines = fed.data.decode().split("\n")
            assert sum(bool(SERVER.match(line)) for line in lines) == fed.servers
    told = on_change.environment(None, snapshot.decision).values()
    assert all(not value or VALUE.fullmatch(value) for value in told)


def _filled(template: str, text: str) -> None:
    """The code is the template's, and what was filled in are names and quoted words."""
    for before, after in zip(template.split("\n"), text.split("\n"), strict=True):
        head, *filled = PLACES.split(before)
        assert after.startswith(head)
        for tail in filled:
            assert after.endswith(tail)
            assert WORDS.fullmatch(after[len(head) : len(after) - len(tail)])
        assert filled or after == before


def _parsed(env: str) -> None:
    *lines, last = env.split("\n")
    assert last == ""
    for line in lines:
        name, _, value = line.partition("=")
        assert name == MARKER or may_be_set(name)
        assert (PAIRS if name == MARKER else VALUE).fullmatch(value)


def marked(environment: dict[str, str], wanted: dict[str, str]) -> None:
    """The rule of the marker: what was set by hand stays, and a second time changes nothing."""
    after = applied(environment, wanted)
    assert applied(after, wanted) == after
    marks = [item for item in environment.get(MARKER, "").split(",") if may_be_set(item.partition("=")[0])]
    off = environment.get(OFF, "") not in ("", "0")
    for name, value in environment.items():
        if name != MARKER and not is_ours(name, value, marks):
            assert after[name] == value, name
    for name, value in wanted.items():
        if not off and is_ours(name, environment.get(name, ""), marks):
            assert after[name] == value, name
