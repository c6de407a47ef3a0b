"""A virtual path to one server: what a probe of it finds, and when. Jitter and loss have heavy tails.

It follows edge/probe.py and edge/dial.py: a connect with a second socket, the version, a burst of three
connects. The kernel sends a lost SYN again after 1 s and 3 s, and lost data after 0.2 s, doubling.
"""

from random import Random
from typing import NamedTuple

from ollama_locate.core.constants import (
    ANSWER_MIN,
    BURST,
    SURE_ATTEMPTS,
    SURE_GAP,
    SYN_HEDGE,
    SYN_PATIENCE_KNOWN,
    SYN_PATIENCE_ROUND_TRIPS,
    SYN_PROVISIONAL,
    TIMEOUT,
)
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.patience import Terms

from . import library
from .timeline import State, Timeline

MODELS = (library.EVERYWHERE,)
SYN_AGAIN = (0.0, 1.0, 3.0)
DATA_AGAIN = 0.2
ALPHA = 1.5
"""Of the Lomax (Pareto) distribution of the jitter: its variance is infinite."""

_ONE, _THREE = -1 / ALPHA, -1 / (ALPHA * BURST)
_SAFE = ANSWER_MIN / 2


class Flight(NamedTuple):
    """What becomes of one probe, relative to when it was sent: seconds until connected and until its end."""

    connected: float | None
    ends: float
    probe: Probe


class Path:
    """The way to one server. `jitter` is the scale of what is added to each round trip, `loss` a share of them."""

    def __init__(
        self, timeline: Timeline, rng: Random, *, jitter: float, loss: float, patience: float = TIMEOUT
    ) -> None:
        self.timeline = timeline
        self.loss = loss
        self._jitter = jitter
        self._draw = rng.random
        self._rng = rng
        self._patience = patience
        self._all_arrive = (1 - loss) ** (2 + BURST)

    def probe(self, sent: float, shift: float, terms: Terms) -> Flight:
        """A probe sent at `sent` of the core's clock, which is `shift` behind the world's."""
        timeline, draw = self.timeline, self._draw
        phase = timeline.phase
        if (
            phase.state is State.UP
            and not phase.busy
            and sent + shift + 1.0 < timeline.until
            and draw() < self._all_arrive
        ):
            rtt, scale = phase.rtt, self._jitter
            connect = rtt + scale * (draw() ** _ONE - 1)
            answer = rtt + scale * (draw() ** _ONE - 1)
            least = rtt + scale * (draw() ** _THREE - 1)
            if connect < SYN_HEDGE and answer < _SAFE and least < _SAFE:
                ends = connect + answer + 1.2 * least
                probe = Probe(
                    Outcome.ALIVE, sent, "", least, 0.2 * least, "0.17.4", MODELS, connected=True, answer=answer
                )
                return Flight(connect, ends, probe)
        return self._in_detail(sent, shift, terms)

    # --- the same, when something is lost, late or dead

    def _round_trip(self, at: float) -> float | None:
        """Of a packet that leaves now; None where nothing comes back."""
        phase = self.timeline.at(at)
        if self._draw() < self.loss:
            return None
        taken = phase.rtt + self._jitter * (self._draw() ** _ONE - 1)
        return None if self.timeline.at(at + phase.rtt / 2).state is State.SILENT else taken

    def connect(self, at: float, patience: float, hedge: float) -> tuple[float, bool] | None:
        """Seconds to the first answer to one of the SYNs, and whether it accepts. `at` is the world's time."""
        best: tuple[float, bool] | None = None
        for begun in (0.0, hedge):
            for again in SYN_AGAIN:
                sent = begun + again
                if sent >= patience or (best is not None and sent > best[0]):
                    break
                taken = self._round_trip(at + sent)
                if taken is None or sent + taken > patience:
                    continue
                accepts = self.timeline.at(at + sent + taken / 2).state is not State.KILLED
                if best is None or sent + taken < best[0]:
                    best = sent + taken, accepts
                break
        return best

    def _answer(self, at: float, patience: float) -> tuple[Outcome, float]:
        """What comes on a connection that stands, and after how many seconds."""
        sent, wait = 0.0, DATA_AGAIN
        while sent < patience:
            taken = self._round_trip(at + sent)
            phase = self.timeline.at(at + sent)
            if taken is not None and phase.state is not State.HUNG:
                if phase.state in (State.KILLED, State.CLOSED):
                    return Outcome.EMPTY, sent + taken
                busy = phase.busy * self._rng.lognormvariate(0.0, 0.4) if phase.busy else 0.0
                return (
                    (Outcome.ALIVE, sent + taken + busy) if sent + taken + busy < patience else (Outcome.BUSY, patience)
                )
            sent, wait = sent + wait, wait * 2
        return Outcome.BUSY, patience

    def _in_detail(self, sent: float, shift: float, terms: Terms) -> Flight:
        at = sent + shift
        patience, hedge = self._patience, SYN_HEDGE
        if terms.rtt is not None:
            patience = min(patience, max(SYN_PATIENCE_KNOWN, SYN_PATIENCE_ROUND_TRIPS * terms.rtt))
        if terms.sure:
            patience, hedge = patience + SURE_GAP, SURE_GAP
        stands = self.connect(at, patience, hedge)
        if stands is None:
            attempts = SURE_ATTEMPTS if terms.sure else 1
            return Flight(None, patience, Probe(Outcome.SILENT, sent, attempts=attempts))
        connected, accepts = stands
        if not accepts:
            return Flight(None, connected, Probe(Outcome.REFUSED, sent))
        outcome, answer = self._answer(at + connected, terms.answer_wait)
        ends = connected + answer
        if outcome is not Outcome.ALIVE:
            return Flight(connected, ends, Probe(outcome, sent, connected=True))
        samples = [one for one in (self._round_trip(at + ends) for _ in range(BURST)) if one is not None]
        least = min(samples, default=None)
        ends += SYN_PATIENCE_KNOWN if least is None else min(3 * least, max(samples))
        probe = Probe(outcome, sent, "", least, 0.0, "0.17.4", MODELS, connected=True, answer=answer)
        return Flight(connected, ends, probe)


QUIET = SYN_PROVISIONAL
"""When a connect that does not stand yet is called silent for now."""
