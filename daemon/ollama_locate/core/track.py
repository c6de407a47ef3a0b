"""The values the locator works on: what is known of a server, and what was decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from .complaints import Complaints
from .constants import FALL, FALL_BUSY, TIMEOUT
from .health import Health
from .inventory import Model
from .outcome import Outcome, Probe
from .patience import AnswerTime
from .pin import Pin
from .selection import Choice, Local, Reason, Required
from .server import Server, Where
from .speed import Speed
from .trust import Policy


class Verdict(Enum):
    """How far the published endpoint can be relied on."""

    FRESH = "fresh"
    STALE = "stale"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Settings:
    """What of the config decides anything; times in seconds. `speeds`: by which servers are compared, if at all.

    `require`: what the user requires; an alias stands there by its name, as not each is in force at each moment.
    `machines`: how many may ask the same servers, 0: as many as are seen.
    """

    policy: Policy
    interval: float
    local: Local = Local.AUTO
    require: Required = ()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cloud: bool = False
    speeds: tuple[Speed, ...] = ()
    timeout: float = TIMEOUT
    sentinel: bool = True
    pin: Pin | None = None
    machines: int = 0


@dataclass(frozen=True, slots=True)
class LastGood:
    """The server that was chosen last, even if nothing is known of it now."""

    key: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be published. `since` (monotonic) is when this server was chosen; `choice` what led to it."""

    verdict: Verdict
    server: LastGood | None
    reason: Reason
    since: float
    provisional: bool = False
    choice: Choice = field(default=Choice(None, Reason.NONE_YET), compare=False)


@dataclass(slots=True)
class Track:
    """Everything known of one server. `probe` is the last finished one; times are monotonic.

    `models` are the names by which its models can be asked for, `stock` all that is known of them.

    `alive_at` is when it last showed that it lives, by an answer or by the sentinel's connection.
    """

    server: Server
    due: float
    health: Health = field(default_factory=Health)
    probe: Probe | None = None
    models: tuple[str, ...] | None = None
    stock: tuple[Model, ...] | None = None
    rtt: float | None = None
    recent: tuple[float, ...] = ()
    repeats: int = 0
    checked: float | None = None
    alive_at: float | None = None
    answers: AnswerTime = field(default_factory=AnswerTime)
    complaints: Complaints = field(default_factory=Complaints)

    @property
    def floor(self) -> float | None:
        """The round trip by which it is compared: the least of the last few since it came up."""
        return min(self.recent, default=self.rtt)

    def fall(self) -> int:
        """How many failures in a row bring it down, by what the last probe found: busy is not dead."""
        return FALL_BUSY if self.probe is not None and self.probe.outcome is Outcome.BUSY else FALL

    def turn(self) -> tuple[bool, bool, bool, float]:
        """Sorts those who are due: who has answered, who was never asked (online ones first), who waits longest."""
        asked = self.checked is not None
        return self.health.answered_at is None, asked, not asked and not self.server.online, self.due


@dataclass(slots=True)
class UnderWay:
    """A probe that is out: when and where it was sent, and whether the connection stands."""

    sent: float
    where: Where
    connected: bool = False
