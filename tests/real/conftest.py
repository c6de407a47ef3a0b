"""The tailnet of the real tier, made once; what the machine lacks for it is named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.real import build, needs
from tests.real.lab import Lab
from tests.real.located import Located
from tests.real.tailnet import Tailnet

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    Measure = Callable[[str, float, float], None]

FIGURES = pytest.StashKey[list[tuple[str, float, float]]]()
REPORT = pytest.StashKey[pytest.TestReport]()


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
