"""The demo's tailnet: stand-in Ollamas on loopback, a stand-in tailscale, the real daemon as its own process."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.standins import tailscale, wire
from tests.standins.wire import Far

ROOT = Path(__file__).resolve().parent.parent
CONFIG = 'tailscale = "{tailscale}"\ninterval = "1s"   # 30s by default; the demo is in a hurry\n'


class Scene:
    """Everything in one temporary folder; processes end with it."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self._table_file = folder / "table.json"
        self._table: dict[str, Far] = {}
        self._servers: dict[str, subprocess.Popen[str]] = {}
        peers = [
            self._machine("gpu-box", 2, 0.012, "mistral:latest", "qwen3:32b"),
            self._machine("workstation", 3, 0.035, "mistral:latest"),
            self._machine("nas", 4, 0.005),
            self._absent("pi", 5, refuses=True),
            self._absent("old-laptop", 6, refuses=False),
            tailscale.node("bobs-desktop", 7, UserID=2),
            tailscale.node("phone", 8, OS="iOS"),
            tailscale.node("de-fra-wg-001", 9, Tags=["tag:mullvad-exit-node"]),
        ]
        self._table["127.0.0.1"] = Far(None)
        wire.save(self._table_file, self._table)
        command = tailscale.replaying(folder / "tailscale", peers)
        config = folder / "config" / "ollama-locate" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(CONFIG.format(tailscale=command))
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("OLLAMA_")} | {
            "OLLAMA_LOCATE_STATE_DIR": str(self.state),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHONPATH": str(ROOT),
        }
        self._daemon: subprocess.Popen[bytes] | None = None
        self.log = folder / "daemon.log"

    def start_daemon(self) -> None:
        with self.log.open("wb") as log:
            self._daemon = subprocess.Popen(
                [sys.executable, "-m", "tests.standins.located", str(self._table_file)], stderr=log, env=self.env
            )

    def stop_daemon(self) -> int:
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGTERM)
        return self._daemon.wait(5)

    def command(self, *words: str) -> str:
        """What `ollama-locate WORDS` prints."""
        program = Path(sysconfig.get_path("scripts")) / "ollama-locate"
        return subprocess.run([program, *words], env=self.env, stdout=subprocess.PIPE, text=True, check=False).stdout

    def snapshot(self) -> dict[str, Any]:
        """What the daemon has published; empty before it has."""
        with contextlib.suppress(FileNotFoundError):
            data: dict[str, Any] = json.loads((self.state / "state.json").read_bytes())
            return data
        return {}

    def kill(self, name: str) -> None:
        self._servers[name].kill()
        self._servers[name].wait()

    def revive(self, name: str, number: int, *models: str) -> None:
        self._serve(name, *models, port=self._table[f"100.64.0.{number}"].port)

    def close(self) -> None:
        for process in (self._daemon, *self._servers.values()):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def _machine(self, name: str, number: int, rtt: float, *models: str) -> dict[str, Any]:
        self._table[f"100.64.0.{number}"] = Far(self._serve(name, *models), rtt)
        return tailscale.node(name, number)

    def _absent(self, name: str, number: int, *, refuses: bool) -> dict[str, Any]:
        self._table[f"100.64.0.{number}"] = Far(None, 0.02, silent=not refuses)
        return tailscale.node(name, number, Online=refuses)

    def _serve(self, name: str, *models: str, port: int | None = None) -> int:
        words = [sys.executable, "-m", "tests.standins.ollama", *([str(port)] if port else []), *models]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self._servers[name] = process
        assert process.stdout is not None
        return int(process.stdout.readline())


@contextlib.contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    made = Scene(folder)
    try:
        yield made
    finally:
        made.close()
