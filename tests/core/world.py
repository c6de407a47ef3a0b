"""Peers, probes and locators in one line each, and two ways to drive a locator: step by step, or by itself.

`World` takes one event after another. `Live` runs a locator as the daemon does, on a virtual clock: whoever
is due is asked, and behaves as its `Act` says.
"""

import heapq
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ollama_locate.core.inventory import Model
from ollama_locate.core.locator import Locator
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.selection import Local
from ollama_locate.core.tailnet import Absence, Tailnet, Unavailable, parse_status
from ollama_locate.core.track import Decision, LastGood, Settings, Track
from ollama_locate.core.trust import Policy, StaticServer
from tests.standins.tailscale import node, raw

MISTRAL = ("mistral:latest",)
NUMBERS = {"laptop": 1, "gpu": 2, "nas": 3, "mac": 4, "pi": 5, "vm": 6, "old": 7}
PLAIN = Policy((11434,))


def key(name: str) -> str:
    """`gpu` -> `n2:11434`; `local`, `self` and `static:x` are what they are called."""
    if name in NUMBERS:
        return f"n{NUMBERS[name]}:11434"
    return name if ":" in name else f"{name}:11434"


def last_good(name: str) -> LastGood:
    return LastGood(key(name), name, f"http://100.64.0.{NUMBERS[name]}:11434")


def tailnet(*peers: dict[str, Any], **more: Any) -> Tailnet:
    found = parse_status(raw(*peers, **more))
    assert isinstance(found, Tailnet)
    return found


def named(*names: str, **more: Any) -> Tailnet:
    """A tailnet of this user's own nodes."""
    return tailnet(*(node(name, NUMBERS[name], **more) for name in names))


def alive(sent: float, rtt: float | None = 0.005, models: tuple[str, ...] | None = MISTRAL) -> Probe:
    return Probe(Outcome.ALIVE, sent, rtt=rtt, spread=0.001, version="0.17.4", models=models)


def settings(
    policy: Policy | None = None,
    *,
    local: Local = Local.OFF,
    static: Mapping[str, str] | None = None,
    interval: float = 30.0,
    required: tuple[tuple[str, ...], ...] = (),
) -> Settings:
    """By default without this machine, so that a scenario speaks of the peers that it names."""
    servers = tuple(StaticServer(name, host, 11434) for name, host in (static or {}).items())
    chosen = replace(policy or PLAIN, static=servers, use_local=local is not Local.OFF, check_self=local is Local.AUTO)
    return Settings(chosen, interval, local, required)


class World:
    """A locator on a virtual clock that stands still until somebody moves it."""

    def __init__(self, chosen: Settings | None = None, before: str | None = None) -> None:
        self.now = 1000.0
        good = last_good(before) if before else None
        self.locator = Locator(chosen or settings(), self.now, good)

    def look(self, *names: str, **more: Any) -> None:
        self.locator.see(named(*names, **more), self.now)

    def away(self, reason: Absence = Absence.STOPPED) -> None:
        self.locator.see(Unavailable(reason), self.now)

    def ask(self, name: str) -> None:
        self.locator.begin(key(name), self.now)

    def ok(self, name: str, ms: float | None = 5.0, models: tuple[str, ...] | None = MISTRAL) -> None:
        self.locator.begin(key(name), self.now)
        self.locator.connected(key(name))
        self.locator.finish(key(name), alive(self.now, None if ms is None else ms / 1000, models), self.now)

    def stock(self, name: str, *models: Model) -> bool:
        return self.locator.stocked(key(name), models)

    def no(self, name: str, outcome: Outcome = Outcome.SILENT) -> None:
        self.locator.begin(key(name), self.now)
        self.locator.finish(key(name), Probe(outcome, self.now), self.now)

    def track(self, name: str) -> Track:
        return self.locator.tracks[key(name)]

    def decide(self) -> tuple[str, str | None, str] | None:
        """The verdict, the server's name and the reason; None where nothing is said yet."""
        decision = self.locator.decide(self.now)
        return None if decision is None else said(decision)


def said(decision: Decision) -> tuple[str, str | None, str]:
    return decision.verdict.value, decision.server.name if decision.server else None, decision.reason.word


Step = Callable[[World], None]


def look(*names: str, **more: Any) -> Step:
    return lambda world: world.look(*names, **more)


def away(reason: Absence = Absence.STOPPED) -> Step:
    return lambda world: world.away(reason)


def ask(name: str) -> Step:
    return lambda world: world.ask(name)


def connected(name: str) -> Step:
    return lambda world: world.locator.connected(key(name))


def quiet(name: str) -> Step:
    return lambda world: world.locator.quiet(key(name))


def ok(name: str, ms: float | None = 5.0, models: tuple[str, ...] | None = MISTRAL) -> Step:
    return lambda world: world.ok(name, ms, models)


def no(name: str, outcome: Outcome = Outcome.SILENT, times: int = 1) -> Step:
    def step(world: World) -> None:
        for _ in range(times):
            world.no(name, outcome)
            world.now += 0.4

    return step


def after(seconds: float) -> Step:
    def step(world: World) -> None:
        world.now += seconds

    return step


def decide(world: World) -> None:
    """Publish, so that there is a current server."""
    world.decide()


@dataclass(frozen=True)
class Act:
    """How a server behaves when it is asked; `takes` seconds until the probe has ended."""

    outcome: Outcome = Outcome.ALIVE
    rtt: float = 0.005
    models: tuple[str, ...] = MISTRAL
    takes: float | None = None

    def ended(self, sent: float) -> tuple[float, Probe]:
        if self.outcome is Outcome.ALIVE:
            return sent + (self.takes or 3 * self.rtt), alive(sent, self.rtt, self.models)
        usual = 1.0 if self.outcome is Outcome.SILENT else self.rtt
        return sent + (self.takes or usual), Probe(self.outcome, sent)


SILENT = Act(Outcome.SILENT)
REFUSED = Act(Outcome.REFUSED, rtt=0.001)


class Live:
    """Runs a locator; `said` holds each new decision with its time. A begun probe costs 20 µs, as in life."""

    def __init__(self, locator: Locator, now: float, acts: Mapping[str, Act]) -> None:
        self.locator, self.now = locator, now
        self.acts = {key(name): act for name, act in acts.items()}
        self.said: list[tuple[float, str, str | None, str]] = []
        self._ends: list[tuple[float, int, str, Probe]] = []
        self._count = itertools.count()

    def act(self, name: str, act: Act) -> None:
        self.acts[key(name)] = act

    def last(self) -> tuple[str, str | None, str]:
        return self.said[-1][1:]

    def published_at(self, name: str) -> float:
        """When a server was last published as fresh after another."""
        return max(when for when, verdict, who, _ in self.said if (verdict, who) == ("fresh", name))

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while True:
            self._send()
            self._decide()
            due = self.locator.next_due()
            times = [when for when in (due, self._ends[0][0] if self._ends else None) if when is not None]
            if not times or min(times) > until:
                self.now = until
                return
            self.now = max(self.now, *([min(times)] * 2))
            while self._ends and self._ends[0][0] <= self.now:
                _, _, who, probe = heapq.heappop(self._ends)
                self.locator.finish(who, probe, self.now)

    def _send(self) -> None:
        for server in self.locator.due(self.now):
            self.locator.begin(server.key, self.now)
            end, probe = self.acts.get(server.key, SILENT).ended(self.now)
            heapq.heappush(self._ends, (end, next(self._count), server.key, probe))
            self.now += 0.00002

    def _decide(self) -> None:
        decision = self.locator.decide(self.now)
        if decision is not None and (not self.said or self.said[-1][1:] != said(decision)):
            self.said.append((self.now, *said(decision)))
