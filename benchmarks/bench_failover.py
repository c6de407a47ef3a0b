"""Rows: one of two servers is killed, or falls silent: the first request that the other one answers."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.client import EVERY_S, PATIENCE_S, Asked, Client
from benchmarks.namespaces import inside
from benchmarks.needs import missing
from benchmarks.routers import FORWARD, available
from benchmarks.row import Row, Spread, skipped
from benchmarks.servers import two_servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.routers import Start
    from benchmarks.servers import Servers

ROUNDS = 3
OWN = {"ours": "each request asks `ollama-locate`", FORWARD: "through the forward"}


@dataclass(frozen=True, slots=True)
class Case:
    """What happens to the server that serves, and how many requests its client has under way at a time."""

    fault: str
    most: int

    @property
    def what(self) -> str:
        client = "one request at a time" if self.most == 1 else f"a request every {EVERY_S} s"
        return f"{self.fault} of the serving one of two, {client}: first answer of the other"

    def reached(self, ratio: float) -> bool:
        """A killed server refuses at once, so that who is in the path can try the other."""
        return ratio <= 1 if self.fault == "kill" else ratio < 1


CASES = (Case("kill", 1000), Case("silence", 1000), Case("silence", 1))
# Requests in a row that are answered before the fault; and for so long all is well after it.
STEADY = 10
WELL_S = 5.0
STEADY_S, LONGEST_S = 20.0, 40.0


@dataclass(frozen=True, slots=True)
class Failover:
    """Seconds from the fault to the end of the first request that the other server answered; to the start of the last
    request that nobody answered; and how many those were.
    """

    first: float
    trouble: float
    failed: int


def one(pair: Servers, start: Start, case: Case) -> Failover:
    with inside(pair.place.client), start(pair) as where, Client(where, case.most) as client:
        steady = client.until(
            lambda asked: len(asked) > STEADY and all(each.server for each in asked[-STEADY - 1 : -1]), STEADY_S
        )
        if not steady:
            raise RuntimeError(f"no steady answers before the {case.fault}")
        victim = max((each for each in client.asked if each.server), key=lambda each: each.ended).server
        began = {"kill": pair.kill, "silence": pair.silence}[case.fault](victim)
        client.until(lambda asked: well(asked, began, victim), LONGEST_S)
    pair.mend(victim, case.fault)
    return judge([each for each in client.asked if each.ended > began], began, victim)


def well(asked: list[Asked], began: float, victim: str) -> bool:
    """Whether for some time every request has been answered by the other server, and none waits."""
    now = time.perf_counter()
    last = [each for each in asked if each.began > now - WELL_S - PATIENCE_S and each.began < now - 2 * EVERY_S]
    return now - began > WELL_S + PATIENCE_S and all(each.server not in {"", victim} for each in last)


def judge(asked: list[Asked], began: float, victim: str) -> Failover:
    answered = [each.ended - began for each in asked if each.server not in {"", victim}]
    failed = [each.began - began for each in asked if not each.server]
    return Failover(min(answered, default=math.inf), max(failed, default=0.0), len(failed))


def run() -> Iterator[Row]:
    if missing():
        yield from (skipped(case.what, missing()) for case in CASES)
        return
    routers, lacking = available()
    names = list(routers)
    with two_servers() as pair:
        for case in CASES:
            found: dict[str, list[Failover]] = {name: [] for name in routers}
            for number in range(ROUNDS):
                for name in names[number:] + names[:number]:
                    found[name].append(one(pair, routers[name], case))
            for mine in OWN:
                yield row(mine, case, {name: found[name] for name in found if name == mine or name not in OWN}, lacking)


def row(own: str, case: Case, found: dict[str, list[Failover]], lacking: list[str]) -> Row:
    first = {name: [each.first for each in runs] for name, runs in found.items()}
    mine = first.pop(own)
    ratios = [ours / min(theirs) for ours, *theirs in zip(mine, *first.values(), strict=True)] if first else []
    spread = Spread.of(ratios) if ratios else None
    failed = "; ".join(
        f"{name} {Spread.of(each.failed for each in runs).text('', 0)}, the last begun "
        f"{Spread.of(each.trouble for each in runs).text('s', 1)} after"
        for name, runs in found.items()
    )
    return Row(
        what=f"{case.what}, {OWN[own]}",
        ours=Spread.of(mine).text("s", 2),
        against=", ".join(f"{name} {Spread.of(each).text('s', 2)}" for name, each in first.items())
        + "".join(f", {name} is not here" for name in lacking),
        ratio=f"{spread.text('', 2)} to the best of them" if spread else "—",
        reach="≤ 1 of the best" if case.fault == "kill" else "< 1 of the best",
        reached=case.reached(spread.median) if spread else None,
        remark=f"given up after {PATIENCE_S:.0f} s; requests without an answer: {failed}",
    )
