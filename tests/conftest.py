"""What holds for every test: a home of its own, no blocking call in the event loop, no thread that stays."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from blockbuster import BlockBuster
from hypothesis import settings

settings.register_profile("quick", max_examples=100, deadline=None, derandomize=True)
settings.load_profile("quick")

UNMEASURED = ("properties", "simulation")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage is what the tables and the running daemon reach; these take three times as long where it is measured."""
    for item in items:
        if item.path.parent.name in UNMEASURED or item.get_closest_marker("hypothesis"):
            item.add_marker("no_cover")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the person who runs the tests is read or written: no fixture of this name may stand before it."""
    for name in [name for name in os.environ if name.startswith(("OLLAMA_", "XDG_")) or name == "JOURNAL_STREAM"]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("NO_COLOR", "1")
    return folder


@pytest.fixture(autouse=True)
def blocked() -> Iterator[None]:
    """A blocking call of ours inside a running event loop fails the test."""
    guard = BlockBuster(["ollama_locate"])
    guard.activate()
    yield
    guard.deactivate()


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = {thread for thread in threading.enumerate() if thread.is_alive()} - before
    assert not {thread for thread in left if not thread.daemon}
