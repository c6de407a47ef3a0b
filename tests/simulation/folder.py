"""The real state folder, whose files are read back after each writing, as programs read them."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from ollama_locate.core.track import Verdict
from ollama_locate.edge import history
from ollama_locate.edge.files import StateFolder

from .pulse import Pulse
from .referee import Referee

DEFAULT = "http://localhost:11434"


class _Machine(Protocol):
    heart: Pulse
    referee: Referee

    @property
    def now(self) -> float:
        """Monotonic seconds."""

    def published(self, url: str, verdict: Verdict, state: bytes) -> bool:
        """The files say this now; returns whether they said something else before."""


class Folder(StateFolder):
    """Tells the machine what a reader finds in it."""

    def __init__(self, path: Path, machine: _Machine) -> None:
        super().__init__(path)
        self._machine = machine
        self._said: list[tuple[str, str]] = []

    def publish(self, files: Mapping[str, bytes], durable: Collection[str] = ()) -> list[str]:
        changed = super().publish(files, durable)
        url, verdict = self._endpoint(), Verdict((self.path / "verdict").read_text().strip())
        if verdict is Verdict.NONE and url != DEFAULT:
            self._machine.referee.fail(self._machine.now, f"{url} is the default")
        self._machine.published(url, verdict, files["state.json"])
        if not self._said or self._said[-1] != (url, verdict.value):
            self._said.append((url, verdict.value))
        return changed

    def touch(self, name: str) -> None:
        super().touch(name)
        self._machine.heart.beat()

    def _endpoint(self) -> str:
        """One URL and a newline, the same in both files; never nothing."""
        endpoint, env = (self.path / "endpoint").read_text(), (self.path / "env").read_text()
        url = endpoint.removesuffix("\n")
        if not url or endpoint != f"{url}\n" or f"OLLAMA_ENDPOINT={url}" not in env.splitlines():
            self._machine.referee.fail(self._machine.now, f"endpoint says {endpoint!r}, env {env!r}")
        return url

    def check_history(self) -> None:
        """The history has every switch once. It is sorted by the wall clock, which was set: the order says nothing."""
        switches, _ = history.read(self.path, 0.0)
        told = [(one.taken_url, one.verdict) for one in switches]
        if sorted(told) != sorted(self._said):
            self._machine.referee.fail(self._machine.now, f"the history has {len(told)} of {len(self._said)} switches")
