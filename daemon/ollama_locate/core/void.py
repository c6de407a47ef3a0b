"""Which results of probes say nothing of today."""

from .health import Status
from .outcome import Outcome, Probe
from .roster import Roster
from .since import Since
from .track import Track, UnderWay


class Void:
    """Failures of probes sent `before` this say nothing, nor does, until `settles`, the silence of one who is up."""

    def __init__(self, roster: Roster, now: float) -> None:
        self._roster = roster
        self.before, self.settles = Since(now), Since(now)

    def covers(self, track: Track, flight: UnderWay, probe: Probe) -> bool:
        """Whether a probe says nothing of today: of another address, of a tailnet that is away or was since."""
        server, since = track.server, track.health.suspect_since
        if not self._roster.reachable(server) or server.where != flight.where:
            return True
        if since is not None and probe.sent < since:
            # Under way before the first sign that it died: its answer may be older, and its failure is the same one.
            return True
        if probe.outcome is Outcome.ALIVE:
            return False
        if (
            track.health.status is Status.UP
            and probe.outcome is Outcome.SILENT
            and probe.sent < self.settles.of(server)
        ):
            return True
        return not server.loopback and flight.sent < self.before.of(server)
