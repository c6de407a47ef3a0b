"""The daemon under test on the user's own machine, with the real CLI, and what both of them published."""

from __future__ import annotations

import contextlib
import datetime as dt
import stat
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tests.real.namespaces import until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.real.clocks import Clocks
    from tests.real.namespaces import Process
    from tests.real.tailnet import Node

SCRIPTS = Path(sys.executable).parent
# The shim that moves the daemon's clocks is not for its children.
WRAPPER = """\
#!/bin/sh
unset LD_PRELOAD
exec "{cli}" --socket "{socket}" "$@"
"""


class Decision(msgspec.Struct, frozen=True):
    verdict: str
    name: str | None
    reason: str
    endpoint: str
    sentinel: str = ""


class TailnetState(msgspec.Struct, frozen=True):
    watch: str = ""


class Server(msgspec.Struct, frozen=True):
    name: str
    kind: str
    standing: str
    health: str
    outcome: str | None
    text: str
    path: str
    models: list[str] | None
    checked_at: str | None

    def checked_since(self, wall: float) -> bool:
        """Return if it was asked, and has answered or not, after this moment of the daemon's wall clock."""
        return self.checked_at is not None and dt.datetime.fromisoformat(self.checked_at).timestamp() >= wall


class Rejected(msgspec.Struct, frozen=True):
    name: str
    reason: str
    text: str


class State(msgspec.Struct, frozen=True):
    """What these tests read of state.json."""

    round: int
    tailnet: TailnetState
    decision: Decision
    servers: list[Server]
    rejected: list[Rejected]

    def server(self, name: str) -> Server:
        return next(server for server in self.servers if server.name == name)


class Located:
    """One run of the daemon, with folders of its own. Settings are those of its config, in TOML.

    `bell`: tailscaled can tell it of changes; without, there is nothing at the path where it looks.
    """

    def __init__(self, node: Node, folder: Path, *, bell: bool = True, **settings: str) -> None:
        self.node = node
        self.folder = folder
        self.clocks: Clocks | None = None
        self._state = folder / "state"
        self._log = folder / "log"
        self._process: Process | None = None
        self._config = folder / "config" / "ollama-locate" / "config.toml"
        self._config.parent.mkdir(parents=True)
        wrapper = folder / "tailscale"
        wrapper.write_text(WRAPPER.format(cli=node.cli, socket=node.socket))
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        self._settings = {
            "tailscale": f'"{wrapper}"',
            "tailscale_socket": f'"{node.socket if bell else folder / "none"}"',
            "log_level": '"debug"',
        }
        self.configure(**settings)
        self._env = {
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "OLLAMA_LOCATE_STATE_DIR": str(self._state),
        }

    def configure(self, **settings: str) -> None:
        """Write the config, without what is empty; a daemon that runs reads it at its next heartbeat."""
        self._settings |= settings
        lines = (f"{key} = {value}\n" for key, value in self._settings.items() if value)
        self._config.write_text("".join(lines))

    def start(self) -> float:
        """Start the daemon; return when (by the clock that also stamps files)."""
        self._state.mkdir(mode=0o700)
        own = [f"{key}={value}" for key, value in self.clocks.env.items()] if self.clocks else []
        now = time.time()
        self._process = self.node.spawn("env", *own, SCRIPTS / "ollama-located", log=self._log, env=self._env)
        return now

    def ready(self, url: str) -> float:
        """Start the daemon and wait until it has settled on this server; return how long the first choice took."""
        seconds = self.writes(url, self.start(), 10)
        self.shows(lambda state: all(server.outcome for server in state.servers), 15, "everybody was asked")
        self.shows(lambda state: state.decision.sentinel == "on", 15, "a connection is held to the server")
        return seconds

    @property
    def pid(self) -> int:
        """The daemon's own, as the lock says it."""
        return int((self._state / "lock").read_text())

    def paused(self) -> AbstractContextManager[None]:
        """Let it stand still, as a machine without a moment for it would."""
        assert self._process
        return self._process.paused()

    def stop(self) -> int:
        """Ask it to end, if it was started; return its exit code."""
        return self._process.stop() if self._process else 0

    def cli(self, *arguments: str, check: bool = True, within: float = 30) -> subprocess.CompletedProcess[str]:
        return self.node.exec(SCRIPTS / "ollama-locate", *arguments, env=self._env, check=check, within=within)

    def state(self) -> State | None:
        """Return what state.json says now, None while there is none."""
        try:
            return msgspec.json.decode((self._state / "state.json").read_bytes(), type=State)
        except FileNotFoundError:
            return None

    def best(self) -> dict[str, str]:
        """The URL of the best server for each model, as the fast path reads it."""
        with contextlib.suppress(FileNotFoundError):
            return dict(line.split("\t") for line in (self._state / "models").read_text().splitlines())
        return {}

    def endpoint(self) -> str:
        """Return what the env file gives to every program on this machine."""
        try:
            lines = (self._state / "env").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return next((line.partition("=")[2] for line in lines if line.startswith("OLLAMA_ENDPOINT=")), "")

    @contextlib.contextmanager
    def watched(self) -> Iterator[list[str]]:
        """Note each endpoint that is published from now on, the present one first; looks every 5 ms.

        The file `endpoint` is written when it changes and at no other time: what was there too shortly to be
        seen is noted as well, as `?`.
        """
        seen = [self.endpoint()]
        before = self._written()
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.005):
                if (now := self.endpoint()) != seen[-1]:
                    seen.append(now)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield seen
        finally:
            over.set()
            watcher.join()
            if len(seen) == 1 and self._written() != before:
                seen.append("?")

    def _written(self) -> tuple[int, int]:
        info = (self._state / "endpoint").stat()
        return info.st_ino, info.st_mtime_ns

    def beat(self) -> float:
        """Return when the heartbeat was seen last, by the machine's own clock."""
        return (self._state / "verdict").stat().st_mtime

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

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
        return f"--- state.json\n{text}\n--- the daemon's log\n{self.log()}"
