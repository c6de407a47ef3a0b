"""What became of the mutants, in figures and lines, and whether that is good enough."""

import math
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .operators import Mutant
from .session import Fate

SURVIVORS = Path(__file__).with_name("survivors.toml")
SURE = 1.96
"""Standard deviations of a confidence of 95 %."""


class Result(NamedTuple):
    """One mutant and its fate."""

    mutant: Mutant
    fate: Fate

    @property
    def name(self) -> tuple[str, str]:
        return Path(self.mutant.file).name, self.mutant.key


def explained(path: Path = SURVIVORS) -> dict[tuple[str, str], str]:
    """(file, change) -> why no test can kill it, or need not."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        (entry["file"], change): entry["reason"] for entry in table.get("survivors", []) for change in entry["changes"]
    }


def report(
    results: Sequence[Result], reasons: dict[tuple[str, str], str], bar: float, took: float, *, whole: bool
) -> int:
    """Print it all; the exit code."""
    names = [result.name for result in results]
    twins = Counter(names)
    survived = [result for result in results if result.fate is Fate.SURVIVED]
    fit = [result for result in survived if result.name in reasons]
    unfit = [result for result in survived if result.name not in reasons]
    for result in unfit:
        file, key = result.name
        print(f"{file}:{result.mutant.lines.start}: {key}")
    _table(results, reasons)
    fates = Counter(result.fate for result in results)
    killed = len(results) - len(survived)
    share = 100 * killed / max(1, len(results) - len(fit))
    print(
        f"{killed} of {len(results)} killed, {100 * killed / max(1, len(results)):.1f} %: "
        f"{fates[Fate.KILLED]} by tables, {fates[Fate.BY_PROPERTY]} by properties, {fates[Fate.TIMED_OUT]} by time; "
        f"{len(fit)} survivors explained, {len(unfit)} not; {share:.1f} % of those that are not explained; {took:.0f} s"
    )
    if not whole:
        low, high = interval(killed, len(results) - len(fit))
        print(f"a sample: with a confidence of 95 % between {low:.1f} and {high:.1f} % of all")
    files = {file for file, _ in names}
    alive = {result.name for result in survived}
    stale = [name for name in reasons if whole and name[0] in files and name not in alive]
    for file, key in stale:
        print(f"survivors.toml explains what {'is killed' if (file, key) in twins else 'is no mutant'}: {file}: {key}")
    return int(share < bar or bool(stale))


def interval(killed: int, number: int) -> tuple[float, float]:
    """Wilson's, in percent: where the share of all lies, when so many of a sample were killed."""
    if not number:
        return 0.0, 100.0
    share, square = killed / number, SURE**2 / number
    middle = share + square / 2
    reach = SURE * math.sqrt(share * (1 - share) / number + square / (4 * number))
    return 100 * (middle - reach) / (1 + square), min(100.0, 100 * (middle + reach) / (1 + square))


def _table(results: Sequence[Result], reasons: dict[tuple[str, str], str]) -> None:
    print(f"{'file':24}{'mutants':>8}{'killed':>8}{'explained':>10}{'left':>6}{'%':>7}")
    for file in sorted({result.name[0] for result in results}):
        mine = [result for result in results if result.name[0] == file]
        killed = sum(result.fate is not Fate.SURVIVED for result in mine)
        fit = sum(result.fate is Fate.SURVIVED and result.name in reasons for result in mine)
        left = len(mine) - killed - fit
        print(f"{file:24}{len(mine):8}{killed:8}{fit:10}{left:6}{100 * killed / len(mine):7.1f}")
