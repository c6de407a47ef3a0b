"""How `--help` looks: paragraphs and tables as they are written, folded to the window's width."""

import argparse
import re
import textwrap
from typing import Final

_COLUMNS: Final = re.compile(r"(\s*\S.*?\s{2,})\S")
_TO_COPY: Final = ("$(", "&&", "curl ")


class Help(argparse.RawDescriptionHelpFormatter):
    """A line of two columns goes on below the second one. What is for copying stays in one piece."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(folded(indent + line, width) for line in text.splitlines())


def folded(line: str, width: int) -> str:
    """The line, in as many as this width takes; man pages fold what they show as it is the same way."""
    if len(line) <= width or any(sign in line for sign in _TO_COPY):
        return line
    columns = _COLUMNS.match(line)
    below = len(columns[1]) if columns else len(line) - len(line.lstrip())
    if below > width * 2 // 3:
        below = len(line) - len(line.lstrip()) + 2
    return textwrap.fill(line, width, subsequent_indent=" " * below, break_long_words=False, break_on_hyphens=False)
