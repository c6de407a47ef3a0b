"""The daemon under test on the user's own machine, with the real CLI, and what both of them published."""

from __future__ import annotations

import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tests.real.namespaces import until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.real.namespaces import Process
    from tests.real.tailnet import Node

SCRIPTS = Path(sys.executable).parent
CONFIG = """\
interval = "2s"
prefer = {prefer}
tailscale = "{tailscale}"
log_level = "debug"
"""


class Decision(msgspec.Struct, frozen=True):
    verdict: str
    name: str | None
    reason: str
    endpoint: str


class Server(msgspec.Struct, frozen=True):
    name: str
    kind: str
    standing: str
    health: str
    outcome: str | None
    text: str
    path: str
    models: list[str] | None


class Rejected(msgspec.Struct, frozen=True):
    name: str
    reason: str
    text: str


class State(msgspec.Struct, frozen=True):
    """What these tests read of state.json."""

    decision: Decision
    servers: list[Server]
    rejected: list[Rejected]

    def server(self, name: str) -> Server:
        return next(server for server in self.servers if server.name == name)


class Located:
    """One run of the daemon, with folders of its own."""

    def __init__(self, node: Node, folder: Path, prefer: str) -> None:
        self.node = node
        self.folder = folder
        self._state = folder / "state"
        self._log = folder / "log"
        self._process: Process | None = None
        wrapper = folder / "tailscale"
        wrapper.write_text(f'#!/bin/sh\nexec "{node.cli}" --socket "{node.socket}" "$@"\n')
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        config = folder / "config" / "ollama-locate" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(CONFIG.format(prefer=prefer, tailscale=wrapper))
        self._env = {
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "OLLAMA_LOCATE_STATE_DIR": str(self._state),
        }

    def start(self) -> float:
        """Start the daemon; return when (by the clock that also stamps files)."""
        self._state.mkdir(mode=0o700)
        now = time.time()
        self._process = self.node.spawn(SCRIPTS / "ollama-located", log=self._log, env=self._env)
        return now

    def stop(self) -> int:
        """Ask it to end, if it was started; return its exit code."""
        return self._process.stop() if self._process else 0

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.node.exec(SCRIPTS / "ollama-locate", *arguments, env=self._env, check=check)

    def state(self) -> State | None:
        """Return what state.json says now, None while there is none."""
        try:
            return msgspec.json.decode((self._state / "state.json").read_bytes(), type=State)
        except FileNotFoundError:
            return None

    def endpoint(self) -> str:
        """Return what the env file gives to every program on this machine."""
        try:
            lines = (self._state / "env").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return next((line.partition("=")[2] for line in lines if line.startswith("OLLAMA_ENDPOINT=")), "")

    def verdict(self) -> str:
        try:
            return (self._state / "verdict").read_text().strip()
        except FileNotFoundError:
            return ""

    def writes(self, url: str, since: float, within: float) -> float:
        """Wait until the env file names this server; return the seconds from `since` to that write.

        `seen` has what the files said on the way: the endpoint and the verdict, each change once.
        """
        self.seen: list[tuple[str, str]] = []

        def written() -> bool:
            said = (self.endpoint(), self.verdict())
            if self.seen[-1:] != [said]:
                self.seen.append(said)
            return said[0] == url

        until(written, within, f"the env file has {url}", every=0.005)
        return (self._state / "env").stat().st_mtime - since

    def becomes(self, verdict: str, since: float, within: float) -> float:
        """Wait until the verdict file says so; return the seconds from `since` until it was seen."""
        until(lambda: self.verdict() == verdict, within, f"the verdict is {verdict}", every=0.005)
        return time.time() - since

    def shows(self, condition: Callable[[State], bool], within: float, what: str) -> State:
        """Wait until state.json is so; return it."""

        def holds() -> State | None:
            state = self.state()
            return state if state and condition(state) else None

        found = until(holds, within, what)
        assert found
        return found

    def report(self) -> str:
        """Return what a person needs to see when a test has failed."""
        state = self._state / "state.json"
        text = state.read_text() if state.exists() else "(none)"
        log = self._log.read_text(errors="replace") if self._log.exists() else ""
        return f"--- state.json\n{text}\n--- the daemon's log\n{log}"
