"""The tailnet of the real tier, made once; what the machine lacks for it is named."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.real import build, needs
from tests.real.figures import FULL, RUNS, Figures
from tests.real.lab import Lab
from tests.real.located import Located
from tests.real.tailnet import Tailnet

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    Daemons = Callable[..., Located]

FIGURES = pytest.StashKey[Figures]()
STARTED = pytest.StashKey[float]()
REPORT = pytest.StashKey[pytest.TestReport]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = Figures()
    config.stash[STARTED] = time.monotonic()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `run` is run REAL_RUNS times, and knows which time it is."""
    if "run" in metafunc.fixturenames:
        metafunc.parametrize("run", range(RUNS))


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
def daemons(lab: Lab, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Daemons]:
    """Make daemons of this test's own, not started yet, on a tailnet at rest; settings as in the config, in TOML.

    Round trips here are all below 1 ms: their preference makes the choice definite.
    """
    lab.settled()
    made: list[Located] = []

    def make(*, bell: bool = True, **settings: str) -> Located:
        folder = tmp_path / f"daemon{len(made)}"
        made.append(Located(lab.laptop, folder, bell=bell, **{"prefer": '["gpu", "*"]', **settings}))
        return made[-1]

    yield make
    codes = [daemon.stop() for daemon in made]
    report = request.node.stash.get(REPORT, None)
    if report and report.failed:
        for daemon in made:
            print(daemon.report())
    assert not any(codes), "a daemon did not end by itself on SIGTERM"


@pytest.fixture
def located(daemons: Daemons) -> Located:
    """One daemon that looks often, and is not told of changes by tailscaled."""
    return daemons(bell=False, interval='"2s"')


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """The figures for the table at the end."""
    return request.config.stash[FIGURES]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures see whether their test failed."""
    report = yield
    if report.when == "call" or report.failed:
        item.stash[REPORT] = report
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: pytest.ExitCode, config: pytest.Config
) -> None:
    """Print the figures: they are judged by people, the tests only assert ceilings."""
    figures = config.stash[FIGURES]
    if not figures.all:
        return
    terminalreporter.section("seconds from the event to the file written, and changes where there should be none")
    for line in figures.lines():
        terminalreporter.write_line(line)
    all_of_it = not config.option.keyword and [Path(given).name for given in config.args] == ["real"]
    if FULL and all_of_it and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        failed = len(terminalreporter.stats.get("failed", []))
        figures.write(time.monotonic() - config.stash[STARTED], failed)
