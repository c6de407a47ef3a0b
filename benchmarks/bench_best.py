"""Row: the best endpoint known and published by a running daemon that has just learned of its peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import peers as people
from benchmarks.needs import missing
from benchmarks.row import Row, Spread, ratio, skipped
from benchmarks.sweep import rounds

if TYPE_CHECKING:
    from collections.abc import Iterator

# Peers, and how near the nearest server may be (ms): three round trips are needed, so that far servers are the
# harder case. The last one has them all at the far end.
DRAWS = ((20, 20.0), (100, 20.0), (1000, 20.0), (1000, 70.0))
REACH_S = 0.39
LIMIT_S = 0.32


def run() -> Iterator[Row]:
    for count, nearest_ms in DRAWS:
        what = f"best endpoint published, {count:,} peers, servers {nearest_ms:.0f}-80 ms away"
        if missing():
            yield skipped(what, missing())
            continue
        done = rounds(count, nearest_ms)
        ours = [each.ours.best for each in done]
        theirs = [each.others["nmap"].wall_s for each in done if "nmap" in each.others]
        spread = Spread.of(ours)
        first = Spread.of(each.ours.first for each in done)
        best = Spread.of(people.alive(each.peers)[0].rtt_ms for each in done)
        yield Row(
            what=what,
            ours=spread.text("s", 3),
            against=f"nmap {Spread.of(theirs).text('s', 3)}" if theirs else "nmap is not here",
            ratio=ratio(ours, theirs).text("", 2) if theirs else "—",
            reach=f"≤ {REACH_S} s (limit {LIMIT_S} s)",
            reached=spread.median <= REACH_S,
            remark=f"first publication {first.text('s', 3)}; three round trips to the nearest are "
            f"{3 * best.median:.0f} ms; nmap knows of an open port only, here an Ollama has answered and been timed",
        )
