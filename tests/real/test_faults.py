"""Servers that die, fall silent or hang, and come back: how long a dead one stays published.

The daemon has its default interval of 30 s where nothing else is said: it must notice by other means than asking.
"""

from __future__ import annotations

import concurrent.futures
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.real.conftest import Daemons
    from tests.real.figures import Figures
    from tests.real.lab import Lab

pytestmark = pytest.mark.real

# Goals in seconds: the median, the worst.
KILLED = 0.15, 0.3
SILENT = 4.0, 5.0
HANGS = 35.0  # one interval of 2 s, then five answers that are waited for: 1 to 16 s, as it may be busy
BACK = 3.0
ONLINE = 1.0
ONLY_GPU = '["nas", "empty", "idle", "box"]'


def phase(run: int) -> float:
    """Return for how long to wait: keep-alives are 2 s apart, and the fault comes at any time between two."""
    return run * 0.7 % 2.0


def left(lab: Lab, one: str, other: str) -> list[tuple[str, str]]:
    """Return what the files say when one is left for the other as it should be: never stale."""
    return [(lab.url(one), "fresh"), (lab.url(other), "fresh")]


@pytest.mark.usefixtures("run")
def test_a_killed_server_is_left(lab: Lab, daemons: Daemons, figures: Figures) -> None:
    located = daemons()
    located.ready(lab.url("gpu"))
    event = time.time()
    with lab.ollama_killed("gpu"):
        seconds = located.writes(lab.url("nas"), event, 45)
        assert located.seen == left(lab, "gpu", "nas")
    figures.seconds("Ollama killed -> the other", seconds, KILLED[1], KILLED[0])


@pytest.mark.usefixtures("run")
def test_a_killed_server_behind_serve_is_left(lab: Lab, daemons: Daemons, figures: Figures) -> None:
    """Tailscaled goes on accepting for it; that it closes at once is the only sign."""
    located = daemons(prefer='["nas", "*"]')
    located.ready(lab.url("nas"))
    event = time.time()
    with lab.ollama_killed("nas"):
        seconds = located.writes(lab.url("gpu"), event, 45)
        assert located.seen == left(lab, "nas", "gpu")
    figures.seconds("Ollama behind `tailscale serve` killed -> the other", seconds, KILLED[1], KILLED[0])


def test_a_silent_machine_is_left(lab: Lab, daemons: Daemons, figures: Figures, run: int) -> None:
    """The cable is pulled; how long the connection had been idle then is another one in each run."""
    located = daemons()
    located.ready(lab.url("gpu"))
    time.sleep(phase(run))
    event = time.time()
    with lab.unplugged("gpu"):
        seconds = located.writes(lab.url("nas"), event, 60)
        assert located.seen == left(lab, "gpu", "nas")
    figures.seconds("cable pulled -> the other", seconds, SILENT[1], SILENT[0])


@pytest.mark.usefixtures("run")
def test_a_server_that_hangs_is_left(lab: Lab, daemons: Daemons, figures: Figures) -> None:
    """Stopped, it keeps its connections and accepts new ones: only that it does not answer tells."""
    located = daemons(interval='"2s"')
    located.ready(lab.url("gpu"))
    event = time.time()
    with lab.ollamas["gpu"].paused():
        seconds = located.writes(lab.url("nas"), event, 90)
        assert located.seen == left(lab, "gpu", "nas")
    figures.seconds("Ollama hangs -> the other, interval 2 s", seconds, HANGS)


def test_the_only_machine_is_back(lab: Lab, daemons: Daemons, figures: Figures, run: int) -> None:
    """While nothing else is up its address stays published, as stale; it is wanted back as soon as it can be had."""
    located = daemons(deny=ONLY_GPU)
    located.ready(lab.url("gpu"))
    time.sleep(phase(run))
    with located.watched() as endpoints, concurrent.futures.ThreadPoolExecutor() as pool:
        with lab.unplugged("gpu"):
            event = time.time()
            away = located.becomes("stale", event, 60)
        reached = pool.submit(lab.reached, "gpu")
        back = located.becomes("fresh", time.time(), 60) and time.time()
        seconds = max(0.0, back - reached.result())
    assert endpoints == [lab.url("gpu")]
    figures.seconds("the only machine unplugged -> stale", away, SILENT[1], SILENT[0])
    figures.seconds("tailscaled reaches it again -> fresh", seconds, BACK)


@pytest.mark.usefixtures("run")
def test_a_machine_that_comes_online_is_used(lab: Lab, daemons: Daemons, figures: Figures) -> None:
    """The better one was away for longer than the daemon runs; tailscaled's bell says when it is there."""
    gpu = lab.node("gpu")
    lab.tailnet.set("gpu", online="false")
    try:
        located = daemons()
        with lab.unplugged("gpu"):
            located.writes(lab.url("nas"), located.start(), 20)
            located.shows(lambda state: state.tailnet.watch == "bus", 15, "the bell is heard")
            located.shows(lambda state: state.server("gpu").outcome == "silent", 15, "gpu was asked in vain")
        lab.reached("gpu")
        before = gpu.connects()
        assert located.endpoint() == lab.url("nas")
        event = time.time()
    finally:
        lab.tailnet.set("gpu", online="true")
    seconds = located.writes(lab.url("gpu"), event, 60)
    assert located.seen == left(lab, "nas", "gpu")
    assert gpu.connects() > before
    figures.seconds("a better machine is said to be online -> it", seconds, ONLINE)
