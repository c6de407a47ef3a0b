"""The choice. One pure function, given the servers as they stand, the current one and now.

The order: healthy and trusted; then who lists any model; then who has not failed its readers; then who
lists the required models; then the user's tiers; for one model, who has it loaded; then the lowest round trip. The
current server keeps its place unless another is clearly better.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import msgspec

from .constants import AWAITED_PATIENCE, DEAD_BAND, PROBE_ROUND_TRIPS, SYN_PROVISIONAL
from .latency import clearly_faster
from .models import has_model
from .server import Withheld
from .worded import Worded


class Local(Enum):
    """What the config says of this machine's own Ollama."""

    AUTO = "auto"
    FIRST = "first"
    LAST = "last"
    OFF = "off"


class Rank(Enum):
    """By what servers of one tier are compared."""

    RTT = "rtt"
    """By the round trip."""
    SPEED = "speed"
    """By how long a typical answer takes, where that was measured."""


class Standing(Worded):
    """Where one server stands in the choice; the text is for a person."""

    CHOSEN = "chosen", "chosen"
    SLOWER = "slower", "its round trip is longer"
    LATER = "later", "a typical answer takes it longer, as `models --bench` measured"
    UNMEASURED = "unmeasured", "its speed has not been measured (`ollama-locate models --bench`)"
    SIMILAR = "similar", "not faster by 10 ms and a third than the current one, which keeps its place"
    LOWER_TIER = "lower_tier", "it comes later in the order"
    NO_MODELS = "no_models", "it lists no model"
    LACKS_MODEL = "lacks_model", "it does not list what `[models] require` names"
    COLD = "cold", "it has the model, but not loaded"
    REPORTED = "reported", "it answers, but programs reported that it failed them"
    HELD_DOWN = "held_down", "it failed lately and must live for a while before it may displace a healthy one"
    FAILING = "failing", "it failed its last check; the next ones decide"
    DOWN = "down", "down"
    UNCHECKED = "unchecked", "waits for its next check"
    UNREACHABLE = "unreachable", "Tailscale is not up"
    NEEDS_HEADER = Withheld.NEEDS_HEADER.word, Withheld.NEEDS_HEADER.text
    NEEDS_FORWARD = Withheld.NEEDS_FORWARD.word, Withheld.NEEDS_FORWARD.text
    NOT_PINNED = "not_pinned", "another one is pinned"
    SELF_CHECK = "self_check", "this machine at its tailnet address: shows whether it serves the tailnet"


class Reason(Worded):
    """Why the decision is what it is; the text is for a person."""

    ONLY = "only", "it is the only server that answers"
    TIER = "tier", "it comes first in the order"
    MODELS = "models", "it lists models, the others do not"
    HAS_MODEL = "has_model", "it has what `[models] require` names"
    HAS_MORE = "has_more", "it has more of what `[models] require` names than the others"
    LOADED = "loaded", "it has the model loaded"
    FASTEST = "fastest", "it has the lowest round trip"
    SOONEST = "soonest", "it gives a typical answer soonest, as `models --bench` measured"
    KEPT = "kept", "it keeps its place: no other is clearly better"
    REPORTED_OTHERS = "reported_others", "programs reported that a better one failed them, though it answers"
    HELD_OTHERS = "held_others", "it keeps its place: a better one failed lately and is held down"
    NETWORK_SILENT = "network_silent", "nobody answers, so the fault may be here: the last good one is kept"
    ALL_LOST = "all_lost", "no server answers any more: the last good one is kept"
    TAILNET_AWAY = "tailnet_away", "Tailscale is not up: the last good one is kept"
    PINNED = "pinned", "it is pinned (`ollama-locate unpin` takes that back)"
    PINNED_DEAD = "pinned_dead", "it is pinned, and does not answer (`ollama-locate unpin` uses what was found)"
    MOVED = "moved", "it has another address now, at which it has not answered yet"
    NONE_YET = "none_yet", "no server has been found, so this is the default; nobody has verified it"


_NO_MODELS = 1_000_000
LAST_TIER = 1_000_000
FIRST_TIER = -1


class Contender(msgspec.Struct, frozen=True, gc=False):
    """A healthy, trusted server as the choice sees it. `rtt` in seconds; `tier` already includes `local`.

    `held`: it may not displace a healthy one yet. `demoted`: its readers say that it fails them. `cold`: the model that
    is asked for is not loaded; False where none is asked for. `answer`: how long a typical answer takes it, in seconds,
    where `rank` is by speed and it was measured. `outdated`: its last answer is old, so that it must answer again
    before it displaces a healthy one.
    """

    key: str
    tier: int
    rtt: float | None
    models: tuple[str, ...] | None
    held: bool = False
    demoted: bool = False
    outdated: bool = False
    cold: bool = False
    answer: float | None = None


Required = Sequence[Sequence[str]]
"""Models by their full names; of each entry any one is enough, as an alias has several."""


@dataclass(frozen=True)
class Choice:
    """The chosen key, or None where nobody is healthy; and the healthy, the best first."""

    key: str | None
    reason: Reason
    ranked: Sequence[Contender] = ()
    required: Required = ()

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """Where each of the healthy stands, the best first. Worked out when somebody asks."""
        if self.reason is Reason.PINNED:
            return {one.key: Standing.CHOSEN if one.key == self.key else Standing.NOT_PINNED for one in self.ranked}
        winner = next((one for one in self.ranked if one.key == self.key), None)
        if winner is None:
            return {}
        return {
            one.key: Standing.CHOSEN if one is winner else _standing(one, winner, self.required) for one in self.ranked
        }


def local_tier(local: Local, preferred: int | None, *, serves: bool) -> int:
    """The tier of this machine. `preferred` is its place in `prefer`, `serves` whether its tailnet sees it."""
    if local is Local.FIRST:
        return FIRST_TIER
    if local is Local.LAST:
        return LAST_TIER
    if preferred is not None:
        return preferred
    return FIRST_TIER if serves else LAST_TIER


def model_rank(models: tuple[str, ...] | None, required: Required) -> int:
    """How many of the required models it lacks; who lists none at all comes after all others.

    A list not known yet has none of the required ones, and is not called empty.
    """
    if models is not None and not models:
        return _NO_MODELS
    return len(lacks(models, required))


def lacks(models: tuple[str, ...] | None, required: Required) -> list[Sequence[str]]:
    """The required ones that are not among these, none of which are where the list is not known."""
    return [names for names in required if not any(has_model(models, name) for name in names)]


def rank(contenders: Iterable[Contender], required: Required = ()) -> list[Contender]:
    """The best first: reports, models, tier, loaded, round trip (not known: last); the key leaves no tie open."""
    return sorted(contenders, key=lambda one: (*_class(one, required), *_distance(one), one.key))


def alike(ranked: Sequence[Contender], required: Required) -> int:
    """How many at the head are as good as the first: nothing but a round trip within the dead band tells them apart."""
    best = ranked[0] if ranked else None
    return sum(
        best is not None
        and (_class(one, required), one.answer) == (_class(best, required), best.answer)
        and not clearly_faster(best.rtt, one.rtt)
        for one in ranked
    )


def _class(one: Contender, required: Required) -> tuple[bool, bool, int, int, bool]:
    """What counts before the round trip. Who lists no model at all can help nobody, not even after reports."""
    models = model_rank(one.models, required)
    return models == _NO_MODELS, one.demoted, models, one.tier, one.cold


def _distance(one: Contender) -> tuple[bool, float]:
    """How far it is in time: who was measured comes before who was not; without figures the round trip counts."""
    if one.answer is not None:
        return False, one.answer
    return True, float("inf") if one.rtt is None else one.rtt


def choose(
    contenders: Iterable[Contender],
    current: str | None,
    *,
    required: Required = (),
    provisional: bool = False,
) -> Choice:
    """Choose among healthy servers. `provisional`: the first round, in which no dead band protects anyone."""
    ranked = rank(contenders, required)
    if not ranked:
        return Choice(None, Reason.NONE_YET)
    incumbent = next((one for one in ranked if one.key == current), None)
    if incumbent is None:
        # Without a healthy incumbent there is nobody to protect from who was held down.
        winner = ranked[0]
    else:
        free = [one for one in ranked if one is incumbent or incumbent.demoted or not (one.held or one.outdated)]
        rival = free[0]
        winner = rival if _displaces(rival, incumbent, required, provisional=provisional) else incumbent
    return Choice(winner.key, _reason(winner, ranked, incumbent, required), ranked, required)


def explained(key: str, contenders: Iterable[Contender], required: Required = ()) -> Choice:
    """The choice that was made, and is kept, of one of these."""
    ranked = rank(contenders, required)
    winner = next(one for one in ranked if one.key == key)
    return Choice(key, _reason(winner, ranked, winner, required), ranked, required)


def pinned(key: str, contenders: Iterable[Contender], required: Required) -> Choice:
    """The choice that the user has made; the others are ranked for who wants to know."""
    return Choice(key, Reason.PINNED, rank(contenders, required), required)


def _displaces(rival: Contender, incumbent: Contender, required: Required, *, provisional: bool) -> bool:
    """Whether the best of the others takes the place of a healthy incumbent."""
    if rival is incumbent:
        return False
    mine, other = _class(rival, required), _class(incumbent, required)
    if mine != other:
        return mine < other
    if (rival.answer is None) != (incumbent.answer is None):
        return incumbent.answer is None
    if rival.answer is not None:
        return provisional or clearly_faster(rival.answer, incumbent.answer)
    return provisional or clearly_faster(rival.rtt, incumbent.rtt)


def _standing(one: Contender, winner: Contender, required: Required) -> Standing:
    if one.demoted and not winner.demoted and _class(one, required)[0] == _class(winner, required)[0]:
        return Standing.REPORTED
    mine, best = model_rank(one.models, required), model_rank(winner.models, required)
    if mine > best:
        return Standing.NO_MODELS if mine == _NO_MODELS else Standing.LACKS_MODEL
    if mine == best and one.tier > winner.tier:
        return Standing.LOWER_TIER
    if mine == best and one.tier == winner.tier and one.cold and not winner.cold:
        return Standing.COLD
    if mine == best and one.tier == winner.tier and _distance(winner) <= _distance(one):
        return _behind(one, winner)
    if one.outdated and not one.held:
        return Standing.UNCHECKED
    return Standing.HELD_DOWN if one.held else Standing.SIMILAR


def _behind(one: Contender, winner: Contender) -> Standing:
    """What the winner is ahead by, where that is time."""
    if winner.answer is None:
        return Standing.SLOWER
    return Standing.UNMEASURED if one.answer is None else Standing.LATER


def _reason(winner: Contender, ranked: Sequence[Contender], incumbent: Contender | None, required: Required) -> Reason:
    others = [one for one in ranked if one is not winner]
    if not others:
        return Reason.ONLY
    if winner is incumbent and ranked[0] is not winner:
        return Reason.HELD_OTHERS if ranked[0].held else Reason.KEPT
    if any(one.demoted and _class(one, required)[2:] < _class(winner, required)[2:] for one in others):
        return Reason.REPORTED_OTHERS
    mine = model_rank(winner.models, required)
    if all(model_rank(one.models, required) > mine for one in others):
        if all(model_rank(one.models, required) == _NO_MODELS for one in others):
            return Reason.MODELS
        return Reason.HAS_MODEL if mine == 0 else Reason.HAS_MORE
    equals = [one for one in others if model_rank(one.models, required) == mine]
    if all(one.tier > winner.tier for one in equals):
        return Reason.TIER
    if all(one.cold for one in equals if one.tier == winner.tier) and not winner.cold:
        return Reason.LOADED
    return Reason.FASTEST if winner.answer is None else Reason.SOONEST


@dataclass(frozen=True, slots=True)
class Flight:
    """A probe under way: seconds since its first SYN, and whether the connection stands."""

    tier: int
    elapsed: float
    connected: bool
    awaited: bool = False


def may_publish(leader: Contender, flights: Iterable[Flight]) -> bool:
    """Whether, in the first round, the best so far can be published before the others are done.

    A peer that has needed longer than the leader's round trip plus the dead band for a step cannot win in
    the leader's tier. An awaited one (it answered before) is given a second. The last resort, which is
    this machine, gives the others the time in which they are called silent: it is the default anyway.
    """
    least = (leader.rtt or 0.0) + DEAD_BAND
    for flight in flights:
        if flight.tier > leader.tier:
            continue
        patience = PROBE_ROUND_TRIPS * least if flight.connected else least
        if leader.tier == LAST_TIER and flight.tier < leader.tier:
            patience = max(patience, SYN_PROVISIONAL)
        if flight.elapsed < (AWAITED_PATIENCE if flight.awaited else patience):
            return False
    return True
