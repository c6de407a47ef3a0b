"""What must not change the endpoint: the tailnet's own machinery restarts, or is away for a while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.real.figures import FULL

if TYPE_CHECKING:
    from tests.real.conftest import Daemons
    from tests.real.figures import Figures
    from tests.real.lab import Lab

pytestmark = pytest.mark.real

AFTER = 3.0  # for how long it is watched when nothing more is to come
BACK = 5.0
CONTROL_AWAY = 300 if FULL else 60


def test_tailscaled_restarts(lab: Lab, daemons: Daemons, figures: Figures, run: int) -> None:
    """At once, or with up to 4 s in between, in which no server can be reached."""
    located = daemons()
    located.ready(lab.url("gpu"))
    with located.watched() as endpoints:
        with lab.tailscaled_stopped():
            time.sleep(run % 5)
            event = time.time()
        located.shows(lambda state: state.server("gpu").checked_since(event), 60, "gpu is asked again")
        fresh = located.becomes("fresh", event, 60)
        time.sleep(AFTER)
    assert (located.verdict(), endpoints[0]) == ("fresh", lab.url("gpu"))
    figures.changes("tailscaled restarted: changes", len(endpoints) - 1)
    figures.seconds("tailscaled restarted -> gpu has been asked, fresh", fresh, BACK)
    located.shows(lambda state: state.tailnet.watch == "bus", 15, "the bell is heard again")


@pytest.mark.usefixtures("run")
def test_the_own_cable_is_pulled(lab: Lab, daemons: Daemons, figures: Figures) -> None:
    """Nobody answers any more: the fault is here, so that no other server would be better."""
    located = daemons()
    located.ready(lab.url("gpu"))
    with located.watched() as endpoints:
        with lab.unplugged("laptop"):
            located.becomes("stale", time.time(), 60)
            time.sleep(AFTER)
            event = time.time()
        back = located.becomes("fresh", event, 60)
        time.sleep(AFTER)
    figures.changes("own cable pulled: changes", len(endpoints) - 1)
    figures.seconds("own cable plugged in -> fresh", back, BACK)


def test_the_control_server_is_away(lab: Lab, daemons: Daemons, figures: Figures) -> None:
    """DERP and STUN are away with it, as they are one program here; the direct paths stay."""
    located = daemons()
    located.ready(lab.url("gpu"))
    with located.watched() as endpoints:
        with lab.tailnet.control_paused():
            time.sleep(CONTROL_AWAY)
            state = located.state()
        time.sleep(AFTER)
    assert state
    assert (state.decision.verdict, located.verdict(), endpoints[0]) == ("fresh", "fresh", lab.url("gpu"))
    figures.changes(f"control server away for {CONTROL_AWAY} s: changes", len(endpoints) - 1)


def test_without_the_bell_the_tailnet_is_polled(lab: Lab, daemons: Daemons) -> None:
    """A user who may not read tailscaled's socket: `why` and the log say so, and all else is as ever."""
    deaf, hearing = daemons(bell=False), daemons()
    for located in (deaf, hearing):
        located.ready(lab.url("gpu"))
    hearing.shows(lambda state: state.tailnet.watch == "bus", 15, "the bell is heard")
    state = deaf.state()
    assert state
    assert state.tailnet.watch == "poll"
    assert "cannot be listened to" in deaf.log()
    assert deaf.cli("why").stdout != hearing.cli("why").stdout
