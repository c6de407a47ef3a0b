"""The daemon under measurement: installed from the wheel, in the client's namespace, with a fresh state."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.install import programs
from benchmarks.namespaces import inside
from benchmarks.process import end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.scene import Scene

# From the start of the process to its first state.json.
START_S = 15.0


class Daemon:
    """A running `ollama-located`, its folder and its state."""

    def __init__(self, process: subprocess.Popen[bytes], state: Path, log: Path) -> None:
        self.process = process
        self.pid = process.pid
        self.state = state
        self.log = log

    def snapshot(self) -> dict[str, Any]:
        """state.json; empty until the first one is written."""
        try:
            found: dict[str, Any] = json.loads((self.state / "state.json").read_bytes())
        except FileNotFoundError:
            return {}
        return found

    def wait(self, rounds: int, longest_s: float) -> dict[str, Any]:
        """Until that many rounds are done."""
        deadline = time.monotonic() + longest_s
        while time.monotonic() < deadline and self.process.poll() is None:
            state = self.snapshot()
            if state.get("round", 0) >= rounds:
                return state
            time.sleep(0.2)
        raise RuntimeError(f"the daemon did not reach round {rounds}: {self.log.read_text()[-500:]}")

    def ask(self) -> float:
        """Asks it to look again as `ollama-locate refresh` does; returns when, in `time.perf_counter`."""
        box = self.state / "requests"
        box.mkdir(0o700, exist_ok=True)
        name = f"refresh-{os.getpid()}-{time.monotonic_ns()}"
        began = time.perf_counter()
        (box / f".{name}").write_text('{"kind":"refresh","schema":1}')
        (box / f".{name}").rename(box / name)
        os.kill(self.pid, signal.SIGUSR1)
        return began


def surroundings(folder: Path, state: Path) -> dict[str, str]:
    """An environment with nothing of the user's in it: no OLLAMA_*, no proxy, no other configuration."""
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "OLLAMA_LOCATE_STATE_DIR": str(state),
        "LC_ALL": "C.UTF-8",
    }


@contextlib.contextmanager
def daemon(
    place: Scene,
    *,
    interval: str = "30s",
    tailscale: Path | None = None,
    socket: Path | None = None,
    env: dict[str, str] | None = None,
    config: str = "",
    rounds: int = 1,
) -> Iterator[Daemon]:
    """Started and past so many rounds; ended when the block ends.

    `socket`: a tailscaled's that rings. `config`: more lines of it.
    """
    folder = Path(tempfile.mkdtemp(prefix="daemon-", dir=place.folder))
    state = folder / "state"
    state.mkdir(0o700)
    (folder / "ollama-locate").mkdir(0o700)
    lines = f'tailscale = "{tailscale or place.tailscale}"\ninterval = "{interval}"\n'
    lines += f'tailscale_socket = "{socket or folder / "no-socket"}"\n'
    (folder / "ollama-locate" / "config.toml").write_text(lines + config)
    log, program = folder / "log", programs() / "ollama-located"
    with log.open("wb") as sink, inside(place.client):
        process = subprocess.Popen(
            [program],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=surroundings(folder, state) | (env or {}),
        )
    try:
        running = Daemon(process, state, log)
        running.wait(rounds, START_S)
        yield running
    finally:
        end(process)
        shutil.rmtree(folder, ignore_errors=True)
