"""What is known of a finding before it is found: its severity, its sentences, and what explains it."""

from enum import Enum
from typing import NamedTuple


class Severity(Enum):
    """Problem: something that is expected to work does not. Warning: it will, or may, go wrong. Note: good to know."""

    PROBLEM = "problem"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the most severe."""
        return list(Severity).index(self)


class Rule(NamedTuple):
    """A code's severity and templates, and the codes that explain it: while one of those was found, it is hidden."""

    severity: Severity
    text: str
    why: str
    mend: str = ""
    causes: tuple[str, ...] = ()
