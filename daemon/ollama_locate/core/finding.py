"""What `ollama-locate doctor` has found: a code, a severity, sentences, and the command that mends it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from .codes_here import HERE
from .codes_tailnet import TAILNET
from .rule import Rule, Severity

RULES: Final[Mapping[str, Rule]] = {**TAILNET, **HERE}
"""Every code, in the order in which findings are shown."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it should be.

    `code` never changes its meaning. `text` is one sentence, `why` the reason, `mend` a command for a shell (empty:
    there is none), to be typed on the machine `where` (empty: this one). `servers` are the names of those concerned.
    """

    code: str
    severity: Severity
    text: str
    why: str
    mend: str = ""
    where: str = ""
    servers: tuple[str, ...] = ()


def found(
    code: str,
    severity: Severity | None = None,
    *,
    where: str = "",
    servers: Sequence[str] = (),
    **facts: object,
) -> Finding:
    """The finding of this code, its sentences filled in with the facts; a severity overrides the code's own."""
    rule = RULES[code]
    text, why, mend = (template.format(**facts) for template in (rule.text, rule.why, rule.mend))
    return Finding(code, severity or rule.severity, text, why, mend, where, tuple(servers))


def shown(findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    """What a person gets to see, the most severe first, and what is hidden as the cause of it is shown.

    A finding that is hidden hides others all the same: its own cause is the cause of those as well. The order within
    a severity is that of the codes' table.
    """
    every = list(findings)
    there = {one.code for one in every}
    places = {code: place for place, code in enumerate(RULES)}
    hidden = [one for one in every if there & set(RULES[one.code].causes) - {one.code}]
    left = [one for one in every if one not in hidden]
    return sorted(left, key=lambda one: (one.severity.rank, places[one.code])), hidden


def exit_code(findings: Iterable[Finding]) -> int:
    """1 where there is a problem, else 0."""
    return int(any(one.severity is Severity.PROBLEM for one in findings))
