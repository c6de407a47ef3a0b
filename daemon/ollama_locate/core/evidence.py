"""Whose fault is it? Who has answered since a server's first failure, and so shows that the network works."""

from collections import deque

from .constants import EVIDENCE_KEPT, SURE_GAP, SYN_HEDGE
from .health import Health, Proof
from .outcome import Outcome, Probe
from .server import Kind, Server


class Evidence:
    """When the latest probes were sent that somebody answered: over a network, or on this machine only.

    A tailnet is a network of its own: that one of another tailnet answers is enough to use it instead, as an answer
    of this machine is, and not enough to hold the failure against the first.
    """

    def __init__(self) -> None:
        self._network: deque[tuple[float, float, str | None]] = deque(maxlen=EVIDENCE_KEPT)
        self._loopback = float("-inf")

    def note(self, server: Server, probe: Probe, heard: float | None = None) -> bool:
        """Take in a finished probe, which was heard just now, and say whether it is evidence.

        A refusal is an answer of the network; on this machine only a live Ollama counts.
        """
        if server.loopback:
            if probe.outcome is Outcome.ALIVE:
                self._loopback = max(self._loopback, probe.sent)
            return probe.outcome is Outcome.ALIVE
        if probe.reached:
            # Of a probe that took long, the packet that came through may have been a later one than the first.
            late = 0.0 if heard is None else heard - (probe.answer or 0.0) - SYN_HEDGE
            self._network.append((probe.sent, max(probe.sent, late), _tailnet(server)))
        return probe.reached

    def against(self, server: Server, health: Health, probe: Probe) -> Proof:
        """Who has answered a probe sent after the first of this server's failures, of which `probe` is the last."""
        since = probe.sent if health.suspect_since is None else health.suspect_since
        own, last = _tailnet(server), _last_packet(probe)
        heard = {tailnet for sent, came, tailnet in self._network if since <= sent and came <= last}
        if heard and (own is None or heard & {own, None}):
            return Proof.NETWORK
        # A server of this machine that refuses has itself shown that it can be reached.
        refuses_here = server.loopback and probe.reached
        return Proof.LOOPBACK if heard or refuses_here or self._loopback >= since else Proof.NONE

    def outdates(self, probe: Probe) -> bool:
        """Whether somebody has answered what was sent after this probe's last packet."""
        return any(came > _last_packet(probe) for _, came, _ in self._network)


def _tailnet(server: Server) -> str | None:
    """The tailnet that an answer speaks of; None of a static server, which may be anywhere."""
    return server.net if server.kind is Kind.PEER else None


def _last_packet(probe: Probe) -> float:
    """What others answer afterwards may be the answer of a network that has come back since this was silent."""
    if probe.outcome is not Outcome.SILENT:
        return float("inf")
    return probe.sent + SURE_GAP * (probe.attempts - 1)
