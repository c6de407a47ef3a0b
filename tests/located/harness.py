"""The real daemon as a process, on an embedded tailnet whose machines the test starts, kills and moves."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.environment import unmeasured
from tests.standins import tailscale, wire
from tests.standins.wire import Far

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 15.0


def until(ready: Callable[[], object], what: str) -> float:
    """Seconds until it is so; fails the test if it never is."""
    started = time.monotonic()
    while not ready():
        assert time.monotonic() - started < PATIENCE, f"never: {what}"
        time.sleep(0.005)  # the pause of a poll, not a wait for luck
    return time.monotonic() - started


class Lab:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.config = folder / "config/ollama-locate/config.toml"
        self.config.parent.mkdir(parents=True)
        self.command = folder / "tailscale"
        self.socket = folder / "bus.sock"
        self.peers: dict[str, dict[str, Any]] = {}
        # Of this machine both addresses refuse until `local` starts an Ollama; its own tailnet address is never silent.
        self._table: dict[str, Far] = {"127.0.0.1": Far(None), "100.64.0.1": Far(None)}
        self._servers: dict[str, subprocess.Popen[bytes]] = {}
        self.daemons: list[subprocess.Popen[bytes]] = []
        self.configure("")
        self.show()

    def configure(self, text: str, interval: str = "1s") -> None:
        fresh = self.config.with_suffix(".new")
        # A tailscaled of the machine that runs the tests is not listened to.
        ours = f'tailscale = "{self.command}"\ntailscale_socket = "{self.socket}"\ninterval = "{interval}"\n'
        fresh.write_text(ours + text)
        fresh.rename(self.config)

    def show(self, **more: Any) -> None:
        """Let the tailscale command show the peers as they are now."""
        tailscale.replaying(self.command, self.peers.values(), **more)
        wire.save(self.folder / "table.json", self._table)

    def machine(self, name: str, number: int, rtt: float = 0.01, *models: str, **node: Any) -> None:
        """A peer with a live Ollama."""
        self.peers[name] = tailscale.node(name, number, **node)
        self._table[f"100.64.0.{number}"] = Far(self._serve(name, *(models or ("mistral:latest",))), rtt)
        self.show()

    def stranger(self, name: str, number: int, *words: str, rtt: float = 0.01) -> None:
        """A peer whose server is `python -m WORDS`; it prints its port."""
        self.peers[name] = tailscale.node(name, number)
        self._table[f"100.64.0.{number}"] = Far(self._run(name, *words), rtt)
        self.show()

    def absent(self, name: str, number: int, *, silent: bool, **node: Any) -> None:
        self.peers[name] = tailscale.node(name, number, **node)
        self._table[f"100.64.0.{number}"] = Far(None, 0.01, silent)
        self.show()

    def socks5(self, *numbers: int) -> str:
        """A SOCKS5 proxy that leads to these machines, which nothing else does from now on; where it listens."""
        table = {f"100.64.0.{number}": self._table.pop(f"100.64.0.{number}") for number in numbers}
        port = self._run("socks5", "tests.standins.socks", *(f"{host}={far.port}" for host, far in table.items()))
        self._table[f"127.0.0.1:{port}"] = Far(port)
        self.show(TUN=False)
        return f"127.0.0.1:{port}"

    def local(self, *, serves: bool = False) -> None:
        """An Ollama on this machine; `serves`: on its tailnet address as well."""
        self._table["127.0.0.1"] = Far(self._serve("local", "mistral:latest"))
        if serves:
            self._table["100.64.0.1"] = self._table["127.0.0.1"]
        self.show()

    def proxy(self, port: int) -> None:
        """A proxy on this machine's loopback: whatever is asked there is asked at this port."""
        self._table["127.0.0.1"] = Far(port)
        self.show()

    def serve(self, name: str, *models: str) -> int:
        """An Ollama that only a proxy reaches; its port."""
        return self._serve(name, *models)

    def silence(self, number: int) -> None:
        address = f"100.64.0.{number}"
        self._table[address] = self._table[address]._replace(silent=True)
        self.show()

    def kill(self, name: str) -> None:
        process = self._servers.pop(name)
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()

    def revive(self, name: str, number: int) -> None:
        self._serve(name, "mistral:latest", port=self._table[f"100.64.0.{number}"].port)

    def program(self, name: str, *words: str) -> int:
        """A server that is `python -m WORDS`, on this machine's loopback; its port."""
        port = self._run(name, *words)
        self.proxy(port)
        return port

    def _serve(self, name: str, *models: str, port: int | None = None) -> int:
        return self._run(name, "tests.standins.ollama", *([str(port)] if port else []), *models)

    def _run(self, name: str, *words: str) -> int:
        self._servers[name] = subprocess.Popen(
            [sys.executable, "-m", *words], stdout=subprocess.PIPE, cwd=ROOT, env=unmeasured()
        )
        out = self._servers[name].stdout
        assert out is not None
        return int(out.readline())

    # --- the daemon

    @property
    def env(self) -> dict[str, str]:
        own = {"OLLAMA_LOCATE_STATE_DIR": str(self.state), "XDG_CONFIG_HOME": str(self.folder / "config")}
        return {**os.environ, **own, "PYTHONPATH": str(ROOT)}

    def start(self, *words: str, files: int | None = None) -> subprocess.Popen[bytes]:
        """Start a daemon; `files` is how many descriptors it may ever have."""

        def limit() -> None:
            if files is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

        with (self.folder / "log").open("ab") as log:
            table = str(self.folder / "table.json")
            self.daemons.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.standins.located", table, *words],
                    stderr=log,
                    stdout=subprocess.PIPE,
                    env=self.env,
                    preexec_fn=limit,  # noqa: PLW1509 - no thread runs here
                )
            )
        return self.daemons[-1]

    def stop(self) -> tuple[int, float]:
        """The exit code, and how long the end took."""
        started = time.monotonic()
        self.daemons[-1].send_signal(signal.SIGTERM)
        code = self.daemons[-1].wait(PATIENCE)
        return code, time.monotonic() - started

    def close(self) -> None:
        """End what still runs; the daemons gently, so that their coverage is kept."""
        for process in [*self.daemons, *self._servers.values()]:
            if process.poll() is None:
                process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`ollama-locate WORDS`, as a process of its own."""
        code = "import sys; from ollama_locate.main import main; sys.exit(main())"
        return subprocess.run(
            [sys.executable, "-c", code, *words], env=self.env, capture_output=True, text=True, check=False
        )

    @contextlib.contextmanager
    def asking(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """The same, while the test goes on."""
        code = "import sys; from ollama_locate.main import main; sys.exit(main())"
        process = subprocess.Popen(
            [sys.executable, "-c", code, *words], env=self.env, stdout=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    # --- what was published

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def snapshot(self) -> dict[str, Any]:
        with contextlib.suppress(FileNotFoundError):
            found: dict[str, Any] = json.loads((self.state / "state.json").read_bytes())
            return found
        return {}

    def decided(self) -> tuple[str, str]:
        """The name of the chosen server, and the verdict."""
        decision = self.snapshot().get("decision", {})
        return decision.get("name", ""), decision.get("verdict", "")

    def standing(self, name: str) -> str:
        servers = self.snapshot().get("servers", [])
        return str(next((one["standing"] for one in servers if one["name"] == name), "gone"))

    def until_decided(self, name: str, verdict: str = "fresh") -> float:
        return until(lambda: self.decided() == (name, verdict), f"{name} {verdict}; it is {self.decided()}\n{self.log}")
