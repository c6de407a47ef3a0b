"""The picture of `watch` at several sizes: what must be seen is seen, and nothing runs over the edge."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from ollama_locate.cli.following import Look
from ollama_locate.cli.screen import Picture, draw
from ollama_locate.core.changes import Level
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.snapshot import PinState, Snapshot, rfc3339
from ollama_locate.core.watching import Event
from tests.snapshots import alive, gone, snapshot
from tests.standins.tailscale import node

NOW = time.time()
PEERS = (node("gpu", 2), node("nas", 3), node("pi", 4), *(node(f"box-{n}", n) for n in range(5, 30)))
PROBES = {"n2:11434": alive(0.01, "m:1"), "n3:11434": alive(0.2, "m:1"), "n4:11434": gone(Outcome.REFUSED)}
TRENDS: dict[str, list[float | None]] = {"n2:11434": [1.0, None, 10.0], "n3:11434": [200.0] * 24}
EVENTS = [Event(NOW - 90_000, Level.INFO, "long ago"), *(Event(NOW, Level.WARNING, f"event {n}") for n in range(9))]


def world(few: bool = True) -> Snapshot:  # noqa: FBT001, FBT002 - of a test
    found = snapshot(PROBES, *(PEERS[:3] if few else PEERS))
    return replace(found, decision=replace(found.decision, since=rfc3339(NOW - 7200)))


def picture(what: Snapshot | None, trouble: str = "") -> Picture:
    return Picture(Look(what, 4711, 3.0, trouble), TRENDS, EVENTS, NOW)


def drawn(what: Picture, columns: int, lines: int) -> list[str]:
    return [line.plain for line in draw(what, columns, lines)]


def header(rows: list[str]) -> str:
    return next(row for row in rows if row.startswith("SERVER"))


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        pytest.param(200, "SERVER STANDING RTT ROUND TRIPS PATH MODELS ENDPOINT WHY", id="wide: all"),
        pytest.param(100, "SERVER STANDING RTT ROUND TRIPS PATH MODELS WHY", id="100"),
        pytest.param(80, "SERVER STANDING RTT ROUND TRIPS PATH WHY", id="80"),
        pytest.param(55, "SERVER STANDING RTT ROUND TRIPS PATH", id="55"),
        pytest.param(40, "SERVER STANDING RTT", id="40"),
        pytest.param(12, "SERVER", id="a slit"),
    ],
)
def test_a_narrow_screen_has_fewer_columns(columns: int, names: str) -> None:
    rows = drawn(picture(world()), columns, 30)
    assert " ".join(header(rows).split()) == names
    assert max(map(cell_len, rows)) <= columns


def test_columns_line_up() -> None:
    rows = drawn(picture(world()), 140, 30)
    chosen = next(row for row in rows if row.startswith("gpu "))
    assert header(rows).index("STANDING") == chosen.index("chosen")
    assert header(rows).index("PATH") == chosen.index("direct")
    assert "▁x▄  direct" in chosen, "the newest round trip is at the right"
    assert rows[1] == "http://100.64.0.2:11434"
    assert rows[2] == "gpu, chosen 2 h ago, fresh: it has the lowest round trip"
    assert rows[0].startswith("ollama-locate  daemon 4711, heard 3 s ago")
    assert rows[0].endswith("q quits")
    assert len(rows[0]) == 140


@pytest.mark.parametrize(
    ("lines", "servers", "events"),
    [
        pytest.param(60, 29, 9, id="tall: everybody"),
        pytest.param(40, 22, 9, id="40"),
        pytest.param(24, 10, 6, id="24"),
        pytest.param(10, 3, 2, id="10"),
        pytest.param(6, 1, 0, id="6"),
        pytest.param(3, 0, 0, id="only the choice"),
        pytest.param(1, 0, 0, id="only the title"),
    ],
)
def test_a_short_screen_has_fewer_lines_and_counts_who_is_missing(lines: int, servers: int, events: int) -> None:
    rows = drawn(picture(world(few=False)), 100, lines)
    assert len(rows) <= lines
    shown = [row for row in rows if row.startswith(("gpu ", "nas ", "pi ", "box-", "this machine"))]
    assert len(shown) == servers
    assert sum("  event " in row for row in rows) == events
    if 0 < servers < 29:
        assert f"… and {29 - servers} more" in rows


def test_the_newest_events_are_at_the_end_and_old_ones_have_their_day() -> None:
    rows = drawn(picture(world()), 100, 60)
    assert rows[-1].endswith("  event 8")
    old = next(row for row in rows if "long ago" in row)
    assert old[0].isalpha()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(
            {"standing": "held_down", "held_until": rfc3339(NOW + 43)}, "held back for another 43 s", id="held"
        ),
        pytest.param({"standing": "held_down", "held_until": "soon"}, "held back for another while", id="no time"),
        pytest.param({"reported_until": rfc3339(NOW + 240)}, "the last for another 4 min", id="reported"),
        pytest.param({"busy": True, "answer_ms": 2100.0}, "busy: its answers take 2.1 s", id="busy"),
        pytest.param({"text": "bad\x1b[2J"}, "bad [2J", id="its own sentence, cleaned"),
    ],
)
def test_why(change: dict[str, object], says: str) -> None:
    what = world()
    servers = tuple(replace(one, **change) if one.name == "nas" else one for one in what.servers)
    rows = drawn(picture(replace(what, servers=servers)), 160, 30)
    assert says in next(row for row in rows if row.startswith("nas "))


def test_what_is_held_to_the_chosen_one_is_said_only_while_the_daemon_lives() -> None:
    what = world()
    what = replace(what, decision=replace(what.decision, sentinel="on"))
    assert "a connection is held to it" in "\n".join(drawn(picture(what), 160, 30))
    rows = drawn(picture(what, "no daemon runs"), 160, 30)
    assert "a connection is held" not in "\n".join(rows)
    assert rows[1:4] == ["no daemon runs", "http://100.64.0.2:11434", "gpu, was fresh: it has the lowest round trip"]


def test_what_else_a_person_should_know() -> None:
    what = replace(
        world(),
        problems=("the config is broken",),
        pin=PinState("gpu", "http://100.64.0.2:11434", rfc3339(NOW + 7300), followed=False),
        forward="http://127.0.0.1:11435",
        tailnet=replace(world().tailnet, state="stopped", text="tailscale is turned off"),
    )
    text = "\n".join(drawn(picture(what), 100, 30))
    for sentence in (
        "problem: the config is broken",
        "pinned: gpu, for another 2 h; it is no server that may be asked: not followed",
        "tailnet: tailscale is turned off",
        "forward: http://127.0.0.1:11435",
    ):
        assert sentence in text
    assert "problem: the config is broken" not in "\n".join(drawn(picture(what), 100, 9)), "the servers come first"


def test_without_a_server_or_a_snapshot_there_is_a_sentence() -> None:
    rows = drawn(picture(None, "no daemon runs. Start one: ollama-located"), 60, 20)
    assert rows[1] == "no daemon runs. Start one: ollama-located"
    none = snapshot({})
    rows = drawn(picture(replace(none, servers=())), 60, 20)
    assert rows[1] == "http://localhost:11434"
    assert rows[2].startswith("none: ")
    odd = replace(none, decision=replace(none.decision, since="yesterday"))
    assert drawn(picture(odd), 60, 20)[2].startswith("none: ")


@given(st.integers(1, 220), st.integers(1, 60), st.text(max_size=30), st.booleans())
def test_nothing_runs_over_the_edge(columns: int, lines: int, name: str, few: bool) -> None:  # noqa: FBT001 - of hypothesis
    what = world(few)
    servers = tuple(replace(one, name=name) for one in what.servers)
    rows = drawn(picture(replace(what, servers=servers), "what " * 40), columns, lines)
    assert len(rows) <= lines
    assert all(cell_len(row) <= columns for row in rows)
    assert not any(ord(letter) < 32 for row in rows for letter in row)
