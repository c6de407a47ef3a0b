"""Whose fault is it? Who has answered since a server's first failure, and so shows that the network works."""

from .health import Health, Proof
from .outcome import Outcome, Probe
from .server import Server


class Evidence:
    """When the latest probe was sent that somebody answered: over a network, or on this machine only."""

    def __init__(self) -> None:
        self._network = self._loopback = float("-inf")

    def note(self, server: Server, probe: Probe) -> bool:
        """Take in a finished probe, and say whether it is evidence.

        A refusal is an answer of the network; on this machine only a live Ollama counts.
        """
        if server.loopback:
            if probe.outcome is Outcome.ALIVE:
                self._loopback = max(self._loopback, probe.sent)
            return probe.outcome is Outcome.ALIVE
        if probe.reached:
            self._network = max(self._network, probe.sent)
        return probe.reached

    def against(self, server: Server, health: Health, probe: Probe) -> Proof:
        """Who has answered a probe sent after the first of this server's failures, of which `probe` is the last."""
        since = probe.sent if health.suspect_since is None else health.suspect_since
        if self._network >= since:
            return Proof.NETWORK
        # A server of this machine that refuses has itself shown that it can be reached.
        refuses_here = server.loopback and probe.reached
        return Proof.LOOPBACK if refuses_here or self._loopback >= since else Proof.NONE
