"""When the service manager gets its signs of life, and when not: on a clock of the test's own."""

import asyncio
import logging
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ollama_locate.core.bounds import WATCHDOG_LATE
from ollama_locate.edge.notify import Notifier
from ollama_locate.located.log import LOGGER
from ollama_locate.located.watchdog import Watchdog
from tests.simulation.clock import VirtualLoop

HOUR = 3600.0
Due = Callable[[float], float | None]


def signs(path: Path, due: Due, beats_until: float, seconds: float = HOUR, wanted: str = "90000000") -> int:
    """How many signs of life come within these seconds, with a heartbeat each 30 s until `beats_until`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, pytest.MonkeyPatch.context() as patched:
        manager.bind(str(path))
        manager.settimeout(0)
        patched.setenv("NOTIFY_SOCKET", str(path))
        patched.setenv("WATCHDOG_USEC", wanted)
        patched.delenv("WATCHDOG_PID", raising=False)
        number = 0

        async def scenario() -> None:
            nonlocal number
            loop = asyncio.get_running_loop()
            began = loop.time()
            notifier = Notifier()
            watchdog = Watchdog(notifier, lambda: due(loop.time()))
            watchdog.start()
            while (now := loop.time() - began) < seconds:
                if now < beats_until:
                    watchdog.beaten()
                await asyncio.sleep(30)
                while True:
                    try:
                        assert manager.recv(100) == b"WATCHDOG=1"
                    except BlockingIOError:
                        break
                    number += 1
            watchdog.stop()
            notifier.close()

        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(scenario())
        return number


def test_while_all_is_well_they_come_three_times_as_often_as_is_wanted(tmp_path: Path) -> None:
    assert signs(tmp_path / "s", lambda now: now + 10, HOUR) == pytest.approx(HOUR / 30, abs=2)


def test_nobody_to_ask_is_well(tmp_path: Path) -> None:
    assert signs(tmp_path / "s", lambda _: None, HOUR) > 100


def test_a_busy_machine_is_well(tmp_path: Path) -> None:
    assert signs(tmp_path / "s", lambda now: now - WATCHDOG_LATE / 2, HOUR) > 100


def test_they_end_when_the_scheduler_stands_still(tmp_path: Path) -> None:
    assert signs(tmp_path / "s", lambda now: now + 10, beats_until=0.0) <= WATCHDOG_LATE / 30 + 1


def test_they_end_when_nobody_is_asked_who_should_be_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, LOGGER.name):
        LOGGER.addHandler(caplog.handler)
        number = signs(tmp_path / "s", lambda now: now - WATCHDOG_LATE - 1, HOUR)
        LOGGER.removeHandler(caplog.handler)
    assert number == 0
    assert len({record.getMessage() for record in caplog.records}) == 1
    assert "servers are due and not asked" in caplog.text


def test_a_manager_that_wants_none_gets_none(tmp_path: Path) -> None:
    assert signs(tmp_path / "s", lambda now: now + 10, HOUR, wanted="") == 0
