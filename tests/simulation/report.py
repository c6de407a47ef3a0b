"""The table of what the worlds have shown."""

from collections.abc import Iterable, Mapping

from .trial import Result

_HEAD = (
    "WORLD",
    "DAYS",
    "CHANGES/DAY",
    "ALLOWED",
    "MOST/DAY",
    "ORACLE",
    "HELD",
    "DEAD",
    "WATCHED",
    "OTHERWISE",
    "CPU/DAY",
)


def table(found: Mapping[str, Iterable[Result]]) -> str:
    """One line for each world; DEAD is how often the published one died, the next two the worst seconds on it."""
    rows = [_HEAD, *(_row(name, list(results)) for name, results in found.items())]
    everything = [result for results in found.values() for result in results]
    rows.append(_row(f"all, {len(everything)} runs", everything))
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    return "\n".join("  ".join(_aligned(row, widths)) for row in rows)


def _aligned(row: tuple[str, ...], widths: list[int]) -> Iterable[str]:
    yield row[0].ljust(widths[0])
    for text, width in zip(row[1:], widths[1:], strict=True):
        yield text.rjust(width)


def _row(name: str, results: list[Result]) -> tuple[str, ...]:
    days = sum(one.days for one in results)
    kept = [one.accounts for one in results]
    known = sum(one.right + one.held + one.wrong + one.dead for one in kept)
    return (
        name,
        f"{days:.0f}",
        f"{sum(one.changes for one in kept) / days:.2f}",
        f"{sum(one.allowed for one in results) / days:.2f}",
        f"{max(max(one.a_day.values(), default=0) for one in kept)}",
        f"{sum(one.right for one in kept) / known:.3%}",
        f"{sum(one.held for one in kept) / known:.2%}",
        f"{sum(one.deaths for one in kept)}",
        f"{max(one.worst_watched for one in kept):.2f}",
        f"{max(one.worst_unwatched for one in kept):.2f}",
        f"{sum(one.cpu for one in results) / days:.2f}",
    )
