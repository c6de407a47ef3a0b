"""A LAN of network namespaces on one bridge, with real daemons, stand-in Ollamas and whoever speaks mDNS there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.environment import unmeasured
from tests.real.namespaces import Namespace, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.real.namespaces import Process
    from tests.standins.announcer import Says

ROOT = Path(__file__).resolve().parents[2]
DAEMON = "import sys; from ollama_locate.located.main import main; sys.exit(main(sys.argv[1:]))"
PATIENCE = 20.0


class Machine:
    """One namespace with an interface `eth0` on the LAN."""

    def __init__(self, lan: Lan, name: str, address: str) -> None:
        self.name, self.address, self._lan = name, address, lan
        self.space = Namespace(f"lan-{name}")
        self.folder = lan.folder / name
        self.state, self._config = self.folder / "state", self.folder / "config/ollama-locate/config.toml"
        self._config.parent.mkdir(parents=True)
        self._ollama: Process | None = None
        self._daemon: Process | None = None
        self._speaker: subprocess.Popen[str] | None = None
        port = f"{lan.bridge.name}-{name}"[-15:]
        lan.bridge.exec("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", self.space.name)
        lan.bridge.exec("ip", "link", "set", port, "master", "br0", "up")
        self.space.exec("ip", "link", "set", "eth0", "up")
        self.space.exec("ip", "address", "add", f"{address}/24", "dev", "eth0")

    def ollama(self, at: str = "0.0.0.0", *models: str) -> None:
        words = ("tests.standins.ollama", "11434", *(models or ("mistral:latest",)))
        env = {**unmeasured(), "OLLAMA_HOST": at, "PYTHONPATH": str(ROOT)}
        log = self.folder / "ollama"
        self._ollama = self.space.spawn(sys.executable, "-m", *words, log=log, env=env)
        until(lambda: log.exists() and log.read_text().strip(), PATIENCE, f"the Ollama of {self.name}")

    def kill_ollama(self) -> None:
        assert self._ollama is not None
        self._ollama.kill()

    def daemon(self, config: str) -> None:
        """Start the real one; nobody here has Tailscale."""
        self.configure(config)
        env = {
            "OLLAMA_LOCATE_STATE_DIR": str(self.state),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "PYTHONPATH": str(ROOT),
        }
        self._daemon = self.space.spawn(sys.executable, "-c", DAEMON, log=self.folder / "log", env=env)

    def configure(self, config: str) -> None:
        missing = self.folder / "no-tailscale"
        ours = f'tailscale = "{missing}"\ntailscale_socket = "{missing}"\ninterval = "1s"\n'
        self._config.write_text(ours + config)

    def reconfigure(self, config: str) -> None:
        """Change the config, and let the daemon know."""
        self.configure(config)
        assert self._daemon is not None
        self._daemon.hang_up()

    def stop_daemon(self) -> int:
        assert self._daemon is not None
        return self._daemon.stop()

    def says(self, *every: Says) -> None:
        """Announce these, one datagram each."""
        for says in every:
            self._tell(asdict(says))

    def floods(self, count: int) -> None:
        self._tell({"flood": count})

    def _tell(self, words: dict[str, Any]) -> None:
        if self._speaker is None:
            command = self.space.wrap((sys.executable, "-m", "tests.standins.announcer", self.address))
            self._speaker = subprocess.Popen(
                command, cwd=ROOT, text=True, env=unmeasured(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self._speaker.stdin is not None
        assert self._speaker.stdout is not None
        self._speaker.stdin.write(json.dumps(words) + "\n")
        self._speaker.stdin.flush()
        assert self._speaker.stdout.readline() == "said\n"

    def link(self, state: str) -> None:
        self.space.exec("ip", "link", "set", "eth0", state)

    def moves(self, address: str) -> None:
        """Another address, as after another lease."""
        self.space.exec("ip", "address", "del", f"{self.address}/24", "dev", "eth0")
        self.space.exec("ip", "address", "add", f"{address}/24", "dev", "eth0")
        self.address = address

    def end(self) -> None:
        if self._speaker is not None:
            self._speaker.kill()
            self._speaker.communicate()
        if self._daemon is not None:
            self._daemon.stop()
        self.space.end()

    # --- what it published

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def snapshot(self) -> dict[str, Any]:
        with contextlib.suppress(FileNotFoundError):
            found: dict[str, Any] = json.loads((self.state / "state.json").read_bytes())
            return found
        return {}

    def decided(self) -> tuple[str, str]:
        decision = self.snapshot().get("decision", {})
        return decision.get("endpoint", ""), decision.get("verdict", "")

    def left_alone(self) -> dict[str, str]:
        """Of the LAN: name of the service -> the reason's word."""
        rejected = self.snapshot().get("rejected", [])
        return {one["key"].removeprefix("mdns:").partition(".")[0]: one["reason"] for one in rejected}

    def until_decided(self, endpoint: str, verdict: str) -> None:
        self._until(lambda: self.decided() == (endpoint, verdict), f"{endpoint} {verdict}")

    def until_left_alone(self, **reasons: str) -> None:
        wanted = {name.replace("_", "-"): reason for name, reason in reasons.items()}
        self._until(lambda: wanted.items() <= self.left_alone().items(), f"{wanted}")

    def until_published_again(self) -> None:
        """By a daemon that was started after the last one."""
        assert self._daemon is not None
        pid = self._daemon.pid
        self._until(lambda: self.snapshot()["pid"] == pid and self.decided()[1] == "fresh", "a word of the new daemon")

    def until_problem(self, words: str) -> None:
        """Until these words are among the problems; without words, until there is none."""

        def so() -> bool:
            problems = self.snapshot().get("problems")
            return problems == [] if not words else any(words in one for one in problems or ())

        self._until(so, words or "no problem")

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        try:
            until(condition, PATIENCE, what)
        except TimeoutError as error:
            error.add_note(f"{self.decided()}\n{self.left_alone()}\n{self.log}")
            raise


class Lan:
    """The bridge. Machines get 192.168.77.1, .2 and so on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.machines: list[Machine] = []
        self.bridge = Namespace("lan-bridge")
        self.bridge.exec("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        self.bridge.exec("ip", "link", "set", "br0", "up")

    def machine(self, name: str) -> Machine:
        self.machines.append(Machine(self, name, f"192.168.77.{len(self.machines) + 1}"))
        return self.machines[-1]

    def end(self) -> None:
        for machine in self.machines:
            machine.end()
        self.bridge.end()


@contextlib.contextmanager
def lan_in(folder: Path) -> Iterator[Lan]:
    """Skips where the machine cannot have it."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("a LAN of network namespaces needs Linux, root and ip")
    try:
        made = Lan(folder)
    except RuntimeError as error:
        pytest.skip(f"this machine makes no network namespaces: {error}")
    try:
        yield made
    finally:
        made.end()
