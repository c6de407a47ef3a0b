"""Servers that generate, published by their names; and a terminal to look at."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

from tests.checks.machine import Machine
from tests.cli.command import Command
from tests.snapshots import alive, snapshot
from tests.standins.generator import Generator
from tests.standins.tailscale import raw

PROGRAM = [sys.executable, "-c", "import sys; from ollama_locate.main import main; sys.exit(main())"]
MISTRAL = "mistral:latest"


class Servers:
    """Those that are published, by their names; `servers["gpu"]` is the stand-in."""

    def __init__(self, run: Command, tmp_path: Path) -> None:
        self._run, self._tmp = run, tmp_path
        # Its own servers' thread, and nothing else of it.
        (tmp_path / "machine").mkdir()
        self.machine = Machine(tmp_path / "machine")
        self._made: dict[str, Generator] = {}
        self.state = tmp_path / "state"
        self.kind = Generator
        self._config = ""

    def __getitem__(self, name: str) -> Generator:
        return self._made[name]

    def put(self, config: str = "", /, **models: tuple[str, ...]) -> None:
        """Serve these models, and publish the servers."""
        urls = {}
        for name, those in models.items():
            self._made[name] = self.kind(self._tmp / f"{name}.log", *those)
            urls[name] = f"http://127.0.0.1:{self.machine.serve(self._made[name].serve)}"
        static = "".join(f'{name} = "{url}"\n' for name, url in urls.items())
        config = f'local = "off"\nprefer = {json.dumps(list(urls))}\n{config}\n[static]\n{static}'
        path = self._tmp / "config/ollama-locate/config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(config)
        self._config = config
        self.publish()

    def publish(self) -> None:
        """What a daemon would know of them now."""
        probes = {f"static:{name}": alive(0.01, *one.models) for name, one in self._made.items()}
        stocks = {f"static:{name}": one.inventory() for name, one in self._made.items()}
        self._run.publish(snapshot(probes, raw=raw(), config=self._config, stocks=stocks))

    def asked(self, name: str) -> list[str]:
        """The models that this server was to generate with."""
        log = self._tmp / f"{name}.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [one["body"]["model"] for one in map(json.loads, lines) if one["path"] == "/api/generate"]


def on_terminal(*words: str, answer: bytes = b"") -> tuple[int, str]:
    """The exit code, and what a terminal of 80 columns got to show."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment: dict[str, Any] = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    running = subprocess.Popen([*PROGRAM, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    os.write(ours, answer)
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    return running.wait(10), re.sub(r"\x1b\[[0-9;]*m", "", shown.decode().replace("\r", ""))
