"""A real tailnet on one machine: a control server with DERP, and one tailscaled per network namespace.

The underlay is a bridge in a namespace of its own, 198.18.0.0/24 (a range set aside for such tests), of a second
tailnet 198.18.1.0/24; nothing of it is reachable from the machine's own network. Each node's folder holds its state,
socket and logs.
"""

from __future__ import annotations

import atexit
import contextlib
import http.client
import os
import signal
import socket
import tempfile
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.real.namespaces import RUN_FOLDER, Namespace, Process, sweep, until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from types import TracebackType

ENDS = (signal.SIGTERM, signal.SIGHUP)  # pytest tears down on ctrl-C; these two must do the same


class Tailnet:
    """The control server and its nodes; everything is gone when the context ends, however it ends."""

    def __init__(self, programs: Path, label: str = "", subnet: int = 0) -> None:
        self.programs = programs
        self.network, self.subnet = f"198.18.{subnet}", subnet
        self.control_url = f"http://{self.network}.1:9911"
        self._label = label
        self.nodes: dict[str, Node] = {}
        self._namespaces: list[Namespace] = []
        self._handlers = {number: signal.getsignal(number) for number in (*ENDS, signal.SIGINT)}

    def __enter__(self) -> Self:
        for name in sweep():
            print(f"real: removed {name}, which an earlier run left", flush=True)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{RUN_FOLDER}{os.getpid()}-"))
        atexit.register(self.close)
        for number in ENDS:
            signal.signal(number, signal.default_int_handler)
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def beside(self, label: str, subnet: int) -> Iterator[Tailnet]:
        """Another tailnet with a control server of its own, which ends before this one."""
        other = Tailnet(self.programs, label, subnet)
        other.folder = self.folder / label
        other.folder.mkdir()
        try:
            other._start()
            yield other
        finally:
            while other._namespaces:
                other._namespaces.pop().end()

    def _start(self) -> None:
        self.hub = self.namespace("hub")
        self.hub.exec("ip", "link", "add", "br0", "type", "bridge")
        self.hub.exec("ip", "addr", "add", f"{self.network}.1/24", "dev", "br0")
        self.hub.exec("ip", "link", "set", "br0", "up")
        self._admin = self.folder / "admin"
        server = self.programs / "control"
        log = self.folder / "control.log"
        self._control = self.hub.spawn(server, "-ip", f"{self.network}.1", "-admin", self._admin, log=log)
        until(lambda: self._admin.exists() or not self._control.running, 20, "the control server listens")
        if not self._control.running:
            raise RuntimeError(f"the control server ended: {log.read_text()}")

    def close(self) -> None:
        """Remove everything; a second ctrl-C does not stop it half-way."""
        for number in self._handlers:
            signal.signal(number, signal.SIG_IGN)
        while self._namespaces:
            self._namespaces.pop().end()
        sweep()  # the folder, and what an interrupt left half made
        atexit.unregister(self.close)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def namespace(self, label: str) -> Namespace:
        """Make a namespace that ends with the tailnet."""
        self._namespaces.append(Namespace(self._label + label))
        return self._namespaces[-1]

    def add(self, name: str, *, userspace: bool = False, at: Node | None = None, socks5: str = "") -> Node:
        """Bring up one more node, on-line in the eyes of the control server.

        `at`: on the machine of that one, with a tailscaled of its own, of which `socks5` is the proxy.
        """
        node = Node(self, name, len(self.nodes) + 10, userspace=userspace, at=at, socks5=socks5)
        self.nodes[name] = node
        node.join()
        self.set(name, online="true")
        return node

    def set(self, host: str, **changes: str) -> None:
        """Change what the control server says of a node: online, user, sharer, sharee, tags, os, expired."""
        connection = _Unix(self._admin)
        connection.request("POST", "/set?" + urllib.parse.urlencode({"host": host, **changes}))
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status != http.client.OK:
            raise RuntimeError(f"control server: set {host} {changes}: {text}")

    def control_paused(self) -> AbstractContextManager[None]:
        """Take the control server away, and with it DERP and STUN, which it is as well: connections hang."""
        return self._control.paused()

    @contextlib.contextmanager
    def relay_only(self, one: Node, other: Node) -> Iterator[None]:
        """Drop every datagram between two nodes: WireGuard then goes through DERP, by TCP."""
        rules = [
            ["INPUT", "--source", other.underlay, "--protocol", "udp", "--jump", "DROP"],
            ["OUTPUT", "--destination", other.underlay, "--protocol", "udp", "--jump", "DROP"],
        ]
        try:
            for rule in rules:
                one.exec("iptables", "--append", *rule)
            yield
        finally:
            for rule in rules:
                one.exec("iptables", "--delete", *rule, check=False)


class Node:
    """One machine of the tailnet."""

    def __init__(
        self, tailnet: Tailnet, name: str, number: int, *, userspace: bool, at: Node | None = None, socks5: str = ""
    ) -> None:
        self.name = name
        self.underlay = f"{tailnet.network}.{number}"
        self.ip = ""
        self.folder = tailnet.folder / name
        self.folder.mkdir()
        self.socket = self.folder / "sock"
        self.cli = tailnet.programs / "tailscale"
        self._daemon = tailnet.programs / "tailscaled"
        self._device = "userspace-networking" if userspace else "tailscale0"
        self._tailscaled: Process | None = None
        self._own = [f"--tun={self._device}", f"--port={41641 + tailnet.subnet}"]
        self._own += [f"--socks5-server={socks5}"] if socks5 else []
        self._url = tailnet.control_url
        self._port, self._gateway = ("eth1", "") if at else ("eth0", f"{tailnet.network}.1")
        namespace: Namespace = at.namespace if at else tailnet.namespace(name)
        self.namespace: Namespace = namespace
        self.exec, self.spawn = namespace.exec, namespace.spawn
        hub, port = tailnet.hub, f"v{number}"
        peer = ["peer", "name", self._port, "netns", namespace.name]
        hub.exec("ip", "link", "add", port, "type", "veth", *peer)
        hub.exec("ip", "link", "set", port, "master", "br0", "up")
        self.exec("ip", "addr", "add", f"{self.underlay}/24", "dev", self._port)
        self.link(up=True)

    def join(self) -> None:
        """Log in for the first time; learn the own address."""
        self.start_tailscaled()
        own = [f"--login-server={self._url}", f"--hostname={self.name}"]
        self.tailscale("up", *own, "--netfilter-mode=off", "--accept-dns=false", "--timeout=30s")
        self.ip = self.tailscale("ip", "-4").stdout.strip()

    def start_tailscaled(self) -> None:
        """Start it, with no logs sent anywhere; it answers on its socket when this returns."""
        own = [f"--statedir={self.folder}", f"--socket={self.socket}", *self._own]
        quiet = {"TS_NO_LOGS_NO_SUPPORT": "true", "TS_DEBUG_DISABLE_PORTLIST": "1"}
        self._tailscaled = self.spawn(self._daemon, *own, log=self.folder / "tailscaled.log", env=quiet)
        until(self._answers, 20, f"tailscaled on {self.name} answers")

    def _answers(self) -> bool:
        return self.tailscale("debug", "prefs", check=False).returncode == 0

    def stop_tailscaled(self) -> None:
        assert self._tailscaled
        self._tailscaled.stop()

    def tailscale(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.exec(self.cli, "--socket", self.socket, *arguments, check=check)

    def link(self, *, up: bool) -> None:
        """Plug the cable in, or pull it."""
        self.exec("ip", "link", "set", self._port, "up" if up else "down")
        if up and self._gateway:
            self.exec("ip", "route", "replace", "default", "via", self._gateway)

    def count_connects(self, port: int) -> None:
        """Count from now on who knocks at this port, over the tailnet: a rule that matches and does nothing."""
        knock = ["--in-interface", self._device, "--protocol", "tcp", "--dport", str(port), "--syn"]
        self.exec("iptables", "--append", "INPUT", *knock)

    def connects(self) -> int:
        """Return how many connections were attempted since then."""
        listed = self.exec("iptables", "--list", "INPUT", "--verbose", "--exact", "--numeric").stdout
        return int(listed.splitlines()[2].split()[0])

    def path_to(self, other: Node, patience: str = "2s") -> str:
        """Return `direct`, `relay`, or why there is no path now."""
        said = self.tailscale("ping", "-c=1", f"--timeout={patience}", other.ip, check=False)
        if "via DERP" in said.stdout:
            return "relay"
        return "direct" if "pong" in said.stdout else (said.stdout + said.stderr).strip()

    def reaches(self, other: Node, path: str) -> None:
        """Wait until the tailnet leads to the other node by this path."""
        until(lambda: self.path_to(other) == path, 30, f"{self.name} reaches {other.name}: {path}", every=0.2)


class _Unix(http.client.HTTPConnection):
    """HTTP over a unix socket, which network namespaces do not keep apart."""

    def __init__(self, path: Path) -> None:
        super().__init__("admin", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
