"""How findings are printed: for reading, and so that the command can be copied."""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Final

from ollama_locate.core.finding import Finding
from ollama_locate.core.rule import Severity

from .show import line

_COLOURS: Final = {Severity.PROBLEM: "1;31", Severity.WARNING: "33", Severity.NOTE: "36"}
_WIDTH_MAX: Final = 100
_CLEAR: Final = "\r\x1b[K"


def counted(findings: Sequence[Finding]) -> str:
    """How many of each severity: `1 problem, 2 notes`."""
    counts = [(sum(one.severity is severity for one in findings), severity.value) for severity in Severity]
    return ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count)


def show(findings: Sequence[Finding]) -> None:
    """Each finding: severity and code, the sentence, the reason, and the command on a line of its own, never folded."""
    for finding in findings:
        head = finding.severity.value.upper()
        line(f"{_coloured(head, finding.severity)}  {finding.code}")
        _indented(finding.text)
        _indented(finding.why)
        if finding.mend:
            if finding.where:
                _indented(f"On {finding.where}:")
            line()
            sys.stdout.write(f"      {finding.mend}\n")
        line()


def _indented(text: str) -> None:
    """Fold at the terminal's width; elsewhere a sentence is one line."""
    if not text:
        return
    if not sys.stdout.isatty():
        sys.stdout.write(f"  {text}\n")
        return
    width = min(_WIDTH_MAX, max(40, shutil.get_terminal_size().columns))
    folded = textwrap.fill(
        text, width, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    sys.stdout.write(folded + "\n")


def _coloured(word: str, severity: Severity) -> str:
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return word
    return f"\x1b[{_COLOURS[severity]}m{word}\x1b[0m"


class Progress:
    """A line on a terminal that says what is still under way, and is taken away at the end."""

    def __init__(self) -> None:
        self._shown = False

    def __call__(self, names: Sequence[str]) -> None:
        """Say these."""
        if sys.stderr.isatty():
            self._shown = True
            width = max(20, shutil.get_terminal_size().columns - 1)
            text = f"looking at: {', '.join(names)} ..."
            sys.stderr.write(_CLEAR + text[:width])
            sys.stderr.flush()

    def end(self) -> None:
        """Take it away."""
        if self._shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
