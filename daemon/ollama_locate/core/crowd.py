"""How many machines may ask the same servers, and what is left of a server's time for each of them. Pure.

Nobody tells a daemon of the others. It takes every machine that could run one for one that does, and keeps to its
share: regular checks have turns that are spread evenly, whatever happens; what an event sets going in many daemons
at once is spread over a window. A machine's lot says where in both it stands, and differs for each server.
"""

import zlib
from collections import Counter
from collections.abc import Collection, Iterable
from copy import copy

from .constants import AGAIN_A_SECOND, SHARED_BY, SURGE_A_SECOND
from .server import Server
from .tailnets import Seen
from .trust import Rejected, Rejection

_NO_DAEMON = frozenset(
    {
        Rejection.MULLVAD,
        Rejection.FUNNEL_INGRESS,
        Rejection.PHONE_OR_TV,
        Rejection.EXPIRED,
        Rejection.SHARED_IN,
        Rejection.SHARED_OUT,
        Rejection.NO_ID,
        Rejection.DUPLICATE_ID,
        Rejection.NO_ADDRESS,
    }
)
"""Who runs none, or one to which our servers are another tailnet's, which it leaves alone."""


class Crowd:
    """The other machines. `told` is what the config says of their number, 0: as many as are seen."""

    def __init__(self, born: float, told: int = 0) -> None:
        self.told = told
        self._seen, self._of = 0, dict[str, int]()
        self._born = born
        self._me = f"{born!r}"

    @property
    def machines(self) -> int:
        """How many may ask a server, this one included: a server is asked by all but itself."""
        return self.told or self._seen

    def of(self, server: Server) -> "Crowd":
        """Those who may ask this server."""
        found = copy(self)
        found._seen = self._of.get(server.net, self._seen)  # noqa: SLF001 - a copy of this very one
        return found

    @property
    def shares(self) -> bool:
        """Whether there are more than `interval` is meant for."""
        return self.machines > SHARED_BY

    def share(self, number: int) -> int:
        """Of so many that ten machines may ask for at once, how many this one may: one at the least."""
        return max(1, number * SHARED_BY // self.machines) if self.shares else number

    @property
    def window(self) -> float:
        """Seconds over which the first checks after an event are spread; 0 where all at once are no surge."""
        return self.machines / SURGE_A_SECOND if self.machines > SURGE_A_SECOND else 0.0

    @property
    def again(self) -> float:
        """The least seconds between checks of a server, where a daemon needs one and has none."""
        return self.machines / AGAIN_A_SECOND

    def see(self, seen: Collection[Seen], rejected: Iterable[Rejected]) -> None:
        """Count who is there, on or off: who is off now may be on when it matters.

        The machines of one tailnet do not ask the servers of another: those of none count with the largest.
        """
        without = Counter(one.net for one in rejected if one.reason in _NO_DAEMON)
        self._of = {net.name: len(tailnet.peers) - without[net.name] for net, tailnet in seen}
        self._seen = max(self._of.values(), default=0)
        self._me = " ".join([*(tailnet.self.id for _, tailnet in seen), repr(self._born)])

    def lot(self, key: str) -> float:
        """This machine's place with a server, from 0 to 1: even over machines, and always the same."""
        return zlib.crc32(f"{key} {self._me}".encode()) / 2**32

    def soon(self, server: Server, now: float) -> float:
        """When to ask a server after an event that others may see as well."""
        return now if server.loopback else now + self.of(server).window * self.lot(server.key)

    def cycle(self, interval: float) -> float:
        """Seconds from one regular turn with a server to the next."""
        return interval * max(1.0, self.machines / SHARED_BY)

    def until_turn(self, key: str, now: float, interval: float) -> float:
        """Seconds to this machine's next regular turn with a server, `interval` at the least.

        Turns stand still: an event that made thousands ask at once does not make them ask together ever after.
        """
        cycle = self.cycle(interval)
        left = (self.lot(key) * cycle - now) % cycle
        return left if left >= interval else left + cycle
