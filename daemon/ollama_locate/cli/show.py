"""How commands print: tables and colours on a terminal, tab-separated lines elsewhere."""

import sys
import textwrap
from collections.abc import Sequence
from typing import Final

from ollama_locate.core.duration import about

STYLES: Final = {
    "chosen": "bold green",
    "slower": "green",
    "similar": "green",
    "lower_tier": "green",
    "held_down": "yellow",
    "failing": "yellow",
    "reported": "yellow",
    "busy": "yellow",
    "no_models": "yellow",
    "lacks_model": "yellow",
    "down": "red",
    "refused": "red",
    "silent": "red",
    "empty": "red",
    "not_ollama": "red",
    "forbidden_host": "red",
    "error": "red",
    "fresh": "bold green",
    "stale": "yellow",
    "none": "red",
}


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows; a cell that is a standing or a verdict has its colour. Elsewhere than on a terminal: tabs."""
    if not sys.stdout.isatty():
        for row in rows:
            sys.stdout.write("\t".join(row) + "\n")
        return
    from rich.console import Console  # noqa: PLC0415 - 60 ms, for terminals only
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    out = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0), show_header=any(columns))
    for column in columns:
        # An endpoint is for copying: it stays in one piece, whatever the width.
        whole = column in ("SERVER", "ENDPOINT", "ADDRESS")
        out.add_column(column, overflow="fold", no_wrap=whole, justify="right" if column == "RTT" else "left")
    for row in rows:
        out.add_row(*(Text(cell, style=STYLES.get(cell.replace(" ", "_"), "")) for cell in row))
    Console(highlight=False).print(out)


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


def ago(seconds: float) -> str:
    """A duration for people: `4 s`, `3 min`, `2 h`, `5 days`."""
    return about(seconds)


def round_trip(milliseconds: float | None) -> str:
    """A round trip for people, `-` where there is none."""
    if milliseconds is None:
        return "-"
    return f"{milliseconds:.1f} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms"  # noqa: PLR2004 - digits
