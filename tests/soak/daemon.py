"""The installed daemon as a process, and what it costs."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.process import cpu_seconds, end, memory

CONFIG = """\
tailscale = "{command}"
tailscale_socket = "{bus}"
interval = "5s"
prefer = {prefer}
deny = {deny}

[static]
den = "http://192.168.7.7:11434"

[variables]
OLLAMA_HOST = "{{host}}:{{port}}"

[forward]
listen = "127.0.0.1:11435"

[metrics]
textfile = "{metrics}"
"""


class Sample(NamedTuple):
    """What the process has at one moment. Memory in MiB, CPU in seconds since its start."""

    pss: float
    uss: float
    descriptors: int
    threads: int
    requests: int
    history: int
    cpu: float


class Daemon:
    """`ollama-located` of an installed wheel; its state folder is a small disk of its own."""

    def __init__(self, programs: Path, folder: Path, env: Mapping[str, str]) -> None:
        self.programs, self.state, self.log = programs, folder / "state", folder / "log"
        self.config = folder / "config/ollama-locate/config.toml"
        self.config.parent.mkdir(parents=True)
        self.env = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "OLLAMA_LOCATE_STATE_DIR": str(self.state),
            "LC_ALL": "C.UTF-8",
        }
        self._more = env
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            words = [self.programs / "ollama-located"]
            self.process = subprocess.Popen(
                words, env={**self.env, **self._more}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def configure(self, text: str) -> None:
        fresh = self.config.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self.config)

    def sample(self) -> Sample:
        place, box = Path(f"/proc/{self.pid}"), self.state / "requests"
        cost = memory(self.pid)
        return Sample(
            cost.pss,
            cost.uss,
            len(list((place / "fd").iterdir())),
            len(list((place / "task").iterdir())),
            len(list(box.iterdir())) if box.is_dir() else 0,
            sum(one.stat().st_size for one in self.state.glob("history.db*")),
            cpu_seconds(self.pid),
        )

    def stop(self) -> int | None:
        if self.process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGCONT)
        end(self.process)
        return self.process.returncode
