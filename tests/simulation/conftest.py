"""The long simulation runs with `-m simulation` only, and tells what it saw, world by world."""

from collections import defaultdict
from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster

from .report import table
from .trial import Result

_LONG = "simulation"
_RESULT = "simulation_result"


@pytest.fixture
def blocked() -> Iterator[None]:
    """As for every test; but a daemon is made inside its loop here, and reads files before anybody waits for it."""
    guard = BlockBuster(["ollama_locate"])
    for function in guard.functions.values():
        function.can_block_in("ollama_locate/located/daemon.py", "__init__")
    guard.activate()
    yield
    guard.deactivate()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{_LONG}: thousands of days on a virtual clock (DAYS= for how many)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _LONG in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker(_LONG)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found: dict[str, list[Result]] = defaultdict(list)
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, value in report.user_properties:
            if name == _RESULT and report.when == "call":
                result = Result.loads(str(value))
                found[result.world].append(result)
    if found:
        terminalreporter.section("simulated")
        terminalreporter.write_line(table(found))
