"""Knows the truth, keeps the accounts, and blows the whistle: the invariants, checked with every event."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from ollama_locate.core.health import Status
from ollama_locate.core.latency import clearly_faster
from ollama_locate.core.track import Track, Verdict

from . import budgets, library
from .network import Path
from .timeline import State

_NEVER = float("inf")
_UNNOTICED = budgets.SETTLED
"""Seconds that a dead server may be named for a model: it is not watched, its regular checks see it."""

_SLACK = 4.0
"""Of a host's jitter scale: the least of three exceeds it once in two thousand probes."""


class ViolationError(AssertionError):
    """An invariant does not hold; the text says which, where and when, and what happened before."""


@dataclass
class Entrant:
    """A host as the referee sees it. `up_since` is the core's time, infinite while it is down."""

    key: str
    path: Path
    tier: int
    jitter: float
    up_since: float = float("-inf")
    down_since: float = _NEVER
    watched: bool = False
    """The sentinel's connection stood when it went down."""

    @property
    def up(self) -> bool:
        """Whether it answers as Ollama."""
        return self.path.timeline.phase.state is State.UP


@dataclass
class Accounts:
    """Seconds by how the published server was, and what else a report says."""

    right: float = 0.0
    held: float = 0.0
    wrong: float = 0.0
    dead: float = 0.0
    nobody: float = 0.0
    changes: int = 0
    worst_watched: float = 0.0
    """The longest on a dead server that the sentinel watched when it died ..."""

    worst_unwatched: float = 0.0
    """... and on others, or on one that accepts and never answers."""

    deaths: int = 0
    a_day: dict[int, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Of the time when somebody was up, on whom an oracle would choose."""
        known = self.right + self.held + self.wrong + self.dead
        return self.right / known if known else 1.0


class Referee:
    """Told of every change of the truth and of every decision, before time goes on."""

    def __init__(self, title: str, entrants: list[Entrant], track: Callable[[str], Track]) -> None:
        self.accounts = Accounts()
        self.events: deque[tuple[float, str, object]] = deque(maxlen=80)
        self.published: str | None = None
        self.deadline = _NEVER
        self._title, self._track = title, track
        self._entrants = {one.key: one for one in entrants}
        self._verdict = Verdict.NONE
        self._since = self._published_at = self._now = 0.0
        self._class = "nobody"
        self._dead_from = _NEVER
        self._best: Entrant | None = None

    # --- events

    def truth(self, now: float, key: str, *, watched: bool) -> None:
        """This host has entered another phase."""
        self._account(now)
        one = self._entrants[key]
        state = one.path.timeline.phase.state
        if one.up and one.up_since == _NEVER:
            one.up_since, one.down_since = now, _NEVER
        elif not one.up and one.down_since == _NEVER:
            one.up_since, one.down_since, one.watched = _NEVER, now, watched
        self.events.append((now, state.name, key))
        self._classify()

    def decided(self, key: str | None, verdict: Verdict, why: str, now: float) -> bool:
        """This is published; returns whether it is another server."""
        if key == self.published and verdict is self._verdict:
            return False
        self._account(now)
        self.events.append((now, f"PUBLISHED {verdict.value} because {why}", key))
        if key is None and self.published is not None:
            self.fail(now, "an empty decision after the first")
        if key is not None and key not in self._entrants:
            self.fail(now, f"an untrusted server is published: {key}")
        moved = key != self.published
        if moved:
            if self.published is not None and now > budgets.START:
                self.accounts.changes += 1
                day = int(now // budgets.DAY)
                self.accounts.a_day[day] = self.accounts.a_day.get(day, 0) + 1
            self._published_at = now
        self.published, self._verdict = key, verdict
        self._classify()
        return moved

    def check_time(self, now: float) -> None:
        """A down server must not stay published as fresh for longer than its budget."""
        if now > self.deadline:
            self.fail(now, f"{self.published} is down since {now - self._dead_from:.2f} s and still published as fresh")

    def settled(self, now: float) -> float | None:
        """Nothing has happened for long: the best, within the dead band, must be published. When to ask again."""
        best = self._best
        if best is None or self.published is None:
            return None
        now_right = self._entrants[self.published]
        if now_right.up and not self._better(best, now_right, slack=True):
            return None
        held = self._track(best.key).health.held_until
        if held <= now - 2 * budgets.ROUND:
            self.fail(now, f"{self.published} is published and {best.key} is clearly better, for long")
        return held + 2 * budgets.ROUND

    def models(self, best: dict[str, str], now: float, at: float) -> None:
        """Who is named for each model has it; nobody is missing, dead, or cold, while another one would do, for long.

        `at` is the world's time.
        """
        for model, key in best.items():
            if key not in self._entrants or model not in library.names(key):
                self.fail(now, f"{key} is named for {model}, which it does not have")
        if self._verdict is not Verdict.FRESH:
            return
        for model in {name for key in self._entrants for name in library.names(key)}:
            able = [one for one in self._entrants.values() if self._is_able(one, model, now)]
            chosen = self._entrants.get(best.get(model, ""))
            if able and chosen is None:
                self.fail(now, f"nobody is named for {model}, though {able[0].key} has it")
            if able and chosen is not None and now - chosen.down_since > _UNNOTICED:
                self.fail(now, f"{chosen.key} is named for {model} and is down since {now - chosen.down_since:.0f} s")
            if model == library.EVERYWHERE and chosen is not None and chosen.up:
                self._check_cold(chosen, able, now, at)

    def _check_cold(self, chosen: Entrant, able: list[Entrant], now: float, at: float) -> None:
        since = now - library.loaded_for(at)
        if library.loaded(chosen.key, at) or not self._asked_since(chosen, since):
            return
        for one in able:
            health = self._track(one.key).health
            excused = (
                health.in_doubt or health.held_until > now - 2 * budgets.ROUND or not self._asked_since(one, since)
            )
            if library.loaded(one.key, at) and one.tier == chosen.tier and not excused:
                self.fail(now, f"{chosen.key} is named, and is cold, while {one.key} has the model loaded")

    def _asked_since(self, one: Entrant, since: float) -> bool:
        """Whether the machine under test can know what is so since then."""
        checked = self._track(one.key).checked
        return checked is not None and checked >= since

    def _is_able(self, one: Entrant, model: str, now: float) -> bool:
        """Whether it answers for so long, and the machine under test has had time to see it, that nothing excuses."""
        known = self._track(one.key).health.status is Status.UP
        return model in library.names(one.key) and known and now - one.up_since > budgets.SETTLED

    def excuse(self, seconds: float) -> None:
        """The program under test was not run for so long, until now: nobody can ask it for what it did not see."""
        for one in self._entrants.values():
            if one.down_since < _NEVER:
                one.down_since += seconds
        self._published_at += seconds
        self._classify()

    def finish(self, now: float) -> None:
        """The world ends."""
        self._account(now)

    def fail(self, now: float, what: str) -> NoReturn:
        """Say what happened."""
        told = "\n".join(f"  {at:14.3f}  {event}  {more}" for at, event, more in self.events)
        raise ViolationError(
            f"{what}\n{self._title}, at {now:.3f} s (day {now / budgets.DAY:.2f})\nthe last events:\n{told}"
        )

    # --- the oracle

    def _better(self, one: Entrant, other: Entrant, *, slack: bool = False) -> bool:
        """Whether an oracle would leave `other` for `one`."""
        if one.tier != other.tier:
            return one.tier < other.tier
        more = _SLACK * max(one.jitter, other.jitter) if slack else 0.0
        return clearly_faster(one.path.timeline.phase.rtt + more, other.path.timeline.phase.rtt - more)

    def _classify(self) -> None:
        ups = [one for one in self._entrants.values() if one.up]
        self._best = min(ups, key=lambda one: (one.tier, one.path.timeline.phase.rtt), default=None)
        current = self._entrants.get(self.published) if self.published is not None else None
        dead_before, self._dead_from, self.deadline = self._dead_from, _NEVER, _NEVER
        if self._best is None or current is None:
            self._class = "nobody"
        elif current.up:
            self._class = "wrong" if self._better(self._best, current) else "right"
        else:
            self._class = "dead"
            if self._verdict is Verdict.FRESH:
                self._dead_from = max(current.down_since, self._published_at)
                known = min(max(self._dead_from, one.up_since + budgets.SETTLED) for one in ups)
                self.deadline = known + self._budget(current)
                if dead_before != self._dead_from:
                    self.accounts.deaths += 1

    def _budget(self, one: Entrant) -> float:
        phase = one.path.timeline.phase
        trips = budgets.KILLED_ROUND_TRIPS * max(
            phase.rtt, *(other.path.timeline.phase.rtt for other in self._entrants.values() if other.up)
        )
        if phase.state is State.HUNG:
            return budgets.HUNG_FOUND + budgets.history(self._track(one.key).answers) + trips
        watched = self._is_watched(one)
        if phase.state is State.SILENT:
            return (budgets.SILENT if watched else budgets.SILENT_FOUND) + trips
        return (budgets.KILLED if watched else budgets.KILLED_FOUND) + trips

    # --- the accounts

    def _account(self, now: float) -> None:
        self.check_time(now)
        spent, accounts = now - self._now, self.accounts
        self._now = now
        if self._class == "right":
            accounts.right += spent
        elif self._class == "wrong":
            best = self._best
            if best is not None and self._track(best.key).health.held_until > now - spent / 2:
                accounts.held += spent
            else:
                accounts.wrong += spent
        elif self._class == "dead":
            accounts.dead += spent
            if self._dead_from < _NEVER:
                self._note_dead(now)
        else:
            accounts.nobody += spent

    def _note_dead(self, now: float) -> None:
        lasted, accounts = now - self._dead_from, self.accounts
        current = self._entrants[self.published] if self.published is not None else None
        if current is not None and self._is_watched(current):
            accounts.worst_watched = max(accounts.worst_watched, lasted)
        else:
            accounts.worst_unwatched = max(accounts.worst_unwatched, lasted)

    def _is_watched(self, one: Entrant) -> bool:
        """Whether its death is one that the sentinel must see."""
        hangs = one.path.timeline.phase.state is State.HUNG
        return one.watched and not hangs and one.down_since >= self._published_at
