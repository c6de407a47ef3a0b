"""The tailnet of the real tier, made once; what the machine lacks for it is named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.real import build, needs
from tests.real.located import Located
from tests.real.ollama import PORT, Ollama
from tests.real.tailnet import Tailnet

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from tests.real.tailnet import Node

    Measure = Callable[[str, float, float], None]

FIGURES = pytest.StashKey[list[tuple[str, float, float]]]()
REPORT = pytest.StashKey[pytest.TestReport]()
MODEL = "mistral"


class Lab:
    """The user's tailnet: their laptop, and the machines that it may or may not use."""

    def __init__(self, tailnet: Tailnet) -> None:
        self.tailnet = tailnet
        self.ollamas: dict[str, Ollama] = {}
        self.laptop = tailnet.add("laptop")
        self._ollama("gpu", model=True)
        self._ollama("nas", model=True, bind="127.0.0.1")
        self.node("nas").tailscale("serve", "--bg", "--tcp", str(PORT), f"tcp://127.0.0.1:{PORT}")
        self._ollama("empty", model=False)
        tailnet.add("idle")
        self._ollama("bob", model=True)
        tailnet.set("bob", user="999")
        self._ollama("guest", model=True)
        tailnet.set("guest", user="888", sharer="777")
        self._ollama("box", model=True, bind="127.0.0.1", userspace=True)
        for name in ("gpu", "bob", "guest"):
            self.node(name).count_connects(PORT)

    def _ollama(self, name: str, *, model: bool, bind: str = "", userspace: bool = False) -> None:
        """Add a node with a running Ollama, bound to its tailnet address where nothing else is said."""
        node = self.tailnet.add(name, userspace=userspace)
        server = Ollama(node, self.tailnet.programs / "ollama", bind=bind or node.ip)
        server.start()
        if model:
            server.create(MODEL)
        self.ollamas[name] = server

    def node(self, name: str) -> Node:
        return self.tailnet.nodes[name]

    def url(self, name: str) -> str:
        return f"http://{self.node(name).ip}:{PORT}"

    def settled(self) -> None:
        """Wait until the laptop has a direct path to every other node."""
        for node in self.tailnet.nodes.values():
            if node is not self.laptop:
                self.laptop.reaches(node, "direct")


@pytest.fixture(scope="session")
def programs() -> Path:
    """Tailscale, the control server and Ollama; a machine that cannot have them ends the tier here."""
    lacks = needs.lacking(to_build=not build.ready())
    if not lacks:
        return build.build()
    reason = "the real tier lacks: " + "; ".join(map(str, lacks))
    if os.environ.get("CI") == "true" and not any(lack.refused for lack in lacks):
        pytest.fail(reason, pytrace=False)
    print(f"real: {reason}", flush=True)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def lab(programs: Path) -> Iterator[Lab]:
    """The tailnet with everything on it running."""
    with Tailnet(programs) as tailnet:
        yield Lab(tailnet)


@pytest.fixture
def located(lab: Lab, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Located]:
    """A daemon of this test's own, not started yet, on a tailnet at rest.

    Round trips here are all below 1 ms: its preference makes the choice definite.
    """
    lab.settled()
    daemon = Located(lab.laptop, tmp_path, prefer='["gpu", "*"]')
    yield daemon
    code = daemon.stop()
    report = request.node.stash.get(REPORT, None)
    if report and report.failed:
        print(daemon.report())
    assert code == 0, "the daemon did not end by itself on SIGTERM"


@pytest.fixture
def measure(request: pytest.FixtureRequest) -> Measure:
    """Keep a figure for the table at the end; hold it against its ceiling, ten times the goal."""

    def keep(what: str, seconds: float, goal: float) -> None:
        request.config.stash.setdefault(FIGURES, []).append((what, seconds, goal))
        assert seconds <= 10 * goal, f"{what}: {seconds:.2f} s, where {goal:g} s is the goal"

    return keep


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures see whether their test failed."""
    report = yield
    if report.when == "call" or report.failed:
        item.stash[REPORT] = report
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures: they are judged by people, the tests only assert ceilings."""
    if figures := config.stash.get(FIGURES, []):
        terminalreporter.section("seconds from the event to the file written")
        for what, seconds, goal in figures:
            terminalreporter.write_line(f"{what:<50} {seconds:7.3f}   goal {goal:g}")
