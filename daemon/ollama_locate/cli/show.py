"""How commands print: tables and colours on a terminal, tab-separated lines elsewhere."""

import sys
import textwrap
import time
from collections.abc import Sequence
from typing import Final

from ollama_locate.core.duration import about
from ollama_locate.core.outcome import Outcome
from ollama_locate.core.selection import Standing
from ollama_locate.core.snapshot import ServerState, Snapshot, epoch

_WORDS: Final = {
    "similar": "about as fast",
    "lower_tier": "later in order",
    "held_down": "failed lately",
    "empty": "hangs up",
    "not_ollama": "not Ollama",
    "forbidden_host": "answers 403",
    "gateway": "dead behind proxy",
    "login": "wants a login",
    "cached": "from a cache",
    "cloud": "runs elsewhere",
    "error": "cannot be asked",
}
"""Of `standing` and `outcome` in state.json, where a person would not know what the word means."""

STYLES: Final = {
    "chosen": "bold green",
    "slower": "green",
    "later": "green",
    "cold": "green",
    "unmeasured": "green",
    "absent": "yellow",
    "runs elsewhere": "yellow",
    "about as fast": "green",
    "later in order": "green",
    "failed lately": "yellow",
    "failing": "yellow",
    "reported": "yellow",
    "busy": "yellow",
    "no models": "yellow",
    "lacks model": "yellow",
    "needs forward": "yellow",
    "down": "red",
    "refused": "red",
    "silent": "red",
    "hangs up": "red",
    "not Ollama": "red",
    "answers 403": "red",
    "dead behind proxy": "red",
    "wants a login": "red",
    "from a cache": "red",
    "needs header": "yellow",
    "cannot be asked": "red",
    "fresh": "bold green",
    "stale": "yellow",
    "none": "red",
}


def standing(server: ServerState) -> str:
    """Where a server stands, in a word or two; of one that is down, what it does."""
    down = server.standing == "down" and server.outcome not in (None, "alive")
    return word(str(server.outcome) if down else server.standing)


def legend() -> str:
    """What those words mean, for `--help`."""
    left_out = (Standing.DOWN, Standing.SELF_CHECK, Standing.CHOSEN)
    words = [(one.word, one.text) for one in Standing if one not in left_out]
    words += [(one.word, f"it {one.text}") for one in Outcome if one is not Outcome.ALIVE]
    return "STANDING says of a server that is not chosen:\n" + "\n".join(
        f"  {word(name):<16} {text}" for name, text in words
    )


def word(name: str) -> str:
    """What a person reads in the place of a word for programs."""
    return _WORDS.get(name, name.replace("_", " "))


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows; a cell that is a standing or a verdict has its colour. Elsewhere than on a terminal: tabs."""
    if not sys.stdout.isatty():
        for row in rows:
            sys.stdout.write("\t".join(row) + "\n")
        return
    from rich.console import Console  # noqa: PLC0415 - 60 ms, for terminals only
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    from .columns import GAP, widths  # noqa: PLC0415 - as above

    console = Console(highlight=False)
    wide = widths(columns, rows, console.width)
    out = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0), show_header=any(columns))
    for column, width in zip(columns, wide, strict=True):
        out.add_column(column, overflow="fold", width=width, justify="right" if column in ("RTT", "SIZE") else "left")
    for row in rows:
        out.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    # Where there is no room even so, the terminal breaks the lines: rich would cut them.
    console.width = max(console.width, sum(wide) + GAP * len(wide))
    console.print(out)


def fits(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether such a table has room on the terminal; without one nobody would see what a column is."""
    if not sys.stdout.isatty():
        return False
    import shutil  # noqa: PLC0415 - for terminals only

    wide = sum(max(len(cell) for cell in column) + 2 for column in zip(columns, *rows, strict=True))
    return wide <= shutil.get_terminal_size().columns


def line(text: str = "") -> None:
    """Print one line, folded on a terminal where it would run over the edge."""
    if sys.stdout.isatty() and text:
        import shutil  # noqa: PLC0415 - for terminals only

        width = max(40, shutil.get_terminal_size().columns)
        # A command is for copying: it stays in one piece, on a line of its own where it must.
        before, command, after = text.partition("tailscale serve ")
        whole = before + (command + after).replace(" ", "\u00a0")
        text = textwrap.fill(whole, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        text = text.replace("\u00a0", " ")
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Print one line on stderr."""
    sys.stderr.write(text + "\n")


def since(text: str) -> float:
    """Seconds since a time of the snapshot; negative where it is still to come."""
    return time.time() - epoch(text)


def tailnets(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Of each tailnet what it is called and what it does; where there is one only, it needs no name."""
    return [
        (
            f"tailnet {one.name}" if snapshot.tailnets else "tailnet",
            f"running, here is {one.self}" if one.state == "running" else one.text,
        )
        for one in snapshot.every_tailnet
    ]


def ago(seconds: float) -> str:
    """A duration for people: `4 s`, `3 min`, `2 h`, `5 days`."""
    return about(seconds)


def round_trip(milliseconds: float | None) -> str:
    """A round trip for people, `-` where there is none."""
    if milliseconds is None:
        return "-"
    return f"{milliseconds:.1f} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms"  # noqa: PLR2004 - digits
