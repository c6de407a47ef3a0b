"""A moment from which on something holds: for everybody, or for the servers of one tailnet."""

from .server import Server


class Since:
    """Times are monotonic; the later of the two holds for a server."""

    def __init__(self, everybody: float) -> None:
        self._everybody = everybody
        self._nets: dict[str, float] = {}

    def set(self, at: float, net: str | None = None) -> None:
        """From then on, for the servers of this tailnet; None: for all."""
        if net is None:
            self._everybody = at
        else:
            self._nets[net] = at

    def of(self, server: Server) -> float:
        """When it holds for this server."""
        return max(self._everybody, self._nets.get(server.net, self._everybody))
