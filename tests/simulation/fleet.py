"""Thousands of daemons and their servers: the real locators, each driven as located/daemon.py drives it, in one heap.

Every member sees the servers by a tag that it allows, and is told how many machines there are: so is a fleet whose ACL
shows nobody else. What the servers see is counted by the second. No packet is lost here: `world.py` has that.
"""

import heapq
import itertools
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from ollama_locate.core.bounds import OPENING_GAP, REARM_DELAY, SETTLE_GAP
from ollama_locate.core.constants import INTERVAL, SENTINEL_IDLE, SENTINEL_USER_TIMEOUT
from ollama_locate.core.locator import Locator
from ollama_locate.core.outcome import Outcome, Probe
from ollama_locate.core.patterns import parse_pattern
from ollama_locate.core.selection import Local
from ollama_locate.core.tailnet import Peer, Tailnet
from ollama_locate.core.track import Settings, Verdict
from ollama_locate.core.trust import Policy

from .world import NOTICED_OFFLINE

SITES = 10
MODELS = ("qwen3:32b", "mistral:latest")
_OFFICE, _FAR = (0.001, 0.003), (0.015, 0.090)
_HEARD = (0.2, 3.0)
"""Seconds until a member has heard from the control server, and has looked, that a peer came online."""

Act = Callable[..., None]


@dataclass
class Box:
    """A server. `asked` counts the checks that it answered, by the second; `knocks` the connects that it refused."""

    number: int
    site: int
    up: bool = True
    online: bool = True
    asked: Counter[int] = field(default_factory=Counter)
    knocks: Counter[int] = field(default_factory=Counter)
    watchers: set["Member"] = field(default_factory=set)

    @property
    def key(self) -> str:
        """The locators' name of it."""
        return f"box{self.number}:11434"


class Fleet:
    """Members by the thousand. `told` is what each is told of their number, `prefer` the order of all of them."""

    def __init__(self, members: int, boxes: int, told: int, prefer: tuple[str, ...] = (), seed: int = 1) -> None:
        self.now = 0.0
        self.rng = Random(f"fleet {seed}")
        self.boxes = [Box(number, number % SITES) for number in range(boxes)]
        self.by_key = {box.key: box for box in self.boxes}
        policy = Policy(
            (11434,),
            prefer=tuple(parse_pattern(text) for text in prefer),
            allow=(parse_pattern("tag:ollama"),),
            use_local=False,
            check_self=False,
        )
        self.settings = Settings(policy, INTERVAL, Local.OFF, machines=told)
        self.members = [Member(self, number) for number in range(members)]
        self.told = told
        self.moved: list[tuple[float, int, str]] = []
        self._heap: list[tuple[float, int, Act, tuple[object, ...]]] = []
        self._count = itertools.count()

    def after(self, seconds: float, act: Act, *args: object) -> None:
        """Do it later."""
        heapq.heappush(self._heap, (self.now + seconds, next(self._count), act, args))

    def run(self, until: float) -> None:
        """Let time go on."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            self.now, _, act, args = heapq.heappop(heap)
            act(*args)
        self.now = until

    def peers(self) -> tuple[Peer, ...]:
        """The servers as tailscaled lists them."""
        return tuple(_peer(f"box{box.number}", box.number, online=box.online) for box in self.boxes)

    # --- what befalls the servers

    def kill(self, box: Box) -> None:
        """Ollama ends, its machine lives: connections end at once, and new ones are refused."""
        box.up = False
        for member in list(box.watchers):
            self.after(member.rtt(box) / 2, member.lost, box)

    def revive(self, box: Box) -> None:
        """Ollama runs again, and nobody says so."""
        box.up = True

    def unplug(self, box: Box) -> None:
        """The machine is off: silence, which the sentinel notices, and half a minute later the control server."""
        box.up = box.online = False
        for member in list(box.watchers):
            self.after(self.rng.uniform(SENTINEL_USER_TIMEOUT - 1.4, SENTINEL_USER_TIMEOUT + 0.5), member.lost, box)
        self.after(self.rng.uniform(*NOTICED_OFFLINE), self._tell)

    def plug(self, box: Box) -> None:
        """The machine is on again, and everybody is told that it is online."""
        box.up = box.online = True
        self._tell()

    def _tell(self) -> None:
        """The control server tells everybody who is online."""
        peers = self.peers()
        for member in self.members:
            if member.started:
                self.after(self.rng.uniform(*_HEARD), member.look, peers)


class Member:
    """One machine: its locator, its sentinel's connection, what it has published."""

    def __init__(self, fleet: Fleet, number: int) -> None:
        self.number, self.site = number, number % SITES
        self.started = False
        self.published: str | None = None
        self._fleet = fleet
        self._locator: Locator
        self._armed = math.inf
        self._settling = self._rearming = False
        self._jitter = 0.0
        self._watched: Box | None = None

    def rtt(self, box: Box) -> float:
        """The round trip to a server: short within a site, and the same between two others."""
        if box.site == self.site:
            return Random(self.number * 1000 + box.number).uniform(*_OFFICE)
        return Random(box.site * SITES + self.site).uniform(*_FAR)

    def start(self, peers: tuple[Peer, ...]) -> None:
        """The daemon starts, and looks at the tailnet."""
        self.started = True
        self._locator = Locator(self._fleet.settings, self._fleet.now)
        self.look(peers)

    def look(self, peers: tuple[Peer, ...]) -> None:
        """It sees these peers."""
        me = _peer(f"laptop{self.number}", 5000 + self.number, mine=True)
        self._locator.see(Tailnet(me, peers, "tail-lab.ts.net", tun=True), self._fleet.now)
        self._probe_due()
        self._changed()

    def wake(self) -> None:
        """The machine slept, and is awake again."""
        self._locator.resume(self._fleet.now)
        self._probe_due()
        self._changed()

    def ages(self) -> list[float]:
        """Seconds since each server that is not the chosen one has answered."""
        return [
            self._fleet.now - track.health.answered_at
            for key, track in self._locator.tracks.items()
            if key != self.published and track.health.answered_at is not None
        ]

    # --- probes

    def _arm(self) -> None:
        self._rearming = False
        due = self._locator.next_due()
        if due is not None and due < self._armed:
            self._armed = due
            self._fleet.after(max(0.0, due - self._fleet.now), self._probe, due)

    def _probe(self, armed: float) -> None:
        if armed == self._armed:
            self._probe_due()

    def _probe_due(self) -> None:
        fleet, now = self._fleet, self._fleet.now
        self._armed = math.inf
        for server in self._locator.due(now):
            self._locator.begin(server.key, now)
            takes, probe = self._ask(fleet.by_key[server.key], sure=self._locator.terms(server.key).sure)
            fleet.after(takes, self._finish, server.key, probe)
        self._jitter = fleet.rng.uniform(-1, 1)
        self._arm()

    def _ask(self, box: Box, *, sure: bool) -> tuple[float, Probe]:
        now, rtt = self._fleet.now, self.rtt(box) * self._fleet.rng.uniform(1.0, 1.1)
        if box.up:
            box.asked[int(now)] += 1
            return 3 * rtt, Probe(
                Outcome.ALIVE, now, rtt=rtt, version="0.17.4", models=MODELS, connected=True, answer=rtt
            )
        box.knocks[int(now)] += 1
        if box.online:
            return rtt, Probe(Outcome.REFUSED, now)
        return (1.4, Probe(Outcome.SILENT, now, attempts=2)) if sure else (1.0, Probe(Outcome.SILENT, now))

    def _finish(self, key: str, probe: Probe) -> None:
        if self._locator.finish(key, probe, self._fleet.now, self._jitter):
            self._changed()
        if not self._rearming:
            self._rearming = True
            self._fleet.after(REARM_DELAY, self._arm)

    # --- the decision

    def _changed(self) -> None:
        if not self._settling:
            self._settling = True
            self._fleet.after(SETTLE_GAP, self._settle)

    def _settle(self) -> None:
        fleet, self._settling = self._fleet, False
        decision = self._locator.decide(fleet.now)
        if decision is None:
            self._settling = True
            fleet.after(OPENING_GAP, self._settle)
            return
        fresh = decision.server.key if decision.server and decision.verdict is Verdict.FRESH else None
        if fresh != self.published:
            self.published = fresh
            fleet.moved.append((fleet.now, self.number, fresh or ""))
        self._watch()

    def _watch(self) -> None:
        wanted = self._locator.watch(self._fleet.now)
        box = self._fleet.by_key[wanted.key] if wanted else None
        if box is self._watched:
            return
        if self._watched is not None:
            self._watched.watchers.discard(self)
        self._watched = box
        if box is not None:
            self._fleet.after(self.rtt(box), self._connected, box)

    def _connected(self, box: Box) -> None:
        if box is not self._watched:
            return
        if box.up:
            box.watchers.add(self)
            self._locator.watching(box.key, self._fleet.now)
        else:
            self._watched = None
            self._locator.unwatchable(box.key, self._fleet.now)
            self._probe_due()
            self._changed()

    def lost(self, box: Box) -> None:
        """The sentinel's connection has ended."""
        box.watchers.discard(self)
        if self._watched is box:
            self._watched = None
            self._locator.lost(box.key, self._fleet.now, self._fleet.now - SENTINEL_IDLE)
            self._probe_due()
            self._changed()


def _peer(name: str, number: int, *, online: bool = True, mine: bool = False) -> Peer:
    address = f"100.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
    return Peer(
        id=name,
        name=name,
        dns_name=f"{name}.tail-lab.ts.net",
        host_name=name,
        os="linux",
        user_id=1 if mine else 2,
        login="",
        tags=() if mine else ("tag:ollama",),
        addresses=(address,),
        online=online,
        expired=False,
        shared_out=False,
        shared_in=False,
        path="direct",
    )
