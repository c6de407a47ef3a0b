"""The picture of `ollama-locate watch`: from what is known and the size of the screen to lines of text."""

import datetime as dt
import textwrap
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from ollama_locate.core import plot
from ollama_locate.core.bounds import WATCH_TREND
from ollama_locate.core.changes import Level
from ollama_locate.core.snapshot import ServerState, Snapshot, epoch
from ollama_locate.core.text import shown
from ollama_locate.core.watching import Event

from .following import Look
from .show import STYLES, ago, tailnets
from .status import row

_GAP: Final = 2
_ROOMY: Final = 18
"""Lines from which on there are empty ones between the parts."""

_FOLDED: Final = 3
_NAME_MAX: Final = 24
_SHORT: Final = 12
"""Below so many lines no sentence has more than one."""

_SERVERS_LEAST: Final = 4
_BESIDES: Final = 3
"""Lines that the table and the events take besides the servers, at the least."""

_COLUMNS: Final = ("SERVER", "STANDING", "RTT", "ROUND TRIPS", "PATH", "MODELS", "ENDPOINT", "WHY")
_WANTED: Final = ("SERVER", "STANDING", "RTT", "ROUND TRIPS", "PATH", "WHY", "MODELS", "ENDPOINT")
"""The same, what is missed most first: a narrow screen has those that fit."""

_LEAST: Final = {"ROUND TRIPS": 11, "WHY": 24}
_MOST: Final = {"ROUND TRIPS": WATCH_TREND, "WHY": 200}
_EVENT_STYLES: Final = {Level.WARNING: "yellow"}


class Picture(NamedTuple):
    """All that is drawn; `now` in epoch seconds, `trends` in milliseconds."""

    look: Look
    trends: Mapping[str, Sequence[float | None]]
    events: Sequence[Event]
    now: float


def draw(picture: Picture, columns: int, lines: int) -> list[Text]:
    """At most `lines` lines, none wider than `columns`."""
    snapshot = picture.look.snapshot
    folds = _FOLDED if lines >= _SHORT else 1
    head = _head(picture, columns, folds)
    roomy = lines >= _ROOMY
    if snapshot is None:
        return _cropped(head + _events(picture, lines - len(head)), columns, lines)
    servers = [one for one in snapshot.servers if one.kind != "self_check"]
    spare = lines - len(head) - min(_SERVERS_LEAST, len(servers)) - _BESIDES
    more = _more(snapshot, picture.now, columns)
    head += more[: max(0, spare - (3 if roomy else 0))]
    between = [Text()] if roomy else []
    room = lines - len(head) - 2 * len(between)
    for_events = min(len(picture.events), max(1, room // 3)) if room > _SERVERS_LEAST else 0
    table = _table(picture, servers, columns, room - for_events)
    events = _events(picture, room - len(table))
    return _cropped([*head, *between, *table, *between, *events], columns, lines)


# --- what is above the servers


def _head(picture: Picture, width: int, folds: int) -> list[Text]:
    look = picture.look
    age = f"heard {ago(look.age)} ago" if look.age is not None else ""
    pid = f"daemon {look.pid}" if look.pid is not None else ""
    says = ", ".join(part for part in (pid, age) if part)
    found = [_ends(Text("ollama-locate", "bold"), Text(says, "dim"), Text("q quits", "dim"), width)]
    if look.trouble:
        found += _folded(look.trouble, width, "bold yellow", folds)
    if look.snapshot is None:
        return found
    decision = look.snapshot.decision
    style = STYLES.get(decision.verdict, "") if not look.trouble else "yellow"
    found.append(Text(shown(decision.endpoint), style))
    # What is not reported any more may not be so any more.
    now = f"was {decision.verdict}" if look.trouble else decision.verdict
    chosen = decision.name + ("" if look.trouble else _for(decision.since, picture.now))
    who = f"{chosen}, {now}: " if decision.server else f"{now}: "
    return found + _folded(who + decision.text, width, "", folds)


def _ends(left: Text, middle: Text, right: Text, width: int) -> Text:
    """Three texts on a line; the middle one goes where there is no room for it."""
    texts = [left, middle, right] if sum(one.cell_len for one in (left, middle, right)) + 4 <= width else [left, right]
    space = width - sum(one.cell_len for one in texts)
    line = Text().append_text(left)
    for place, one in enumerate(texts[1:], 1):
        gap = min(_GAP, space) if place < len(texts) - 1 else max(1, space)
        space -= gap
        line.append(" " * gap).append_text(one)
    return line


def _more(snapshot: Snapshot, now: float, width: int) -> list[Text]:
    """What is said where there is room, the most important first."""
    found = [line for problem in snapshot.problems for line in _folded(f"problem: {problem}", width, "yellow")]
    if (pin := snapshot.pin) is not None:
        lasts = f", for another {_left(pin.until, now)}" if pin.until else ""
        lost = "" if pin.followed else "; it is no server that may be asked: not followed"
        found += _folded(f"pinned: {pin.name}{lasts}{lost}", width, "")
    several = tailnets(snapshot)
    running = all(one.state == "running" for one in snapshot.every_tailnet)
    plain = running and len(several) == 1
    says = "; ".join(f"{name} {text}" if plain else f"{name}: {text}" for name, text in several)
    left = len(snapshot.rejected)
    says += f"; {left} left alone" if left else ""
    found += _folded(says, width, "" if running else "yellow")
    if snapshot.forward:
        found += _folded(f"forward: {snapshot.forward}", width, "")
    return found


# --- the servers


def _table(picture: Picture, servers: Sequence[ServerState], width: int, room: int) -> list[Text]:
    """A header and as many servers as there is room for; the last line counts the others."""
    if room <= 0 or not servers:
        return []
    fits = room - 1
    some = servers if len(servers) <= fits else servers[: max(0, fits - 1)]
    common = plot.scale_of(one for several in picture.trends.values() for one in several)
    rows = [_cells(one, picture, common) for one in some]
    widths = _widths(rows, width)
    found = [_line([Text(name, "bold") for name in widths], widths)]
    found += [_line([cells[name] for name in widths], widths) for cells in rows]
    if len(some) < len(servers) and len(found) < room:
        found.append(Text(f"… and {len(servers) - len(some)} more", "dim"))
    return found


def _cells(server: ServerState, picture: Picture, common: plot.Scale) -> dict[str, Text]:
    name, standing, rtt, path, models, url = (shown(cell) for cell in row(server))
    trend = list(picture.trends.get(server.key, ()))
    style = STYLES.get(standing.replace(" ", "_"), "")
    cells = (name, standing, rtt, plot.spark(trend, common), path, models, url, _why(server, picture))
    return {
        column: Text(cell, style if column in ("STANDING", "ROUND TRIPS") else "")
        for column, cell in zip(_COLUMNS, cells, strict=True)
    }


def _why(server: ServerState, picture: Picture) -> str:
    """What a person would ask about this one: until when it is held back, what is held to it."""
    snapshot, now = picture.look.snapshot, picture.now
    if server.held_until and server.standing == "held_down":
        return f"it failed: held back for another {_left(server.held_until, now)}"
    if server.reported_until:
        return f"programs reported it: the last for another {_left(server.reported_until, now)}"
    if server.busy and server.answer_ms is not None:
        return f"busy: its answers take {server.answer_ms / 1000:.1f} s"
    held = snapshot is not None and snapshot.decision.sentinel in ("on", "battery") and not picture.look.trouble
    if server.standing == "chosen" and held:
        return "a connection is held to it"
    return shown(server.text)


def _widths(rows: Sequence[Mapping[str, Text]], width: int) -> dict[str, int]:
    """The columns that fit, in their order, each with its width."""
    needs: dict[str, int] = {}
    for column in _COLUMNS:
        longest = max((cells[column].cell_len for cells in rows), default=0)
        if column in _LEAST:
            needs[column] = _LEAST[column]
        else:
            needs[column] = max(len(column), min(longest, _NAME_MAX) if column == "SERVER" else longest)
    needs["SERVER"] = max(len("SERVER"), min(needs["SERVER"], width - needs["STANDING"] - needs["RTT"] - 2 * _GAP))
    taken: list[str] = []
    left = width + _GAP
    for column in _WANTED:
        if needs[column] + _GAP > left and column != "SERVER":
            break
        taken.append(column)
        left -= needs[column] + _GAP
    for column, most in _MOST.items():
        if column in taken:
            more = max(0, min(left, most - needs[column]))
            needs[column] += more
            left -= more
    return {column: needs[column] for column in _COLUMNS if column in taken}


def _line(cells: Sequence[Text], widths: Mapping[str, int]) -> Text:
    found = Text()
    for cell, (column, width) in zip(cells, widths.items(), strict=True):
        fitted = cell.copy()
        if column == "ROUND TRIPS":
            fitted = fitted[-width:]  # the newest are at the right
        fitted.truncate(width, overflow="ellipsis")
        space = " " * (width - fitted.cell_len)
        right = column in ("RTT", "ROUND TRIPS")
        found.append(space if right else "").append_text(fitted).append("" if right else space).append(" " * _GAP)
    found.rstrip()
    return found


# --- the events


def _events(picture: Picture, room: int) -> list[Text]:
    """The last ones, the newest at the end."""
    some = list(picture.events)[-room:] if room > 0 else []
    today = _local(picture.now).date()
    found = []
    for one in some:
        at = _local(one.at)
        when = f"{at:%H:%M:%S}" if at.date() == today else f"{at:%b %d %H:%M}"
        found.append(Text.assemble((f"{when}  ", "dim"), (one.text, _EVENT_STYLES.get(one.level, ""))))
    return found


# --- words


def _local(at: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(at).astimezone()


def _folded(text: str, width: int, style: str, folds: int = _FOLDED) -> list[Text]:
    """One sentence on a few lines."""
    rest = "  " if width > _GAP * 4 else ""
    lines = textwrap.wrap(shown(text, folds * width), width, subsequent_indent=rest, max_lines=folds, placeholder="…")
    return [Text(line, style) for line in lines]


def _for(since: str, now: float) -> str:
    at = _epoch(since)
    return "" if at is None else f", chosen {ago(now - at)} ago"


def _left(until: str, now: float) -> str:
    at = _epoch(until)
    return "while" if at is None else ago(at - now)


def _epoch(text: str) -> float | None:
    try:
        return epoch(text)
    except ValueError:
        return None


def _cropped(lines: Sequence[Text], columns: int, most: int) -> list[Text]:
    found = []
    for line in lines[:most]:
        if cell_len(line.plain) > columns:
            line.truncate(columns, overflow="ellipsis")
        found.append(line)
    return found
